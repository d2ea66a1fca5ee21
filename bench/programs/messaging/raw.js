'use strict';
// The other end of the frames, with as little work as possible: counts bytes, and sends frames that were made before.

const net = require('node:net');
const { HOST } = require('../child');
const { writeHeader } = require('./framed');

const BLOCK = 256 * 1024;

module.exports = {
  /** @returns {Promise<{ bytes: number }>} what has come so far */
  pull(port) {
    const seen = { bytes: 0 };
    const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
    const callback = (length) => {
      seen.bytes += length;
      return true;
    };
    const socket = net.connect({ port, host: HOST, onread: { buffer, callback } });
    return new Promise((resolve) => socket.once('connect', () => resolve(seen)));
  },

  /** Sends the message over and over. */
  push(port, text) {
    const frame = Buffer.alloc(5 + Buffer.byteLength(text));
    const header = writeHeader(frame, 0, Buffer.byteLength(text));
    const length = header + frame.utf8Write(text, header);
    const count = Math.ceil(BLOCK / length);
    const block = Buffer.concat(Array(count).fill(frame.subarray(0, length)));
    const socket = net.connect(port, HOST);
    const pump = () => {
      while (socket.write(block));
    };
    socket.on('drain', pump);
    return new Promise((resolve) => {
      socket.once('connect', () => {
        pump();
        resolve();
      });
    });
  },
};
