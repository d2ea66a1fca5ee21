'use strict';

/** Pausing, reading by hand, encodings and corks: the sizes of chunks are fixed by waiting. */

module.exports = async ({ HOST, call, callback, line, mask, net, once, peer, settle, watch }) => {
  const server = net.createServer({ pauseOnConnect: true });
  server.listen(0, HOST);
  await once(server, 'listening');
  mask(server.address().port, 'SERVER');
  const open = async (name, opts) => {
    const accepted = once(server, 'connection');
    const other = peer.connect(server.address().port, HOST);
    other.setNoDelay(true);
    const [conn] = await accepted;
    watch(name, conn, opts);
    return { conn, other };
  };

  const paused = await open('paused on connect');
  paused.other.write('early');
  await settle();
  call('paused on connect', 'isPaused', () => paused.conn.isPaused());
  paused.conn.resume();
  await once(paused.conn, 'data');
  call('paused on connect', 'pause', () => paused.conn.pause() === paused.conn);
  paused.other.write('one');
  await settle();
  paused.other.end('two');
  await settle();
  paused.conn.resume();
  await settle();

  const manual = await open('by hand', { flow: false });
  manual.conn.on('readable', () => {
    for (let part; (part = manual.conn.read(4)) !== null;) line('by hand', `read ${part}`);
  });
  manual.other.end('0123456789');
  await settle();

  const text = await open('encoding');
  text.conn.setEncoding('utf8');
  text.conn.resume();
  for (const byte of Buffer.from('a€b')) {
    text.other.write(Buffer.from([byte]));
    await settle();
  }
  text.other.end();
  await settle();

  const corked = await open('corked');
  let got = '';
  corked.other.on('data', (chunk) => (got += chunk));
  corked.conn.cork();
  call('corked', 'write', () => corked.conn.write('a', callback('corked', 'a')));
  call('corked', 'write', () => corked.conn.write('b', callback('corked', 'b')));
  await settle();
  line('corked', `before: ${got}`);
  corked.conn.uncork();
  await settle();
  line('corked', `after: ${got}`);
  corked.conn.end();
  await settle();
  corked.other.destroy();
  corked.conn.destroy();
  server.close();
};
