'use strict';

/**
 * The module under test.
 *
 * `SOCKET_TEST_SUBJECT=node:net` runs the same files against Node itself, which proves that a test
 * of standard behaviour is right; a path runs them against any other module. Child processes and
 * workers inherit the variable, so a whole run is always about one subject.
 */

const path = require('node:path');

// With the separator at its end: a file of the folder's name with `.js` beside it would come first.
const name = process.env.SOCKET_TEST_SUBJECT || path.join(__dirname, '..', '..', path.sep);
const subject = require(name);

/** False only when the subject is Node's own net. Never part of the module itself. */
const isOurs = name !== 'node:net';

module.exports = {
  net: subject,
  isOurs,
  /** What to give `t.skip()` in a test of something that only this package promises. */
  SKIP_FOREIGN: 'checks this package alone: nothing to compare in node:net',
};
