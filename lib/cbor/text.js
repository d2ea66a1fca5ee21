'use strict';
// Text as bytes and back, where the engine's own conversions do not do: lone surrogates, which UTF-8
// has no form for, and invalid bytes, which they replace instead of refusing.
//
// The form of lone surrogates is WTF-8: UTF-8 in which a surrogate takes three bytes like any other
// character of its size. A pair of surrogates takes four bytes, as in UTF-8.

const { Buffer } = require('node:buffer');

/**
 * Writes any string as WTF-8, which is UTF-8 when nothing in it stands alone. There must be room for
 * three bytes per unit of the string.
 *
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {string} text
 * @returns {number} the end of what was written
 */
function writeWtf8(bytes, at, text) {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    let unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[at++] = unit;
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else {
      const next = (unit & 0xfc00) === 0xd800 && i + 1 < length ? text.charCodeAt(i + 1) : 0;
      if ((next & 0xfc00) === 0xdc00) {
        i++;
        unit = 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
        bytes[at++] = 0xf0 | (unit >> 18);
        bytes[at++] = 0x80 | ((unit >> 12) & 0x3f);
      } else {
        bytes[at++] = 0xe0 | (unit >> 12);
      }
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[at++] = 0x80 | (unit & 0x3f);
    }
  }
  return at;
}

/**
 * Reads WTF-8 into UTF-16, strictly: no overlong form, nothing beyond U+10FFFF, and no pair of
 * surrogates in six bytes.
 *
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @returns {string | null} null when the bytes are something else
 */
function readWtf8(bytes, start, end) {
  // No form is shorter in bytes than in units.
  const units = new Uint16Array(end - start);
  let count = 0;
  let at = start;
  while (at < end) {
    const lead = bytes[at++];
    if (lead < 0x80) {
      units[count++] = lead;
      continue;
    }
    const more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (lead < 0xc2 || lead > 0xf4 || at + more > end) return null;
    let point = lead & (0x3f >> more);
    for (let i = 0; i < more; i++) {
      const byte = bytes[at++];
      if ((byte & 0xc0) !== 0x80) return null;
      point = (point << 6) | (byte & 0x3f);
    }
    if (more === 2 && point < 0x800) return null;
    if (more === 3) {
      if (point < 0x10000 || point > 0x10ffff) return null;
      units[count++] = 0xd800 + ((point - 0x10000) >> 10);
      units[count++] = 0xdc00 + (point & 0x3ff);
      continue;
    }
    // A first half at the end of the units came in three bytes: in four it has its second half along.
    if ((point & 0xfc00) === 0xdc00 && (units[count - 1] & 0xfc00) === 0xd800) return null;
    units[count++] = point;
  }
  return Buffer.from(units.buffer, 0, count * 2).toString('utf16le');
}

module.exports = { readWtf8, writeWtf8 };
