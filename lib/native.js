'use strict';
// Loads the native half: a platform package, or a build of this checkout. `binding.js` is made by
// the build and knows the names of both.

const path = require('node:path');

/** @returns {typeof import('../binding')} */
function load() {
  try {
    return require('../binding.js');
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`;
    const root = path.dirname(__dirname);
    const err = new Error(
      `The native half of 'socket' for ${platform} (Node.js ${process.version}) was not found. ` +
        `Either the package for this platform was not installed (reinstall without ` +
        `--omit=optional), or this is a source checkout that was not built ` +
        `(run \`npm run build\` in ${root}; it needs Rust).`,
      { cause },
    );
    err.code = 'ERR_SOCKET_NATIVE_MISSING';
    throw err;
  }
}

module.exports = load();
