'use strict';
// A UDP socket as a pair of streams.

const { ReadableStream, WritableStream } = globalThis;

/** Datagrams that wait in the readable stream before the socket stops to receive. */
const AHEAD = 64;

/**
 * @typedef {object} Datagram
 * @property {Uint8Array} data
 * @property {string} remoteAddress
 * @property {number} remotePort
 */

/** What is received, as a stream. */
class DatagramSource {
  /** @param {{ receive(on: boolean): void }} socket */
  constructor(socket) {
    this.controller = null;
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.controller = controller;
        },
        pull: () => socket.receive(true),
        cancel: () => {
          this.controller = null;
          socket.receive(false);
        },
      },
      { highWaterMark: AHEAD },
    );
    this.socket = socket;
  }

  /** @param {ArrayBuffer} data */
  push(data, remoteAddress, remotePort) {
    const { controller } = this;
    if (controller === null) return;
    controller.enqueue({ data: new Uint8Array(data), remoteAddress, remotePort });
    if (controller.desiredSize <= 0) this.socket.receive(false);
  }

  /** The socket is closed; with a reason, it failed. */
  end(reason) {
    const { controller } = this;
    this.controller = null;
    if (reason === null) controller?.close();
    else controller?.error(reason);
  }
}

/** What is to be sent, as a stream. */
class DatagramSink {
  #controller = null;
  /** Whoever waits for the system to take what was sent. */
  #go = null;

  /**
   * @param {{ send(data: any, address?: string, port?: number): boolean, whenSent(): Promise<void>, abort(): void }}
   *   socket
   */
  constructor(socket) {
    this.stream = new WritableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      write: (chunk) => this.#write(socket, chunk),
      close: () => socket.whenSent(),
      abort: () => {
        this.#controller = null;
        socket.abort();
      },
    });
  }

  /** All is with the system. */
  drained() {
    this.#go?.();
    this.#go = null;
  }

  /** The socket is closed. */
  end(reason) {
    this.#controller?.error(reason);
    this.#controller = null;
    this.drained();
  }

  /** A datagram with its destination, or what `send()` takes alone. */
  #write(socket, chunk) {
    const isDatagram = typeof chunk === 'object' && chunk !== null && 'data' in chunk;
    const mayGoOn = isDatagram
      ? socket.send(chunk.data, chunk.remoteAddress, chunk.remotePort)
      : socket.send(chunk);
    if (mayGoOn || this.#controller === null) return undefined;
    return new Promise((resolve) => {
      this.#go = resolve;
    });
  }
}

module.exports = { DatagramSink, DatagramSource };
