'use strict';
// The engine's own methods and accessors, as functions of the instance: which may have others of the same name.

const uncurry = (method) => Function.prototype.call.bind(method);
const getter = (prototype, name) => uncurry(Object.getOwnPropertyDescriptor(prototype, name).get);

const TypedArray = Object.getPrototypeOf(Uint8Array);

/** Of a kind of view: its memory, where it begins there, and its bytes. */
const placeIn = ({ prototype }) =>
  ['buffer', 'byteOffset', 'byteLength'].map((name) => getter(prototype, name));

module.exports = {
  TypedArray,
  getter,
  placeOfDataView: placeIn(DataView),
  placeOfTypedArray: placeIn(TypedArray),
  uncurry,
};
