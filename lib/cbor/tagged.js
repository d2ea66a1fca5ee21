'use strict';

const { invalidType, outOfRange } = require('../errors');
const { REFERENCE, SHAREABLE } = require('./tags');

const LARGEST = 2n ** 64n - 1n;

/**
 * A tagged item that has no counterpart in JavaScript. It is what an unknown tag arrives as, and it
 * may be sent, so that relaying loses nothing.
 */
class Tagged {
  /**
   * @param {number | bigint} tag 0 to 2^64 − 1; a number where it is a safe integer
   * @param {unknown} value
   */
  constructor(tag, value) {
    checkTag(tag);
    this.tag = tag;
    this.value = value;
  }
}

/** @param {unknown} tag */
function checkTag(tag) {
  if (typeof tag === 'number') {
    if (!Number.isSafeInteger(tag) || tag < 0) throw outOfRange('tag', 'an integer >= 0', tag);
    // They number what is shared within one message, which only the encoder can know.
    if (tag === SHAREABLE || tag === REFERENCE) throw outOfRange('tag', 'neither 28 nor 29', tag);
  } else if (typeof tag !== 'bigint') {
    throw invalidType('tag', 'of type number or bigint', tag);
  } else if (tag < 0n || tag > LARGEST) {
    throw outOfRange('tag', '>= 0 and < 2 ** 64', tag);
  }
}

module.exports = { Tagged, checkTag };
