'use strict';

/**
 * Whether two values are the same in everything the codec promises: kind, order, −0 and NaN, holes,
 * and which parts are one and the same object. It shares no code with the codec, and looks at
 * properties where `assert.deepStrictEqual` leaves some out.
 */

const { types } = require('node:util');

/**
 * @param {unknown} left
 * @param {unknown} right
 * @returns {string | null} null when they are the same, otherwise where and how they differ
 */
function difference(left, right) {
  /** What corresponds to what, in both directions. */
  const pairs = [new Map(), new Map()];
  const todo = [['value', left, right]];
  while (todo.length > 0) {
    const [path, a, b] = todo.pop();
    const found = compare(path, a, b, pairs, todo);
    if (found !== null) return `${path}: ${found}`;
  }
  return null;
}

function compare(path, a, b, [there, back], todo) {
  const isObject = (value) => typeof value === 'object' && value !== null;
  if (!isObject(a) || !isObject(b)) {
    return Object.is(a, b) ? null : `${show(a)} is not ${show(b)}`;
  }
  if (there.has(a) || back.has(b)) {
    return there.get(a) === b && back.get(b) === a
      ? null
      : 'one object on one side, two on the other';
  }
  there.set(a, b);
  back.set(b, a);
  const [kind, otherKind] = [kindOf(a), kindOf(b)];
  if (kind !== otherKind) return `${kind} is not ${otherKind}`;
  return COMPARISONS[kind](a, b, path, todo);
}

function kindOf(value) {
  if (Array.isArray(value)) return 'array';
  if (ArrayBuffer.isView(value)) return 'view';
  if (types.isAnyArrayBuffer(value)) return 'memory';
  if (types.isDate(value)) return 'date';
  if (types.isRegExp(value)) return 'regexp';
  if (types.isMap(value)) return 'map';
  if (types.isSet(value)) return 'set';
  if (types.isNativeError(value) || value instanceof DOMException) return 'error';
  return 'object';
}

const COMPARISONS = {
  array(a, b, path, todo) {
    if (a.length !== b.length) return `${a.length} elements, not ${b.length}`;
    for (let i = 0; i < a.length; i++) {
      if (i in a !== i in b) return `a hole at ${i} on one side`;
      todo.push([`${path}[${i}]`, a[i], b[i]]);
    }
    return null;
  },

  object(a, b, path, todo) {
    return classes(a, b) ?? members(a, b, path, todo);
  },

  map(a, b, path, todo) {
    if (a.size !== b.size) return `${a.size} entries, not ${b.size}`;
    const others = [...b];
    [...a].forEach(([key, value], i) => {
      todo.push([`${path}.key${i}`, key, others[i][0]], [`${path}.value${i}`, value, others[i][1]]);
    });
    return null;
  },

  set(a, b, path, todo) {
    if (a.size !== b.size) return `${a.size} members, not ${b.size}`;
    const others = [...b];
    [...a].forEach((item, i) => todo.push([`${path}.item${i}`, item, others[i]]));
    return null;
  },

  view(a, b) {
    return classes(a, b) ?? sameBytes(a, b);
  },

  memory(a, b) {
    return sameBytes(new Uint8Array(a), new Uint8Array(b));
  },

  date(a, b) {
    return Object.is(a.getTime(), b.getTime()) ? null : `${a.getTime()} is not ${b.getTime()}`;
  },

  regexp(a, b) {
    return a.source === b.source && a.flags === b.flags ? null : `${a} is not ${b}`;
  },

  error(a, b, path, todo) {
    const found = classes(a, b);
    if (found !== null) return found;
    for (const name of ['name', 'message']) {
      if (a[name] !== b[name]) return `the ${name} ${show(a[name])} is not ${show(b[name])}`;
    }
    for (const name of ['cause', 'errors']) {
      if (Object.hasOwn(a, name) !== Object.hasOwn(b, name)) return `one has ${name}`;
      todo.push([`${path}.${name}`, a[name], b[name]]);
    }
    return members(a, b, path, todo);
  },
};

/** By prototype: a `constructor` may be data. */
function classes(a, b) {
  const [prototype, other] = [a, b].map(Object.getPrototypeOf);
  if (prototype === other) return null;
  return `an instance of ${prototype?.constructor.name} is not one of ${other?.constructor.name}`;
}

/** Own enumerable properties, in order. */
function members(a, b, path, todo) {
  const [keys, others] = [a, b].map(Object.keys);
  if (JSON.stringify(keys) !== JSON.stringify(others)) {
    return `the keys ${keys.join()} are not ${others.join()}`;
  }
  for (const key of keys) {
    const [own, other] = [a, b].map((value) => Object.getOwnPropertyDescriptor(value, key).value);
    todo.push([`${path}.${key}`, own, other]);
  }
  return null;
}

function sameBytes(a, b) {
  const [left, right] = [a, b].map((view) =>
    Buffer.from(view.buffer, view.byteOffset, view.byteLength),
  );
  return left.equals(right) ? null : 'other bytes';
}

function show(value) {
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'object' && value !== null) return `an object (${kindOf(value)})`;
  return `${String(value).slice(0, 40)} (${typeof value})`;
}

module.exports = { difference };
