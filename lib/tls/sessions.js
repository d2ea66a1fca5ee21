'use strict';
// Sessions to resume. Node hands them out as the bytes of a ticket; here they stay with the engine, and
// the program gets a Buffer that stands for them within this process (and this thread).

const { Buffer } = require('node:buffer');
const { randomBytes } = require('node:crypto');
const { TlsSessions } = require('../native');

/** Sessions that a program may bring back. The oldest goes when there are more. */
const REMEMBERED = 1000;
const TOKEN_LENGTH = 32;

/** @type {Map<string, TlsSessions>} */
const known = new Map();

/** A Buffer for the sessions of a connection. */
function tokenFor(sessions) {
  const token = randomBytes(TOKEN_LENGTH);
  known.set(token.toString('latin1'), sessions);
  if (known.size > REMEMBERED) known.delete(known.keys().next().value);
  return token;
}

/** The sessions that a Buffer stands for; new ones for anything else, as Node takes a stale ticket. */
function memoryOf(token) {
  const found =
    token?.length === TOKEN_LENGTH ? known.get(Buffer.from(token).toString('latin1')) : null;
  return found ?? new TlsSessions();
}

module.exports = { memoryOf, tokenFor };
