'use strict';

/** STARTTLS as mail does it: nodemailer over our sockets and our TLS, with a server that is neither. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { test } = require('node:test');
const nodeTls = require('node:tls');
const nodemailer = require('nodemailer');
const { authority } = require('../helpers/certificates');
const { findPython } = require('../helpers/cbor-peer');
const { HOST, closed } = require('../helpers/kit');
const { MiB, payload } = require('../helpers/payload');
const { net } = require('../helpers/subject');
const tls = require('socket/tls');

const python = findPython('aiosmtpd');
const opts = {
  timeout: 60_000,
  skip: python ? false : 'no Python with aiosmtpd (on Debian: apt-get install python3-aiosmtpd)',
};
const PROGRAM = path.join(__dirname, '..', 'fixtures', 'smtp_server.py');
const certs = authority({ main: ['localhost', HOST] });

/** A mail server that wants STARTTLS, and what it says of the messages that it gets. */
async function startServer(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-smtp-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const identity = path.join(folder, 'identity.pem');
  fs.writeFileSync(identity, certs.main.cert + certs.main.key, { mode: 0o600 });
  const child = spawn(python, [PROGRAM, identity], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  const { port } = await next();
  return { port, next };
}

/** A connected socket of ours. @returns {Promise<import('node:net').Socket>} */
function connect(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, HOST, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** nodemailer takes `tls` as it finds it. */
function useOurTls(t) {
  const taken = [];
  t.mock.method(nodeTls, 'connect', (...args) => {
    const secure = tls.connect(...args);
    taken.push(secure);
    return secure;
  });
  return taken;
}

const message = {
  from: 'one@example.invalid',
  to: ['two@example.invalid', 'three@example.invalid'],
  subject: 'a mail',
  text: '.\r\nlines that begin with a dot\r\n..\r\n',
};

test('a mail of 8 MiB goes out after STARTTLS', opts, async (t) => {
  const { port, next } = await startServer(t);
  const secured = useOurTls(t);
  const connection = await connect(port);
  const mailer = nodemailer.createTransport({
    connection,
    name: 'client.invalid',
    requireTLS: true,
    tls: { ca: certs.ca, servername: 'localhost' },
  });
  const body = payload(8 * MiB, 1);
  const { accepted } = await mailer.sendMail({
    ...message,
    attachments: [{ filename: 'body', content: body.bytes }],
  });
  assert.deepEqual(accepted, message.to);
  assert.deepEqual(await next(), {
    from: message.from,
    to: message.to,
    subject: message.subject,
    tls: 'TLSv1.3',
    attachments: [body.sha256],
  });
  assert.equal(secured.length, 1);
  assert.ok(secured[0] instanceof tls.TLSSocket);
  await closed(secured[0]);
});

test('nothing is sent to a mail server that nobody vouches for', opts, async (t) => {
  const { port } = await startServer(t);
  useOurTls(t);
  const connection = await connect(port);
  const mailer = nodemailer.createTransport({
    connection,
    requireTLS: true,
    tls: { servername: 'localhost' },
  });
  const gone = closed(connection);
  await assert.rejects(mailer.sendMail(message), /unable to (verify|get)|self.signed/i);
  await gone;
});
