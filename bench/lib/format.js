'use strict';

/** @type {Record<string, (value: number) => string>} */
const UNITS = {
  us: (v) => `${v.toFixed(1)} µs`,
  rate: (v) => `${grouped(v)}/s`,
  bytes: (v) => `${(v / 1e9).toFixed(2)} GB/s`,
  cpuPerGB: (v) => `${v.toFixed(0)} ms/GB`,
  cpuPerMessage: (v) => `${v.toFixed(2)} µs`,
  memory: (v) => `${(v / 1024).toFixed(2)} KiB`,
  times: (v) => `${v.toFixed(2)}×`,
};

/** Three digits matter; the rest of a rate is noise. */
function grouped(value) {
  const digits = Math.max(0, Math.floor(Math.log10(Math.max(value, 1))) - 2);
  return (Math.round(value / 10 ** digits) * 10 ** digits).toLocaleString('en');
}

/**
 * @param {number} value
 * @param {string} unit
 */
function formatValue(value, unit) {
  return UNITS[unit](value);
}

/** @param {number} ratio */
function formatRatio(ratio) {
  return ratio.toFixed(2);
}

/** @param {import('./runner').Result} result */
function formatTarget({ target, better }) {
  if (target === null) return '–';
  return `${better === 'more' ? '≥' : '≤'} ${formatRatio(target)}`;
}

module.exports = { UNITS, formatRatio, formatTarget, formatValue };
