'use strict';
// `DataSocket`: any JavaScript value in, the same value out.

const { DataSocket } = require('./data/socket');

// A plain name, so that Node.js finds it for `import { … }` as well.
module.exports = { DataSocket };
