'use strict';
// Points in time: milliseconds in JavaScript, seconds in tag 1.

/**
 * @param {number} milliseconds
 * @returns {number | null} null where seconds would not give the same milliseconds back
 */
function secondsOf(milliseconds) {
  const seconds = milliseconds / 1000;
  return millisecondsOf(seconds) === milliseconds ? seconds : null;
}

/** @param {number} seconds with any fraction */
function millisecondsOf(seconds) {
  return Math.round(seconds * 1000);
}

module.exports = { millisecondsOf, secondsOf };
