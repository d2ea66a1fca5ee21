'use strict';

/**
 * Certificates for the tests of TLS, made by the `openssl` command (Debian: package `openssl`). A test file
 * makes its own; nothing is kept.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

function openssl(args, input) {
  const { status, stdout, stderr, error } = spawnSync('openssl', args, { input });
  if (error) throw new Error('the tests of TLS need the openssl command', { cause: error });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** False where there is an openssl command; else the reason to skip. */
const NO_OPENSSL =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

/** A date as `openssl ca` takes it, some days from now. */
function day(offset) {
  const date = new Date(Date.now() + offset * 86_400_000).toISOString();
  return `${date.replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

let made = 0;

/** Keys and certificates in a folder that goes with the process. */
class Certificates {
  constructor() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-tls-'));
    process.once('exit', () => fs.rmSync(this.folder, { recursive: true, force: true }));
  }

  file(name) {
    return path.join(this.folder, name);
  }

  read(name) {
    return fs.readFileSync(this.file(name));
  }

  /** A private key: `ec` (P-256), `ed25519` or `rsa`. */
  key(name, kind = 'ec') {
    const algorithm = {
      ec: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      ed25519: ['ED25519'],
      rsa: ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    }[kind];
    openssl(['genpkey', '-algorithm', ...algorithm, '-out', this.file(name)]);
  }

  /**
   * A certificate with its key.
   * @param {string} subject common name; also the name of its files
   * @param {object} [opts]
   * @param {any} [opts.issuer] what {@link issue} answered; itself if there is none
   * @param {boolean} [opts.ca] whether it may sign others
   * @param {string} [opts.names] subject alternative names, as openssl has them
   * @param {[from: number, to: number]} [opts.days] from and to when it is good, in days from now
   * @param {'ec' | 'ed25519' | 'rsa'} [opts.kind]
   */
  issue(subject, opts = {}) {
    const { issuer, ca = false, names, days = [-1, 30], kind } = opts;
    const id = `${made++}-${subject.replace(/\W/g, '_')}`;
    const [key, request, cert] = ['key', 'csr', 'pem'].map((type) => `${id}.${type}`);
    this.key(key, kind);
    openssl([
      'req',
      '-new',
      '-key',
      this.file(key),
      '-subj',
      `/CN=${subject}`,
      '-out',
      this.file(request),
    ]);
    const extensions = [
      `basicConstraints=critical,CA:${ca ? 'TRUE' : 'FALSE'}`,
      ...(names ? [`subjectAltName=${names}`] : []),
      'subjectKeyIdentifier=hash',
    ];
    const config = this.file(`${id}.cnf`);
    fs.writeFileSync(this.file(`${id}.db`), '');
    fs.writeFileSync(
      config,
      [
        '[ca]\ndefault_ca=this\n[this]\nrand_serial=yes\ndefault_md=sha256\npolicy=any\nunique_subject=no',
        `database=${this.file(`${id}.db`)}`,
        `new_certs_dir=${this.folder}`,
        '[any]\ncommonName=supplied',
        `[ext]\n${extensions.join('\n')}\n`,
      ].join('\n'),
    );
    const signer = issuer
      ? ['-cert', issuer.certFile, '-keyfile', issuer.keyFile]
      : ['-selfsign', '-keyfile', this.file(key)];
    openssl([
      'ca',
      '-batch',
      '-notext',
      '-config',
      config,
      '-extensions',
      'ext',
      ...signer,
      '-startdate',
      day(days[0]),
      '-enddate',
      day(days[1]),
      '-in',
      this.file(request),
      '-out',
      this.file(cert),
    ]);
    return {
      cert: this.read(cert),
      key: this.read(key),
      certFile: this.file(cert),
      keyFile: this.file(key),
    };
  }

  /** The same key under a pass phrase. */
  encrypted({ keyFile }, passphrase) {
    const args = ['pkcs8', '-topk8', '-in', keyFile, '-passout', `pass:${passphrase}`];
    return openssl(args);
  }

  /** A PKCS#12 file of an identity. `legacy`: with the algorithms of old tools. */
  pfx({ keyFile, certFile }, passphrase, { chain, legacy = false } = {}) {
    return openssl([
      'pkcs12',
      '-export',
      '-inkey',
      keyFile,
      '-in',
      certFile,
      '-passout',
      `pass:${passphrase}`,
      ...(chain ? ['-certfile', chain.certFile] : []),
      ...(legacy
        ? ['-certpbe', 'PBE-SHA1-3DES', '-keypbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']
        : []),
    ]);
  }
}

/** What most tests need: a CA, and a server's identity for the loopback names. */
function standard() {
  const certificates = new Certificates();
  const ca = certificates.issue('Test CA', { ca: true });
  const server = certificates.issue('localhost', {
    issuer: ca,
    names: 'DNS:localhost,IP:127.0.0.1,IP:::1',
  });
  return { certificates, ca, server };
}

module.exports = { Certificates, NO_OPENSSL, openssl, standard };
