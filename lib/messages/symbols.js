'use strict';
// What the parts of a connection call each other by.

module.exports = {
  kAbandon: Symbol('kAbandon'),
  kAdd: Symbol('kAdd'),
  kClosed: Symbol('kClosed'),
  kDropped: Symbol('kDropped'),
  kFail: Symbol('kFail'),
  kFormat: Symbol('kFormat'),
  kHandle: Symbol('kHandle'),
  kLeave: Symbol('kLeave'),
  kLost: Symbol('kLost'),
  kOpen: Symbol('kOpen'),
  kOutbox: Symbol('kOutbox'),
  kSendLater: Symbol('kSendLater'),
  kState: Symbol('kState'),
  kUnrefed: Symbol('kUnrefed'),
};
