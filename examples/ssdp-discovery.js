'use strict';

// Looks for devices with SSDP, by the W3C's `UDPSocket`: asks the group of UPnP and prints who answers.
//   node examples/ssdp-discovery.js              devices in the network of the default interface
//   node examples/ssdp-discovery.js --loopback   a device that this program plays itself, on this machine alone

const { UDPSocket } = require('..');

const GROUP = '239.255.255.250';
const PORT = 1900;
const SECONDS = 2;

const isAlone = process.argv.includes('--loopback');
/** Where groups are joined and what is sent to them leaves. */
const where = isAlone ? { multicastInterface: '127.0.0.1', loopback: true } : {};

const search = [
  'M-SEARCH * HTTP/1.1',
  `HOST: ${GROUP}:${PORT}`,
  'MAN: "ssdp:discover"',
  `MX: ${SECONDS}`,
  'ST: ssdp:all',
  '',
  '',
].join('\r\n');

/** Answers who asks, as a device does. */
function playDevice() {
  const device = new UDPSocket({ ...where, localPort: PORT });
  device.joinMulticastGroup(GROUP);
  device.onmessage = ({ data, remoteAddress, remotePort }) => {
    if (!Buffer.from(data).toString().startsWith('M-SEARCH ')) return;
    const answer = ['HTTP/1.1 200 OK', 'ST: upnp:rootdevice', 'USN: uuid:of-this-program', '', ''];
    device.send(answer.join('\r\n'), remoteAddress, remotePort);
  };
  return device;
}

const device = isAlone ? playDevice() : null;
// Answers come to the port that asks; only who wants to hear devices announce themselves joins the group.
const socket = new UDPSocket({ ...where, multicastTTL: 2 });
socket.onmessage = ({ data, remoteAddress, remotePort }) => {
  const [, usn = '?'] = /^USN:\s*(.*?)\r?$/im.exec(Buffer.from(data).toString()) ?? [];
  console.log(`${remoteAddress}:${remotePort} ${usn}`);
  if (isAlone) end();
};
socket.onerror = ({ name, message }) => console.error(`${name}: ${message}`);
socket.send(search, GROUP, PORT);

const timer = setTimeout(end, SECONDS * 1000);

function end() {
  clearTimeout(timer);
  socket.close();
  device?.close();
}
