'use strict';

/** The programs of README.md and of docs/ run as they stand there. (Those of docs/TLS.md: `tls-docs.test.js`.) */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const { after, test } = require('node:test');
const { blocks, makeFolder, runUntil } = require('./helpers/docs');

const TIMEOUT = 60_000;
const folder = makeFolder();
after(() => fs.rmSync(folder, { recursive: true }));

/** What each program prints; null where it prints nothing by itself, or talks to the Internet. `more` is run behind it. */
const cases = {
  'README.md': [
    { expected: /^hello\n/ },
    { expected: /^\[ 20, 21, 19 \]\n/ },
    { expected: /^you said: hello\n/ },
    { expected: /^Map\(1\) \{ 'Ada' => 1815 \}\n/ },
    { expected: /^Map\(1\) \{ 'Ada' => 1815 \}\n/ },
    { expected: /^hello\n/ },
    { expected: /^hello\n/ },
    {
      expected: /^web 8000000\nvalues 200\n/,
      // More than may wait comes back whole: the echoes stop and go on.
      more: `
        const { TCPSocket } = require('socket');
        let bytes = 0;
        const web = new TCPSocket('127.0.0.1', server.localPort);
        web.onopen = () => web.send(new Uint8Array(8_000_000));
        web.onmessage = ({ data }) => {
          bytes += data.byteLength;
          if (bytes < 8_000_000) return;
          console.log('web', bytes);
          const client = DataSocket.connect(4000);
          let values = 0;
          client.on('data', () => ++values === 200 && console.log('values', values));
          for (let i = 0; i < 200; i++) client.send(new Uint8Array(30_000));
        };`,
    },
    { expected: /^function\n/, more: 'console.log(typeof net.connect);' },
    { expected: /^hello\n/ },
    { expected: null },
  ],
  'docs/CBOR.md': [
    { expected: /^12n\n/, more: 'console.log(value.total);' },
    { expected: /^DataCloneError: The function run cannot be encoded: value\.list\[1\]\.run\n/ },
  ],
  'docs/DATA-SOCKET.md': [{ expected: /^\{\s*got: / }],
  'docs/WEB-SOCKETS.md': [
    { expected: /^hello\n/ },
    { expected: null },
    {
      expected: /^hello\n/,
      more: 'other.onmessage = ({ data }) => console.log(Buffer.from(data).toString());',
    },
    { expected: null },
  ],
};

/** A port that was free a moment ago: those of the programs are the same for everybody. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

for (const [file, programs] of Object.entries(cases)) {
  const found = blocks(file, 'js');

  test(`${file}: every program is known here`, () => {
    assert.equal(found.length, programs.length);
  });

  programs.forEach(({ expected, more = '' }, index) => {
    if (expected === null) return;
    test(`${file}, program ${index + 1}`, { timeout: TIMEOUT }, async (t) => {
      const port = await freePort();
      const code = `${found[index]}\n${more}`.replace(/\b(?:4000|8000)\b/g, String(port));
      await runUntil(t, folder, code, expected);
    });
  });
}
