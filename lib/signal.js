'use strict';

/**
 * Calls `onabort` when a signal is aborted, at once if it is already. Answers what ends that: a signal may live as long
 * as the program, and what is closed is not to be kept by it.
 *
 * @param {AbortSignal | null | undefined} signal
 * @param {(reason: unknown) => void} onabort
 */
function watchAbort(signal, onabort) {
  if (signal == null) return () => {};
  if (signal.aborted) {
    onabort(signal.reason);
    return () => {};
  }
  const listener = () => onabort(signal.reason);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

module.exports = { watchAbort };
