'use strict';

/** A process at the other end of two pipes, which sends and receives values with their length before them. */

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { decode, encode } = require('socket/cbor');

/** @param {Uint8Array} bytes */
function framed(bytes) {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
}

/**
 * Sends values to a program and collects what it answers until it ends.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {unknown[]} values
 * @returns {Promise<unknown[]>}
 */
async function converse(command, args, values) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  // It may end before it has read everything, and then says why.
  child.stdin.on('error', () => {});
  child.stdin.end(Buffer.concat(values.map((value) => framed(encode(value)))));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
  return unframed(Buffer.concat(chunks));
}

function unframed(bytes) {
  const values = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    values.push(decode(bytes.subarray(at + 4, end)));
    at = end;
  }
  return values;
}

/** A Python that has a module, or null. Debian's modules belong to the system's own Python. */
function findPython(module = 'cbor2') {
  for (const command of ['python3', '/usr/bin/python3']) {
    const found = spawnSync(command, ['-c', `import ${module}`], {
      stdio: 'ignore',
      timeout: 30_000,
    });
    if (found.status === 0) return command;
  }
  return null;
}

module.exports = { converse, findPython, framed };
