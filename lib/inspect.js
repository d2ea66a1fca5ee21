'use strict';
// How `console.log()` and `util.inspect()` show sockets whose state is private: without this, as `{}`.

/** Node's name for the method, which needs no `require`. */
const kInspect = Symbol.for('nodejs.util.inspect.custom');

/**
 * @param {Function} Class
 * @param {(object: any) => Record<string, unknown>} membersOf what is shown beside the object's own properties
 */
function defineInspect(Class, membersOf) {
  const value = function inspectSocket(depth, options, inspect) {
    const name = this.constructor?.name ?? Class.name;
    if (depth < 0) return `[${name}]`;
    let members = {};
    try {
      members = membersOf(this);
    } catch {
      // It is none, and has the prototype alone.
    }
    const own = Object.fromEntries(Object.entries(this));
    const inner = typeof options.depth === 'number' ? options.depth - 1 : options.depth;
    return `${name} ${inspect({ ...members, ...own }, { ...options, depth: inner })}`;
  };
  Object.defineProperty(Class.prototype, kInspect, { value, writable: true, configurable: true });
}

/** The members of these names. */
const membersNamed =
  (...names) =>
  (object) =>
    Object.fromEntries(names.map((name) => [name, object[name]]));

module.exports = { defineInspect, membersNamed };
