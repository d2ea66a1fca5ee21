/** The same as `index.d.ts`, for `import`: every name, and all of them as the default export. */
import socket = require('./index.js');

export * from './index.js';
export default socket;
