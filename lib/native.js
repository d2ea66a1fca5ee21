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
    const half = `The native half of 'socket' for ${platform} (Node.js ${process.version})`;
    const refusal = refusalIn(cause);
    const err = new Error(
      refusal !== null
        ? `${half} could not be loaded: ${refusal.message}`
        : `${half} was not found. ` +
            `Either the package for this platform was not installed (reinstall without ` +
            `--omit=optional), or this is a source checkout that was not built ` +
            `(run \`npm run build\` in ${root}; it needs Rust).`,
      { cause },
    );
    err.code = 'ERR_SOCKET_NATIVE_MISSING';
    throw err;
  }
}

/**
 * Of all that was tried, the one that was there: Node may not load addons (`--permission` without `--allow-addons`,
 * `--no-addons`), or the system cannot load this one. Null where there was none.
 */
function refusalIn(err) {
  for (; err instanceof Error; err = err.cause) {
    // The codes of what was tried are lost by `binding.js`.
    if (!err.message.startsWith('Cannot find ')) return err;
  }
  return null;
}

module.exports = load();
