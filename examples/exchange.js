'use strict';

// A server and several clients exchange a file in both directions and many small messages, and check that everything
// arrived as it was sent. Exits with 0 if so, else with 1. Run it with `npm start`, or with node once it is built.

const { createCipheriv, createHash } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { connect, createServer } = require('..');

const MIB = 1024 * 1024;
const FILE_BYTES = 64 * MIB;
const CLIENTS = 8;
const MESSAGES = 20_000; // of each client
const IN_FLIGHT = 64; // messages that a client sends ahead of their echoes
const LONGEST_MESSAGE = 128; // bytes
const TIME_LIMIT = 120_000; // milliseconds for everything: if something hangs, this ends it

// What the first byte of a connection asks the server for.
const STORE = 'S'; // take the file that follows, and answer how many bytes it had
const FETCH = 'F'; // send the stored file
const ECHO = 'E'; // send everything back

const number = (value) => Math.round(value).toLocaleString('en-US');
const mebibytes = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

/** Bytes that look random and are the same in every run, so that a failure can be repeated. */
function deterministicBytes(length, seed) {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(length));
}

function makeFile(file) {
  const output = fs.openSync(file, 'w');
  for (let written = 0, seed = 1; written < FILE_BYTES; written += MIB, seed += 1) {
    fs.writeSync(output, deterministicBytes(MIB, seed));
  }
  fs.closeSync(output);
}

async function hashFile(file) {
  const hash = createHash('sha256');
  for await (const chunk of fs.createReadStream(file, { highWaterMark: MIB })) hash.update(chunk);
  return hash.digest('hex');
}

/** The server: one connection, one job. A half-open connection lets it answer after the client has ended. */
function makeServer(storedFile, onError) {
  return createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', onError);
    socket.once('readable', () => {
      const job = String(socket.read(1));
      if (job === STORE) {
        const output = fs.createWriteStream(storedFile).on('error', onError);
        socket.pipe(output);
        output.on('finish', () => socket.end(String(output.bytesWritten)));
      } else if (job === FETCH) {
        fs.createReadStream(storedFile).on('error', onError).pipe(socket);
      } else if (job === ECHO) {
        socket.pipe(socket);
      } else {
        socket.destroy(new Error(`unknown job ${job}`));
      }
    });
  });
}

/** Sends a file; resolves with the time it took until the server had stored all of it, in seconds. */
async function upload(port, file) {
  const started = performance.now();
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write(STORE);
  fs.createReadStream(file)
    .on('error', (error) => socket.destroy(error))
    .pipe(socket);
  let answer = '';
  for await (const text of socket) answer += text;
  if (Number(answer) !== FILE_BYTES) throw new Error(`the server stored ${answer} bytes`);
  return (performance.now() - started) / 1000;
}

/** Fetches the stored file; resolves with the time it took, in seconds. */
async function download(port, file) {
  const started = performance.now();
  const socket = connect(port, '127.0.0.1');
  const output = fs.createWriteStream(file);
  socket.on('error', (error) => output.destroy(error));
  socket.end(FETCH);
  socket.pipe(output);
  await once(output, 'finish');
  return (performance.now() - started) / 1000;
}

/**
 * One client that sends messages (a length of four bytes, then that many bytes) and checks their echoes.
 * Resolves with what it sent, what came back, and the round-trip times in milliseconds.
 */
