'use strict';
// What can go wrong with a value socket, as a code and in words. (What is wrong with a value: `lib/cbor/errors.js`.)

const { codedError } = require('../errors');
const { FaultKind } = require('../native');
const { VERSION } = require('./hello');

/** The codecs by their numbers in a hello. */
const CODECS = { 1: 'CBOR', 2: 'V8', 3: 'JSON' };

const error = (code, message, extra) => codedError(Error, `ERR_DATASOCKET_${code}`, message, extra);

/** Who speaks first with these bytes. The first that fits. @type {[string, (text: string) => boolean][]} */
const STRANGERS = [
  [
    'HTTP',
    (text) => /^(?:GET|PUT|POST|HEAD|PATCH|TRACE|DELETE|CONNECT|OPTIONS|PRI|HTTP)\b/.test(text),
  ],
  ['SSH', (text) => text.startsWith('SSH-')],
  ['TLS', (text) => text.startsWith('\x16\x03') || text.startsWith('\x15\x03')],
  ['a PROXY header', (text) => text.startsWith('PROXY ') || text.startsWith('\r\n\r\n\0\r\nQ')],
  ['SMTP or FTP', (text) => text.startsWith('220')],
  ['text', (text) => /^[\t\n\r\x20-\x7e]+$/.test(text)],
];

/** @param {Buffer} bytes the first that came in place of a hello */
function strangerError(bytes) {
  const text = bytes.latin1Slice(0, bytes.length);
  const [name] = STRANGERS.find(([, fits]) => fits(text)) ?? ['something else'];
  const hex = bytes.toString('hex').replace(/..(?=.)/g, '$& ');
  const looks = name === 'something else' ? name : `what looks like ${name}`;
  return error('PROTOCOL', `The peer is no DataSocket: it sent ${looks} (${hex})`);
}

const noHelloError = () =>
  error('PROTOCOL', 'The connection was closed before the handshake was complete');

const refusedError = () => error('REFUSED', 'The peer refused the connection');

const codecName = (number) => (CODECS[number] ? `${number} (${CODECS[number]})` : number);

/**
 * What came in and is no value.
 * @param {number} kind see `FaultKind`
 * @param {number} number what it counts, or says
 * @param {import('./options').Limits} limits ours
 */
function faultError(kind, number, limits) {
  switch (kind) {
    case FaultKind.OtherVersion:
      return error(
        'VERSION',
        `The peer speaks version ${number} of the protocol, and we ${VERSION}`,
      );
    case FaultKind.OtherCodec:
      return error(
        'CODEC',
        `The peer's values come in codec ${codecName(number)}, and ours in ${codecName(limits.codec)}`,
      );
    case FaultKind.Truncated:
      return error(
        'TRUNCATED',
        `The connection ended inside of a value: at least ${number} bytes are missing`,
      );
    case FaultKind.TooLong:
      return error(
        'TOO_LARGE',
        `A value of ${number} bytes came in, more than maxMessageSize (${limits.maxMessageSize})`,
      );
    case FaultKind.TooDeep:
      return error('DECODE', `More than ${limits.maxDepth} levels came in, in ${number} bytes`);
    default:
      return error('DECODE', `${number} bytes came in that are not JSON`);
  }
}

/** Found out when the peer has said its limit: `send()` throws where it is known. */
const queuedTooLargeError = (size, limit) =>
  error(
    'TOO_LARGE',
    `A queued value of ${size} bytes is more than the peer's maxMessageSize (${limit})`,
  );

const bufferFullError = (waiting, limit) =>
  error(
    'BUFFER_FULL',
    `${waiting} bytes wait to be sent, more than maxBufferedAmount (${limit}): the peer does not read them fast enough. ` +
      "The connection is closed. When send() answers false, wait for 'sent' until bufferedAmount is small.",
  );

const closedError = () =>
  codedError(Error, 'ERR_SOCKET_CLOSED', 'The socket is closed: the value cannot be sent');

const listeningError = () =>
  codedError(Error, 'ERR_INVALID_STATE', 'A listening socket has nobody to send to');

const overloadError = () =>
  error('OVERLOAD', 'Too many connections wait for their handshake; this one had waited longest');

const constructorError = () =>
  codedError(
    TypeError,
    'ERR_ILLEGAL_CONSTRUCTOR',
    'DataSocket.connect() and DataSocket.listen() make sockets',
  );

module.exports = {
  bufferFullError,
  closedError,
  constructorError,
  faultError,
  listeningError,
  noHelloError,
  overloadError,
  queuedTooLargeError,
  refusedError,
  strangerError,
};
