'use strict';
// One end of an exchange of values: `node value-end.js 'way|role|payload|port'`; the ways are in values/index.js, the
// payloads in ../lib/payloads.js.
//
// | role | does |
// | --- | --- |
// | source | a server that sends as fast as it may |
// | echo | a server that sends back what it gets |
// | sink | connects and counts what it gets |
// | ask | connects, and sends the next value when the last has come back |

const payloads = require('../lib/payloads');
const { answer } = require('./child');
const { ask, pour } = require('./exchange');
const wayOf = require('./values');

const [name, role, payload, portText] = process.argv[2].split('|');

/** Different ones, as in life. */
const values = Array.from({ length: 64 }, (_, i) => ({ ...payloads[payload], id: 184_000 + i }));
const nth = (n) => values[n & 63];

let count = 0;

function take(value) {
  if (!(value.id >= 184_000)) throw new Error('another value than was sent');
  count += 1;
}

const servers = {
  source: (peer) => pour(peer, nth),
  echo(peer) {
    peer.take = (value) => peer.send(value);
  },
};

async function main() {
  const way = wayOf(name);
  let p50 = () => 0;
  let port = 0;
  if (role in servers) port = await way.serve(servers[role]);
  else {
    const peer = await way.connect(Number(portText));
    if (role === 'ask') p50 = ask(peer, nth, take);
    else peer.take = take;
  }
  process.send({ ready: true, port });
  answer({ count: () => ({ count, at: performance.now() }), p50: () => p50() });
}

main();
