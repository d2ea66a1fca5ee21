'use strict';
// Ways to send and receive values over one connection, behind one small interface, so that every side runs the same program:
//
//   serve(onPeer) → port       connect(port) → peer
//   peer.send(value) → whether to go on at once; if not, peer.ondrain is called
//   peer.take(value)

const ways = {
  framed: () => require('./framed').framed,
  lines: () => require('./lines'),
  stream: () => require('./stream'),
};

/** @param {string} name one of the above, or the path of this package */
module.exports = (name) => (name in ways ? ways[name]() : require('./socket')(name));
