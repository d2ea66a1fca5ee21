'use strict';

/**
 * Multicast groups. The numbers are those of the acceptance cases of the contract. What is not for the loopback interface
 * runs in a network namespace of its own, where the system lets us make one.
 */

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { test } = require('node:test');
const { runJson } = require('./helpers/child');
const { HOST, TIMEOUT, event, received, throwsDom, udpKit } = require('./helpers/udp');

const opts = { timeout: TIMEOUT };
const GROUP = '239.1.2.3';

/** Makes a namespace with two interfaces and a cable between them; answers its name, or null. */
function namespace(t) {
  const name = `socket-test-${process.pid}`;
  const ip = (words) => spawnSync('ip', words.split(' '), { encoding: 'utf8' }).status === 0;
  if (process.platform !== 'linux' || !ip(`netns add ${name}`)) return null;
  t.after(() => ip(`netns del ${name}`));
  const inside = (words) => ip(`-n ${name} ${words}`);
  const isMade =
    inside('link add one type veth peer name two') &&
    ['one', 'two', 'lo'].every((link) => inside(`link set ${link} up`)) &&
    inside('addr add 10.99.0.1/24 dev one') &&
    inside('addr add 10.99.0.2/24 dev two') &&
    // An address that nobody has is given up soon.
    inside('ntable change name arp_cache dev one retrans 20 mcast_probes 2') &&
    // Without the test whether somebody else has them, which takes a second.
    ['one', 'two'].every((link, i) => inside(`addr add fe80::${i + 1}/64 dev ${link} nodad`));
  return isMade ? name : null;
}

test(
  '59, 61: on a real interface; and what the system has no room for waits',
  { timeout: 60_000 },
  async (t) => {
    const name = namespace(t);
    if (name === null) {
      t.skip('no network namespace can be made here: that takes Linux, ip(8) and root');
      return;
    }
    const prefix = ['ip', 'netns', 'exec', name];
    const result = await runJson('udp-multicast', [], { prefix, timeout: 40_000 });
    const both = ['to the group', 'to you'];
    assert.deepEqual(result.with, both);
    assert.deepEqual(result.without, ['to you']);
    assert.deepEqual(result.left, {
      joined: [['239.10.20.30'], both],
      after: [[], ['to you']],
    });
    assert.ok(result.peers.list.includes('ours'));
    assert.ok(result.peers.heard.includes('ours from 10.99.0.1'));
    assert.deepEqual(result.six.first.sort(), both);
    assert.deepEqual(result.six.zone.sort(), both);
    assert.deepEqual(result.six.joinedGroups, ['ff02::1234%one']);
    const { count, name: error, code, state } = result.many;
    assert.ok(count >= 20);
    assert.deepEqual([error, code, state], ['NetworkError', 'ENOBUFS', 'open']);

    const { waiting, ...full } = result.full;
    assert.ok(waiting > 10_000 && waiting < 100_000, `${waiting} bytes wait`);
    const expected = { first: true, last: false, bufferedAmount: 0, list: ['behind'], errors: [] };
    assert.deepEqual(full, expected);
    assert.deepEqual(result.refilled, { first: 0, left: [0, 0] });
  },
);

test('59b: on the loopback interface', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind({ loopback: true, multicastInterface: HOST });
  assert.equal(socket.loopback, true);
  const mine = received(socket);
  socket.joinMulticastGroup(GROUP);
  assert.deepEqual(socket.joinedGroups, [GROUP]);
  socket.send('mine', GROUP, socket.localPort);
  await mine.atLeast(1);

  // Sending needs no join, and others hear it.
  const { socket: theirs } = await peer('udp4', '0.0.0.0');
  theirs.setMulticastInterface(HOST);
  theirs.send('theirs', socket.localPort, GROUP);
  await mine.atLeast(2);
  assert.deepEqual(mine.texts(), ['mine', 'theirs']);
});

test('a socket that is bound to a group', opts, async (t) => {
  if (process.platform === 'win32') {
    t.skip('Windows binds no group');
    return;
  }
  const { bind, peer } = udpKit(t);
  const socket = bind({ localAddress: GROUP, multicastInterface: null });
  assert.equal(socket.localAddress, GROUP);
  const onLoopback = bind({ localAddress: GROUP, multicastInterface: HOST });
  const mine = received(onLoopback);
  onLoopback.joinMulticastGroup(GROUP);
  const { socket: theirs } = await peer();
  theirs.setMulticastInterface(HOST);
  theirs.send('to the group', onLoopback.localPort, GROUP);
  await mine.atLeast(1);
});

