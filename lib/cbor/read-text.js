'use strict';
// Text from bytes.

const { Buffer, isUtf8 } = require('node:buffer');
const { input, malformed } = require('./input');

/** Up to so many bytes, text is put together here; above, a call of the engine is faster. */
const SHORT = 24;
/** Up to so many bytes it pays to look whether all is ASCII, for which the engine has a faster way. */
const MEDIUM = 128;
/** What the engine puts in the place of invalid bytes. */
const REPLACEMENT = '\ufffd';

const { fromCharCode } = String;
const { latin1Slice, utf8Slice } = Buffer.prototype;

/**
 * @param {number} at
 * @param {number} length in bytes, all of which are there
 * @returns {string}
 */
function textAt(at, length) {
  if (length <= SHORT) {
    const text = shortAsciiAt(at, length);
    if (text !== null) return text;
  } else if (length <= MEDIUM) {
    const { bytes } = input;
    const end = at + length;
    let all = 0;
    for (let i = at; i < end; i++) all |= bytes[i];
    if (all < 0x80) return latin1Slice.call(bytes, at, end);
  }
  return utf8At(at, length);
}

function utf8At(at, length) {
  const { bytes } = input;
  const end = at + length;
  let text;
  try {
    text = utf8Slice.call(bytes, at, end);
  } catch {
    throw malformed(`Text of ${length} bytes is longer than a string can be`, at);
  }
  // It may also have been in the text as it is.
  if (text.includes(REPLACEMENT) && !isUtf8(bytes.subarray(at, end))) {
    throw malformed('Text that is not valid UTF-8', at);
  }
  return text;
}

/**
 * At most 24 bytes; null when not all of them are ASCII. Written out, because a call with a fixed
 * number of arguments is compiled into code that fills a string.
 */
function shortAsciiAt(at, length) {
  const { bytes } = input;
  if (length < 4) {
    if (length === 0) return '';
    const a = bytes[at];
    if (length === 1) return a > 0x7f ? null : fromCharCode(a);
    const b = bytes[at + 1];
    if (length === 2) return (a | b) > 0x7f ? null : fromCharCode(a, b);
    const c = bytes[at + 2];
    return (a | b | c) > 0x7f ? null : fromCharCode(a, b, c);
  }
  const a = bytes[at];
  const b = bytes[at + 1];
  const c = bytes[at + 2];
  const d = bytes[at + 3];
  if ((a | b | c | d) > 0x7f) return null;
  if (length < 8) {
    if (length === 4) return fromCharCode(a, b, c, d);
    const e = bytes[at + 4];
    if (length === 5) return e > 0x7f ? null : fromCharCode(a, b, c, d, e);
    const f = bytes[at + 5];
    if (length === 6) return (e | f) > 0x7f ? null : fromCharCode(a, b, c, d, e, f);
    const g = bytes[at + 6];
    return (e | f | g) > 0x7f ? null : fromCharCode(a, b, c, d, e, f, g);
  }
  const e = bytes[at + 4];
  const f = bytes[at + 5];
  const g = bytes[at + 6];
  const h = bytes[at + 7];
  if ((e | f | g | h) > 0x7f) return null;
  if (length < 12) {
    if (length === 8) return fromCharCode(a, b, c, d, e, f, g, h);
    const i = bytes[at + 8];
    if (length === 9) return i > 0x7f ? null : fromCharCode(a, b, c, d, e, f, g, h, i);
    const j = bytes[at + 9];
    if (length === 10) return (i | j) > 0x7f ? null : fromCharCode(a, b, c, d, e, f, g, h, i, j);
    const k = bytes[at + 10];
    return (i | j | k) > 0x7f ? null : fromCharCode(a, b, c, d, e, f, g, h, i, j, k);
  }
  const i = bytes[at + 8];
  const j = bytes[at + 9];
  const k = bytes[at + 10];
  const l = bytes[at + 11];
  if ((i | j | k | l) > 0x7f) return null;
  if (length < 16) {
    if (length === 12) return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l);
    const m = bytes[at + 12];
    if (length === 13) return m > 0x7f ? null : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m);
    const n = bytes[at + 13];
    if (length === 14)
      return (m | n) > 0x7f ? null : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
    const o = bytes[at + 14];
    return (m | n | o) > 0x7f ? null : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
  }
  const m = bytes[at + 12];
  const n = bytes[at + 13];
  const o = bytes[at + 14];
  const p = bytes[at + 15];
  if ((m | n | o | p) > 0x7f) return null;
  if (length < 20) {
    if (length === 16) return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    const q = bytes[at + 16];
    if (length === 17)
      return q > 0x7f ? null : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
    const r = bytes[at + 17];
    if (length === 18)
      return (q | r) > 0x7f
        ? null
        : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
    const s = bytes[at + 18];
    return (q | r | s) > 0x7f
      ? null
      : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s);
  }
  const q = bytes[at + 16];
  const r = bytes[at + 17];
  const s = bytes[at + 18];
  const t = bytes[at + 19];
  if ((q | r | s | t) > 0x7f) return null;
  if (length < 24) {
    if (length === 20)
      return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
    const u = bytes[at + 20];
    if (length === 21)
      return u > 0x7f
        ? null
        : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u);
    const v = bytes[at + 21];
    if (length === 22)
      return (u | v) > 0x7f
        ? null
        : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
    const w = bytes[at + 22];
    return (u | v | w) > 0x7f
      ? null
      : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w);
  }
  const u = bytes[at + 20];
  const v = bytes[at + 21];
  const w = bytes[at + 22];
  const x = bytes[at + 23];
  return (u | v | w | x) > 0x7f
    ? null
    : fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x);
}

module.exports = { textAt };
