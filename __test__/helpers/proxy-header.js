'use strict';

/** PROXY headers, put together by hand from the protocol's text, and peers that say them. */

const { HOST, peer } = require('./kit');

/** The ends that headers tell of, none of which exists here. */
const CLIENT = { address: '203.0.113.7', port: 56_324 };
const FRONT = { address: '198.51.100.1', port: 443 };
const CLIENT6 = { address: '2001:db8::7', port: 65_535 };
const FRONT6 = { address: '2001:db8::1', port: 1 };

/** For headers, in milliseconds. Where a test is not about time, time has no part in it. */
const LONG = 60_000;

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const COMMAND = { LOCAL: 0x20, PROXY: 0x21 };
const FAMILY = { UNSPEC: 0x00, TCP4: 0x11, UDP4: 0x12, TCP6: 0x21, UNIX: 0x31 };

/** A v2 header around any payload. */
function v2(command, family, ...payload) {
  const rest = Buffer.concat(payload);
  const fixed = Buffer.from([command, family, rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, rest]);
}

const port = (number) => Buffer.from([number >> 8, number & 0xff]);
const ipv4 = (text) => Buffer.from(text.split('.').map(Number));

/** The 16 bytes of an IPv6 address in full or short form. */
function ipv6(text) {
  const [head, tail] = text.split('::');
  const words = (part) => (part ? part.split(':').map((word) => Number.parseInt(word, 16)) : []);
  const [before, after] = [words(head), words(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Buffer.concat([...before, ...zeros, ...after].map(port));
}

/** The address block of a v2 header: `from` and `to` as `{ address, port }`. */
function addresses(from, to) {
  const pack = familyOf(from) === 'ipv4' ? ipv4 : ipv6;
  return Buffer.concat([pack(from.address), pack(to.address), port(from.port), port(to.port)]);
}

const familyOf = ({ address }) => (address.includes(':') ? 'ipv6' : 'ipv4');

/** A v2 header of a TCP connection. `tlvs` go behind the addresses. */
function v2Tcp(from, to, ...tlvs) {
  const family = familyOf(from) === 'ipv4' ? FAMILY.TCP4 : FAMILY.TCP6;
  return v2(COMMAND.PROXY, family, addresses(from, to), ...tlvs);
}

/** A v2 header of a Unix connection between two paths. */
function v2Unix(from, to) {
  const block = Buffer.alloc(216);
  block.write(from, 0, 'latin1');
  block.write(to, 108, 'latin1');
  return v2(COMMAND.PROXY, FAMILY.UNIX, block);
}

/** A v1 line of a TCP connection. */
function v1Tcp(from, to) {
  const protocol = familyOf(from) === 'ipv4' ? 'TCP4' : 'TCP6';
  const fields = [protocol, from.address, to.address, from.port, to.port];
  return Buffer.from(`PROXY ${fields.join(' ')}\r\n`);
}

/** A server behind a proxy. */
function behindProxy(k, options = {}, onConnection = undefined) {
  return k.listen({ proxyProtocol: true, proxyTimeout: LONG, ...options }, onConnection);
}

/** A raw connection that has said `bytes`. */
function say(k, server, bytes = '') {
  const socket = k.own(peer.connect(server.address().port, HOST));
  socket.on('error', () => {});
  if (bytes.length > 0) socket.write(bytes);
  return socket;
}

module.exports = {
  CLIENT,
  CLIENT6,
  COMMAND,
  FAMILY,
  FRONT,
  FRONT6,
  LONG,
  addresses,
  behindProxy,
  say,
  v1Tcp,
  v2,
  v2Tcp,
  v2Unix,
};