test('60: groups that are none, joined twice, and not joined', opts, (t) => {
  const { bind } = udpKit(t);
  const socket = bind({ multicastInterface: HOST });
  for (const address of ['10.0.0.1', 'x', '', null, 5, 'ff02::1', '240.0.0.1', '223.255.255.255']) {
    throwsDom(() => socket.joinMulticastGroup(address), 'InvalidAccessError');
    throwsDom(() => socket.leaveMulticastGroup(address), 'InvalidAccessError');
  }
  assert.throws(() => socket.joinMulticastGroup(), TypeError);
  assert.throws(() => socket.leaveMulticastGroup(), TypeError);
  throwsDom(() => socket.leaveMulticastGroup(GROUP), 'InvalidStateError');
  socket.joinMulticastGroup(GROUP);
  throwsDom(() => socket.joinMulticastGroup(GROUP), 'InvalidStateError');
  socket.joinMulticastGroup('224.0.0.251');
  assert.deepEqual(socket.joinedGroups, [GROUP, '224.0.0.251']);
  socket.leaveMulticastGroup(GROUP);
  throwsDom(() => socket.leaveMulticastGroup(GROUP), 'InvalidStateError');
  socket.joinMulticastGroup(GROUP);
  assert.equal(socket.readyState, 'open');

  const six = bind({ localAddress: '::1' });
  for (const address of [GROUP, '::1', 'fe80::1', 'ff2::1']) {
    throwsDom(() => six.joinMulticastGroup(address), 'InvalidAccessError');
  }
});

test('an interface that is none is refused by name', opts, () => {
  const { UDPSocket } = require('socket/web');
  for (const multicastInterface of ['nowhere0', '203.0.113.1', 5]) {
    throwsDom(() => new UDPSocket({ multicastInterface }), 'InvalidAccessError');
  }
});

/** Receives one datagram and tells how many hops it might still take. */
const HOPS = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 12, 1) # IP_RECVTTL of Linux
s.bind(('0.0.0.0', 0))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('${GROUP}') + socket.inet_aton('${HOST}'))
print(s.getsockname()[1], flush=True)
for _ in range(2):
    data, anc, flags, addr = s.recvmsg(100, 100)
    ttl = [int.from_bytes(value, sys.byteorder) for level, kind, value in anc if kind == socket.IP_TTL]
    print(data.decode(), ttl[0], flush=True)
`;

test('ttl and multicastTTL', opts, async (t) => {
  if (process.platform !== 'linux' || spawnSync('python3', ['-V']).status !== 0) {
    t.skip('needs python3 on Linux');
    return;
  }
  const python = spawn('python3', ['-c', HOPS], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => python.kill('SIGKILL'));
  let out = '';
  const line = (count) =>
    new Promise((resolve) => {
      const look = () => out.split('\n').length > count && resolve(out.split('\n'));
      python.stdout.on('data', look);
      look();
    });
  python.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  const [port] = await line(1);
  const socket = udpKit(t).bind({
    ttl: 33,
    multicastTTL: 3,
    loopback: true,
    multicastInterface: HOST,
  });
  const failed = event(socket, 'error').then(({ error }) => assert.fail(error));
  socket.send('one', HOST, port);
  socket.send('group', GROUP, port);
  const lines = await Promise.race([line(3), failed]);
  assert.deepEqual(lines.slice(1, 3), ['one 33', 'group 3']);
});

test(
  'a zone that is no interface is an error, and no other interface is taken',
  opts,
  async (t) => {
    const { bind } = udpKit(t);
    const socket = bind({ localAddress: '::1' });
    for (const act of [
      () => socket.joinMulticastGroup('ff02::1234%nosuch0'),
      () => socket.leaveMulticastGroup('ff02::1234%nosuch0'),
      () => socket.send('x', 'fe80::1%nosuch0', 9),
    ]) {
      throwsDom(act, 'InvalidAccessError');
    }
    assert.deepEqual(socket.joinedGroups, []);
  },
);
