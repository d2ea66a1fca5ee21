'use strict';
// The rows of the report, in its order. A new row is a file here; what runs under test is in
// ../programs.

const cost = require('./cost');

module.exports = {
  rows: [
    ...require('./pingpong').rows,
    ...require('./echo').rows,
    ...require('./bulk').rows,
    ...require('./unix'),
    ...require('./messages'),
    ...require('./values'),
    ...require('./web'),
    ...require('./connections'),
    ...require('./tls'),
    ...require('./idle'),
    ...cost.rows,
    ...require('./codec'),
    ...require('./datagrams'),
  ],
  /** Results that follow from others. */
  derived: [cost.flatness],
};
