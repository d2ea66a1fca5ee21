'use strict';

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The medians of every number in a list of samples.
 *
 * @param {Record<string, number>[]} samples
 * @returns {Record<string, number>}
 */
function medians(samples) {
  const names = Object.keys(samples[0]);
  return Object.fromEntries(names.map((name) => [name, median(samples.map((s) => s[name]))]));
}

module.exports = { median, medians };
