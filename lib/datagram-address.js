'use strict';
// Addresses of datagrams, between text and the integers that the engine takes and gives
// (`put_address` in `src/core/datagram/run.rs`).

const { isIP } = require('node:net');
const { endpointOf, interfaceName } = require('./net/address');

/** Of an address' first integer, beside the port: it is one of IPv6. */
const IPV6 = 1 << 16;

/** Addresses that are remembered: parsing one costs more than sending a datagram to it should. */
const REMEMBERED = 1024;

/**
 * An IP address for the engine.
 * @typedef {object} Target
 * @property {string} address as it was given
 * @property {4 | 6} family
 * @property {number[]} words IPv4's address; or the four parts of IPv6's, and its scope
 * @property {boolean} isMulticast
 * @property {boolean} isAny every address of the machine
 * @property {boolean} isNowhere its zone is no interface's, now
 */

/** @type {Map<string, Target | null>} */
let targets = new Map();

/** The target of an IP address, with a zone if need be; null if it is none. @param {string} address */
function targetOf(address) {
  const known = targets.get(address);
  if (known !== undefined) return known;
  const target = parse(address);
  if (targets.size >= REMEMBERED) targets = new Map();
  // An interface's number may be another one tomorrow.
  const hasScope = target !== null && (target.words[4] > 0 || address.includes('%'));
  if (!hasScope) targets.set(address, target);
  return target;
}

/** @returns {Target | null} */
function parse(address) {
  const family = isIP(address);
  if (family === 4) {
    const [a, b, c, d] = address.split('.').map(Number);
    const word = (a << 24) | (b << 16) | (c << 8) | d;
    return {
      address,
      family,
      words: [word],
      isMulticast: a >= 224 && a < 240,
      isAny: word === 0,
      isNowhere: false,
    };
  }
  if (family !== 6) return null;
  const { address: text, scopeId = 0 } = endpointOf(address, 0);
  const words = wordsOfIPv6(text);
  return {
    address,
    family,
    words: [...words, scopeId],
    isMulticast: words[0] >>> 24 === 0xff,
    isAny: words.every((word) => word === 0),
    isNowhere: scopeId === 0 && address.includes('%'),
  };
}

/** The four parts of an IPv6 address. @param {string} text */
function wordsOfIPv6(text) {
  const [head, tail] = text.split('::').map(groupsOf);
  const groups = [...head];
  if (tail !== undefined) {
    while (groups.length + tail.length < 8) groups.push(0);
    groups.push(...tail);
  }
  return [0, 2, 4, 6].map((i) => (groups[i] << 16) | groups[i + 1]);
}

/** `1:ffff`, or `ffff:1.2.3.4`, as numbers of 16 bits. */
function groupsOf(text) {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [parseInt(group, 16)];
    const [a, b, c, d] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

/** The text of an IPv4 address. @param {number} word */
const textOfIPv4 = (word) =>
  `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;

/**
 * The text of an IPv6 address as RFC 5952 has it.
 * @param {ArrayLike<number>} words
 * @param {number} at where in `words` it begins
 */
function textOfIPv6(words, at) {
  const groups = [];
  for (let i = at; i < at + 4; i++) groups.push(words[i] >>> 16, words[i] & 0xffff);
  const [start, end] = longestZeros(groups);
  const hex = (part) => part.map((group) => group.toString(16)).join(':');
  const text =
    end > start ? `${hex(groups.slice(0, start))}::${hex(groups.slice(end))}` : hex(groups);
  const scopeId = words[at + 4];
  return scopeId === 0 ? text : `${text}%${interfaceName(scopeId)}`;
}

/** Where the longest row of at least two zeros is, the first of those that are equally long. */
function longestZeros(groups) {
  let [start, end] = [0, 0];
  for (let i = 0; i < groups.length; i++) {
    let j = i;
    while (j < groups.length && groups[j] === 0) j++;
    if (j - i >= 2 && j - i > end - start) [start, end] = [i, j];
    if (j > i) i = j;
  }
  return [start, end];
}

module.exports = { IPV6, targetOf, textOfIPv4, textOfIPv6 };
