'use strict';
// A word with the allocator about large results.

/** Not so little that it does not matter, and not so much that it would be missed. */
const SMALLEST = 64 * 1024;
const LARGEST = 2 * 1024 * 1024;

/** @type {{ last: Buffer | null }} */
const kept = { last: null };

/**
 * Keeps the memory of the last large result alive until the next one. A program that has nothing large
 * in use between two of them makes the allocator give the memory back to the system each time, and to
 * get it anew costs several times what it costs to fill it.
 *
 * @param {Buffer} memory
 */
function keepForAllocator(memory) {
  const { length } = memory;
  if (length >= SMALLEST) kept.last = length <= LARGEST ? memory : null;
}

module.exports = { keepForAllocator };
