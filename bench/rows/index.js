'use strict';
// The rows of the report, in its order. A new row is a file here; what runs under test is in
// ../programs.

const cost = require('./cost');

module.exports = {
  rows: [
    ...require('./pingpong'),
    ...require('./echo'),
    ...require('./bulk').rows,
    ...require('./connections'),
    ...require('./tls'),
    ...require('./idle'),
    ...cost.rows,
  ],
  /** Results that follow from others. */
  derived: [cost.flatness],
};
