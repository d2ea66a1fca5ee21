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
  SNICallback(serverName, (err, context) => {
    if (isAnswered)
      throw codedError(Error, 'ERR_MULTIPLE_CALLBACK', 'Callback called multiple times');
    isAnswered = true;
    if (isOver()) return;
    if (err) onfailure(err);
    else if (context == null) handle.tlsChoose();
    else if (context.native) handle.tlsChoose(context.native);
    else {
      const message = "The context is not one of this package's createSecureContext";
      onfailure(codedError(TypeError, 'ERR_TLS_INVALID_CONTEXT', message));
    }
  });
}

module.exports = { chooseContext };
