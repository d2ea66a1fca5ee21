'use strict';
// The same work over Unix sockets. The targets say: no worse than node:net.

const bulk = require('./bulk');
const echo = require('./echo');
const pingpong = require('./pingpong');

/** @type {import('../lib/runner').Row[]} */
module.exports = [
  pingpong.row(true),
  echo.row(50, 1, 1.0, true),
  echo.row(50, 16, 1.0, true),
  ...bulk.both(true),
];
