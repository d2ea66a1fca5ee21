'use strict';
// The rows of the report, in its order. A new row is a file here; what runs under test is in
// ../programs.

const cost = require('./cost');

module.exports = {
  rows: [
    ...require('./pingpong'),
    ...require('./echo'),
    ...require('./bulk'),
    ...require('./connections'),
    ...require('./idle'),
    ...cost.rows,
    ...require('./codec'),
  ],
  /** Results that follow from others. */
  derived: [cost.flatness],
};
