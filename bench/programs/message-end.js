'use strict';
// One end of an exchange of text messages: `node message-end.js 'way|role|size|port'`; the ways are in
// messaging/index.js.
//
// | role | does |
// | --- | --- |
// | source | a server that sends as fast as it may |
// | sink | a server that counts what it gets |
// | echo | a server that sends back what it gets |
// | pull | connects and counts what it gets |
// | push | connects and sends frames that were made before |
// | ask | connects, and sends the next message when the last has come back |

const { answer } = require('./child');
const { ask, pour } = require('./exchange');
const wayOf = require('./messaging');

const [name, role, sizeText, portText] = process.argv[2].split('|');
const size = Number(sizeText);
const port = Number(portText);

/** Different ones, as in life: none of them is a string that was built by joining others. */
const messages = Array.from({ length: 64 }, (_, i) =>
  Buffer.from(`message ${i} `.padEnd(size, 'abcdefghij')).toString('latin1', 0, size),
);

let count = 0;

function countOne(text) {
  if (text.length !== size) throw new Error(`a message of ${text.length} characters`);
  count += 1;
}

function countAll(texts) {
  for (let i = 0; i < texts.length; i++) countOne(texts[i]);
}

const nth = (n) => messages[n & 63];

const servers = {
  source: (peer) => pour(peer, nth),
  sink(peer) {
    peer.take = countOne;
    peer.takeAll = countAll;
  },
  echo(peer) {
    peer.take = (text) => peer.send(text);
  },
};

async function main() {
  const way = wayOf(name);
  let reply = () => count;
  let p50 = () => 0;
  if (role in servers) {
    const listening = await way.serve(servers[role]);
    process.send({ ready: true, port: listening });
  } else {
    if (role === 'push') await way.push(port, messages[0]);
    else if (role === 'ask') p50 = ask(await way.connect(port), nth, countOne);
    else if (way.pull) {
      const seen = await way.pull(port);
      const frame = size + (size < 255 ? 1 : 5);
      reply = () => seen.bytes / frame;
    } else servers.sink(await way.connect(port));
    process.send({ ready: true, port: 0 });
  }
  answer({
    count: () => ({ count: reply(), at: performance.now() }),
    p50: () => p50(),
  });
}

main();
