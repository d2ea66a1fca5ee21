'use strict';
// Bytes that wait, in the order in which they are to go: a queue of buffers of which some may go in part.

const { Buffer } = require('node:buffer');

/** Small pieces are joined to pieces of this size: each costs a call of the system. */
const JOIN = 64 * 1024;

class Backlog {
  constructor() {
    /** Bytes that are left. */
    this.length = 0;
    /** Where what is left of the first begins. */
    this.offset = 0;
    /** @type {(Buffer | undefined)[]} */
    this.pieces = [];
    /** Which of them is the first that has something left: those before it are gone. */
    this.head = 0;
  }

  /** @param {Buffer} bytes nobody else's, and not empty */
  push(bytes) {
    this.pieces.push(bytes);
    this.length += bytes.length;
  }

  /** The first piece, with the next ones if they are small; what is left of it begins at `offset`. */
  first() {
    const { pieces } = this;
    const first = pieces[this.head];
    if (this.offset > 0 || first.length >= JOIN || this.head + 1 === pieces.length) return first;
    let length = 0;
    let end = this.head;
    while (end < pieces.length && length < JOIN) length += pieces[end++].length;
    const joined = Buffer.concat(pieces.slice(this.head, end), length);
    pieces.fill(undefined, this.head, end);
    this.head = end - 1;
    pieces[this.head] = joined;
    return joined;
  }

  /** So many bytes of the first piece have gone. */
  consume(bytes) {
    this.length -= bytes;
    this.offset += bytes;
    if (this.length === 0) this.clear();
    else if (this.offset === this.pieces[this.head].length) {
      this.offset = 0;
      this.pieces[this.head++] = undefined;
    }
  }

  clear() {
    this.length = 0;
    this.offset = 0;
    this.pieces = [];
    this.head = 0;
  }
}

module.exports = { Backlog };
