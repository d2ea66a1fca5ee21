'use strict';
// The web streams of a TCP socket, which are made when somebody asks for them.

const { exception } = require('./exceptions');

const { ReadableStream, WritableStream } = globalThis;

/** Bytes that may lie in a readable stream before the peer is held back. */
const HIGH_WATER_MARK = 65_536;

/** What is received, as a stream of bytes. */
class ByteSource {
  /** @param {import('./connection').Connection} connection */
  constructor(connection) {
    this.connection = connection;
    this.controller = null;
    /** The stream is not full. */
    this.wants = true;
    /** Nobody reads any more. */
    this.isOver = false;
    this.stream = new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          this.controller = controller;
        },
        pull: () => this.setWants(true),
        cancel: () => {
          this.isOver = true;
          this.setWants(true);
        },
      },
      { highWaterMark: HIGH_WATER_MARK },
    );
  }

  setWants(wants) {
    if (wants === this.wants) return;
    this.wants = wants;
    this.connection.updateReading();
  }

  /** @param {ArrayBuffer} data nobody else's */
  take(data) {
    if (this.isOver) return;
    this.controller.enqueue(new Uint8Array(data));
    if (this.controller.desiredSize <= 0) this.setWants(false);
  }

  end() {
    if (this.isOver) return;
    this.isOver = true;
    try {
      this.controller.close();
    } catch {
      // Somebody's memory of larger elements has a part of one: that has failed the stream.
      return;
    }
    // Somebody waits with memory of his own.
    this.controller.byobRequest?.respond(0);
  }

  fail(error) {
    if (this.isOver) return;
    this.isOver = true;
    this.controller.error(error);
  }
}

/** What is to be sent. A write is done when the socket takes more. */
class DataSink {
  /** @param {import('./connection').Connection} connection */
  constructor(connection) {
    this.connection = connection;
    this.controller = null;
    /** The write or the close under way. @type {{ isDone(): boolean, resolve(): void, reject(reason: unknown): void } | null} */
    this.pending = null;
    this.stream = new WritableStream({
      start: (controller) => {
        this.controller = controller;
        // An `abort` of the sink's would come only when the write under way is done.
        controller.signal.addEventListener('abort', () => connection.closeImmediately());
      },
      write: (data) => {
        if (connection.send(data)) return undefined;
        return this.until(() => connection.sender.amount === 0);
      },
      close: () => {
        connection.halfclose();
        return this.until(() => connection.hasSentEnd);
      },
    });
  }

  until(isDone) {
    // What was dropped does not wait, either.
    if (this.connection.failure !== null) throw this.connection.failure;
    if (isDone()) return undefined;
    return new Promise((resolve, reject) => {
      this.pending = { isDone, resolve, reject };
    });
  }

  /** Something was sent. */
  progress() {
    const { pending } = this;
    if (pending === null || !pending.isDone()) return;
    this.pending = null;
    pending.resolve();
  }

  fail(error) {
    this.pending?.reject(error);
    this.pending = null;
    // Aborted, it fails with the reason for that.
    if (!this.controller.signal.aborted) this.controller.error(error);
  }
}

/** What `opened` is fulfilled with. */
class OpenInfo {
  #connection;

  constructor(connection) {
    this.#connection = connection;
    const { local, remote } = connection;
    this.localAddress = local.address;
    this.localPort = local.port;
    this.remoteAddress = remote.address;
    this.remotePort = remote.port;
  }

  get readable() {
    return this.#connection.takeSource().stream;
  }

  get writable() {
    return this.#connection.takeSink().stream;
  }
}

/** What the streams of a socket that was closed by its methods are told. */
const closedByProgram = () => exception('InvalidStateError', 'The socket was closed');

module.exports = { ByteSource, DataSink, OpenInfo, closedByProgram };
