'use strict';
// Keeps a number of connects under way; each connection is reset as soon as it stands. RST leaves no TIME_WAIT behind,
// which would use up the ports of the machine within seconds.

const { HOST, answer, loadModule } = require('./child');

const net = loadModule();

/** @param {{ port: number, inFlight: number, warmup: number, seconds: number }} options */
function run({ port, inFlight, warmup, seconds }) {
  return new Promise((resolve) => {
    const begin = process.hrtime.bigint() + BigInt(Math.round(warmup * 1e9));
    const end = begin + BigInt(Math.round(seconds * 1e9));
    let total = 0;
    let counted = 0;
    let running = inFlight;

    const open = () => {
      const socket = net.connect({ port, host: HOST });
      socket.on('connect', () => {
        total++;
        socket.resetAndDestroy();
      });
      socket.on('close', () => {
        const now = process.hrtime.bigint();
        if (now >= begin && now < end) counted++;
        if (now < end) open();
        else if (--running === 0) resolve({ rate: counted / seconds, total });
      });
    };
    for (let i = 0; i < inFlight; i++) open();
  });
}

answer({ run });
process.send({ ready: true });
