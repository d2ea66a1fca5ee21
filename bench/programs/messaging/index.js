'use strict';
// Ways to send and receive text messages over one connection, behind one small interface, so that every side runs the
// same program:
//
//   serve(onPeer) → port       connect(port) → peer
//   peer.send(text) → whether to go on at once; if not, peer.ondrain is called
//   peer.take(text), or peer.takeAll(texts) if the side gives several at once

const ways = {
  framed: () => require('./framed').coalesced,
  plain: () => require('./framed').plain,
  raw: () => require('./raw'),
  ws: () => require('./ws'),
  zeromq: () => require('./zeromq'),
};

/** @param {string} name one of the above, or the path of this package; with `#batch` it gives messages in batches */
module.exports = (name) => {
  if (name in ways) return ways[name]();
  const [module, mode] = name.split('#');
  return require('./socket')(module, mode === 'batch');
};
