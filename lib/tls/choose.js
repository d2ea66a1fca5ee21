'use strict';
// The context for a client that has said which server it wants (SNI).

const { codedError } = require('../errors');

/**
 * Asks the program's `SNICallback` and answers the handshake.
 *
 * @param {import('../stream-handle').StreamHandle} handle with an unanswered `onnamed`
 * @param {Function} SNICallback as in Node: `(servername, callback)`
 * @param {() => boolean} isOver nobody waits for the answer any more
 * @param {(err: Error) => void} onfailure there is no context
 */
function chooseContext(handle, SNICallback, isOver, onfailure) {
  const { serverName } = handle.tlsHello();
  if (serverName == null) {
    handle.tlsChoose();
    return;
  }
  let isAnswered = false;
  let hasFailed = false;
  const fail = (err) => {
    if (hasFailed) return;
    hasFailed = true;
    // In a tick of its own: what its listeners throw is not thrown by the SNICallback.
    process.nextTick(() => {
      if (!isOver()) onfailure(err);
    });
  };
  const answer = (err, context) => {
    if (isOver()) return;
    if (isAnswered) {
      fail(codedError(Error, 'ERR_MULTIPLE_CALLBACK', 'Callback called multiple times'));
      return;
    }
    isAnswered = true;
    if (err) fail(err);
    else if (context == null) handle.tlsChoose();
    else if (context.native) handle.tlsChoose(context.native);
    else {
      const message = "The context is not one of this package's createSecureContext";
      fail(codedError(TypeError, 'ERR_TLS_INVALID_CONTEXT', message));
    }
  };
  // A name that some client has sent must not end the process: as in Node, that connection alone fails.
  try {
    SNICallback(serverName, answer);
  } catch (err) {
    fail(err);
  }
}

module.exports = { chooseContext };
