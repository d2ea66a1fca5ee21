'use strict';
// `opened` and `closed`: promises that are made when somebody asks for them, and whose rejection nobody has to handle.

const nothing = () => {};

class Milestone {
  /** What became of it, or null. @type {{ isRejected: boolean, value: unknown } | null} */
  #outcome = null;
  /** @type {Promise<any> | null} */
  #promise = null;
  #resolve = nothing;
  #reject = nothing;

  get isSettled() {
    return this.#outcome !== null;
  }

  /** The same one each time. */
  get promise() {
    if (this.#promise === null) {
      this.#promise = new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
      });
      this.#promise.catch(nothing);
      this.#settle();
    }
    return this.#promise;
  }

  resolve(value) {
    this.#outcome ??= { isRejected: false, value };
    this.#settle();
  }

  reject(reason) {
    this.#outcome ??= { isRejected: true, value: reason };
    this.#settle();
  }

  #settle() {
    if (this.#outcome === null) return;
    const { isRejected, value } = this.#outcome;
    if (isRejected) this.#reject(value);
    else this.#resolve(value);
  }
}

module.exports = { Milestone };