function exchangeMessages(port, seed) {
  const bytes = deterministicBytes(MIB, seed);
  const sentHash = createHash('sha256');
  const receivedHash = createHash('sha256');
  const sentAt = new Float64Array(MESSAGES);
  const roundTrips = new Float64Array(MESSAGES);
  let sent = 0;
  let received = 0;
  let total = 0;
  let rest = Buffer.alloc(0);

  const lengthOf = (index) => 1 + ((index * 31 + seed * 7) % LONGEST_MESSAGE);

  const nextMessage = () => {
    const length = lengthOf(sent);
    const offset = (sent * LONGEST_MESSAGE) % (MIB - LONGEST_MESSAGE);
    const message = Buffer.allocUnsafe(4 + length);
    message.writeUInt32BE(length);
    bytes.copy(message, 4, offset, offset + length);
    return message;
  };

  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });

    const send = () => {
      while (sent < MESSAGES && sent - received < IN_FLIGHT) {
        const message = nextMessage();
        sentHash.update(message);
        total += message.length;
        sentAt[sent] = performance.now();
        sent += 1;
        if (!socket.write(message)) break; // the echo of what is queued brings us back here
      }
    };

    socket.on('connect', () => {
      socket.write(ECHO);
      send();
    });
    socket.on('data', (chunk) => {
      receivedHash.update(chunk);
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const now = performance.now();
      let offset = 0;
      while (data.length - offset >= 4) {
        const length = data.readUInt32BE(offset);
        if (length !== lengthOf(received)) {
          socket.destroy(new Error(`echo ${received} claims to have ${length} bytes`));
          return;
        }
        const end = offset + 4 + length;
        if (end > data.length) break;
        roundTrips[received] = now - sentAt[received];
        received += 1;
        offset = end;
      }
      rest = data.subarray(offset);
      if (received === MESSAGES) socket.end();
      else send();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (received === MESSAGES) {
        const same = sentHash.digest('hex') === receivedHash.digest('hex');
        resolve({ same, total, roundTrips });
      } else {
        reject(new Error(`${received} of ${MESSAGES} messages came back`));
      }
    });
  });
}

async function main(folder, fail) {
  const file = (name) => path.join(folder, name);
  const server = makeServer(file('stored'), fail);
  server.on('error', fail);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  console.log(`A server listens on 127.0.0.1:${port}. Node.js ${process.version}.\n`);

  console.log(`1. A file of ${mebibytes(FILE_BYTES)}, read from disk, sent, and written to disk`);
  makeFile(file('original'));
  const uploadTime = await upload(port, file('original'));
  const downloadTime = await download(port, file('fetched'));
  const [original, stored, fetched] = [
    await hashFile(file('original')),
    await hashFile(file('stored')),
    await hashFile(file('fetched')),
  ];
  const verdict = (hash) => (hash === original ? 'same SHA-256' : `DIFFERENT: SHA-256 ${hash}`);
  const speed = (time) => `${time.toFixed(2)} s, ${number(FILE_BYTES / MIB / time)} MiB/s`;
  console.log(`   made       SHA-256 ${original}`);
  console.log(`   uploaded   ${speed(uploadTime)}, ${verdict(stored)}`);
  console.log(`   downloaded ${speed(downloadTime)}, ${verdict(fetched)}\n`);

  console.log(
    `2. ${CLIENTS} clients at once send ${number(MESSAGES)} messages each and get them back`,
  );
  const started = performance.now();
  const results = await Promise.all(
    Array.from({ length: CLIENTS }, (_, index) => exchangeMessages(port, index + 1)),
  );
  const time = (performance.now() - started) / 1000;
  const bytes = results.reduce((sum, result) => sum + result.total, 0);
  const good = results.filter((result) => result.same).length;
  const trips = new Float64Array(CLIENTS * MESSAGES);
  for (const [index, result] of results.entries()) trips.set(result.roundTrips, index * MESSAGES);
  trips.sort();
  const median = trips[Math.floor(trips.length / 2)].toFixed(2);
  console.log(
    `   echoed     ${number(trips.length)} messages, ${mebibytes(bytes)}, ${time.toFixed(2)} s`,
  );
  console.log(`   rate       ${number(trips.length / time)} messages/s, there and back`);
  console.log(`   round trip ${median} ms median, ${IN_FLIGHT} on the way per client`);
  console.log(`   hashes     same SHA-256 for ${good} of ${CLIENTS} clients\n`);

  server.close();
  await once(server, 'close');
  if (original !== stored || original !== fetched || good !== CLIENTS) {
    throw new Error('something arrived other than it was sent');
  }
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-exchange-'));
const begun = performance.now();

/** Ends the process, whatever is still open. */
function finish(error) {
  fs.rmSync(scratch, { recursive: true, force: true });
  const elapsed = `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  if (error) console.error(`Failed after ${elapsed}: ${error.stack || error}`);
  else console.log(`Everything arrived as it was sent (${elapsed} in all).`);
  process.exit(error ? 1 : 0);
}

setTimeout(() => finish(new Error('not finished within the time limit')), TIME_LIMIT);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => finish(new Error(signal)));
main(scratch, finish).then(() => finish(), finish);
