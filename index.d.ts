/**
 * Everything that `require('socket')` gives. Each API has a file of its own; `socket/net` is the `net` API alone.
 */
import * as tls from './tls';

export * from './net';
export { tls };
