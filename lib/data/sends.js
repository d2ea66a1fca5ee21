'use strict';
// What was sent and is not with the system yet, so that each `send()` gets its `sent`: a queue of places in the stream of
// bytes where values end.

/** Places behind which the array is made shorter. */
const COMPACT = 1024;

class Sends {
  constructor() {
    /** Bytes of the stream that were added so far. */
    this.total = 0;
    /** @type {number[]} */
    this.ends = [];
    this.head = 0;
  }

  /** Bytes that are no value, in front of all that were added. Nothing has been taken yet. */
  skip(size) {
    this.total += size;
    for (let i = 0; i < this.ends.length; i++) this.ends[i] += size;
  }

  add(size) {
    this.total += size;
    this.ends.push(this.total);
  }

  /** Bytes up to the end of the first value that waits, counted from the last ones that were taken; -1 if none waits. */
  missing(waiting) {
    if (this.head === this.ends.length) return -1;
    return this.ends[this.head] - (this.total - waiting);
  }

  /** The system has taken all but `waiting` bytes. Answers how many values are through. */
  take(waiting) {
    const { ends } = this;
    const taken = this.total - waiting;
    const before = this.head;
    let { head } = this;
    while (head < ends.length && ends[head] <= taken) head++;
    this.head = head;
    if (head === ends.length) {
      this.ends = [];
      this.head = 0;
    } else if (head >= COMPACT && head > ends.length / 2) {
      this.ends = ends.slice(head);
      this.head = 0;
    }
    return head - before;
  }
}

module.exports = { Sends };
