'use strict';
// What the parts of a connection call each other by.

module.exports = {
  kAbandon: Symbol('kAbandon'),
  kDropped: Symbol('kDropped'),
  kFail: Symbol('kFail'),
  kFormat: Symbol('kFormat'),
  kHandle: Symbol('kHandle'),
  kOpen: Symbol('kOpen'),
  kOutbox: Symbol('kOutbox'),
  kSendLater: Symbol('kSendLater'),
  kState: Symbol('kState'),
  kUnrefed: Symbol('kUnrefed'),
};
