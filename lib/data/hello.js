'use strict';
// The hello (`src/core/codec/hello.rs`), as it is sent. The engine reads the peer's.

const { Buffer } = require('node:buffer');

const VERSION = 1;
const REFUSED = 1;

/**
 * @param {import('./options').Limits} limits ours
 * @param {boolean} isRefused the peer is not wanted
 */
function hello({ codec, maxMessageSize }, isRefused) {
  const bytes = Buffer.from([
    0xd5,
    0x44,
    0x53,
    0x4b,
    VERSION,
    codec,
    isRefused ? REFUSED : 0,
    0,
    0,
    0,
    0,
    0,
  ]);
  bytes.writeUInt32BE(maxMessageSize, 8);
  return bytes;
}

module.exports = { VERSION, hello };
