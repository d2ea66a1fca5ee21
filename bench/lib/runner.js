'use strict';
// Runs the rows: both sides in turn, so that whatever else the machine does meets both.

const { descriptorLimit } = require('./proc');
const { median, medians } = require('./stats');
const { within } = require('./time');
const { formatRatio, formatValue } = require('./format');

/**
 * @typedef {object} Line  one line of the report
 * @property {string} id
 * @property {string} title
 * @property {string} metric  which number of the samples
 * @property {keyof typeof import('./format').UNITS} unit
 * @property {'more' | 'less'} better
 * @property {number | null} target  the ratio to reach; null: for information
 * @property {string} [section]  the table it stands in, if not the one about the sockets
 * @property {string} [work]  its row there
 * @property {string} [other]  its column there
 *
 * @typedef {object} Row  one measurement, which may fill several lines
 * @property {string} id
 * @property {import('./options').Options['sides']} [sides]  what it compares, if not the two modules of the options
 * @property {number} [descriptors]  how many a process needs at once
 * @property {(side: import('./options').Side, options: import('./options').Options)
 *   => Promise<Record<string, number>>} sample  starts everything anew and measures once
 * @property {Line[]} lines
 *
 * @typedef {object} Result  a line with its numbers
 * @property {string} id
 * @property {string} title
 * @property {string} unit
 * @property {'more' | 'less'} better
 * @property {number | null} target
 * @property {number} [ours]  median
 * @property {number} [base]  median
 * @property {number | null} [ratio]  median of the pairs' ratios, ours ÷ base
 * @property {number | null} [min]
 * @property {number | null} [max]
 * @property {boolean | null} [pass]
 * @property {string} [section]
 * @property {string} [work]
 * @property {string} [other]
 * @property {boolean} [absolute]  the target is about `ours`, not about the ratio
 * @property {string} [error]  why there are no numbers
 */

/** Above the sum of the limits inside a sample; only catches what those overlook. */
const SAMPLE_LIMIT = 180;

/**
 * @param {Row[]} rows
 * @param {import('./options').Options} options
 * @returns {Promise<{ results: Result[], details: object[] }>}
 */
async function runAll(rows, options) {
  const results = [];
  const details = [];
  const begin = Date.now();
  for (const [index, row] of rows.entries()) {
    const place = `[${String(index + 1).padStart(2)}/${rows.length}]`;
    try {
      const pairs = await runRow(row, options, place);
      for (const line of row.lines) results.push(summarise(line, pairs));
      details.push(detail(row, pairs));
    } catch (error) {
      console.log(`${place} ${row.id}: FAILED\n${error.message}`);
      for (const { metric: _, ...line } of row.lines)
        results.push({ ...line, error: error.message });
    }
    const elapsed = (Date.now() - begin) / 1000;
    const left = (elapsed / (index + 1)) * (rows.length - index - 1);
    console.log(`${' '.repeat(place.length)} ${clock(elapsed)} gone, about ${clock(left)} left`);
  }
  return { results, details };
}

/**
 * @param {Row} row
 * @param {import('./options').Options} options
 * @param {string} place
 */
async function runRow(row, options, place) {
  // Some for the runtime itself.
  const needed = (row.descriptors ?? 0) + 100;
  if (descriptorLimit() < needed) {
    throw new Error(`needs ${needed} descriptors, allowed are ${descriptorLimit()}: see ulimit -n`);
  }
  const { ours, base } = row.sides ?? options.sides;
  const pairs = [];
  for (let i = 1; i <= options.pairs; i++) {
    const sample = (side) => within(row.sample(side, options), SAMPLE_LIMIT, row.id);
    const pair = { ours: await sample(ours), base: await sample(base) };
    for (const [name, value] of [...Object.entries(pair.ours), ...Object.entries(pair.base)]) {
      if (!Number.isFinite(value)) throw new Error(`${name} is ${value}`);
    }
    pairs.push(pair);
    const [line] = row.lines;
    const [a, b] = [pair.ours[line.metric], pair.base[line.metric]];
    console.log(
      `${place} ${row.id} ${i}/${options.pairs}: ${ours.label} ${formatValue(a, line.unit)}, ` +
        `${base.label} ${formatValue(b, line.unit)}, ratio ${formatRatio(a / b)}`,
    );
  }
  return pairs;
}

/**
 * @param {Line} line
 * @param {Record<'ours' | 'base', Record<string, number>>[]} pairs
 * @returns {Result}
 */
function summarise({ metric, ...line }, pairs) {
  const ratios = pairs.map(({ ours, base }) => ours[metric] / base[metric]);
  const ratio = median(ratios);
  return {
    ...line,
    ours: median(pairs.map(({ ours }) => ours[metric])),
    base: median(pairs.map(({ base }) => base[metric])),
    ratio,
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    pass: judge(line, ratio),
  };
}

/**
 * Judges what the table shows: 0.996 is printed as 1.00 and reaches 1.00.
 *
 * @returns {boolean | null} null without a target
 */
function judge({ target, better }, ratio) {
  if (target === null) return null;
  const shown = Number(formatRatio(ratio));
  return better === 'more' ? shown >= target : shown <= target;
}

/** Everything a row measured, for those who look for the reason behind a ratio. */
function detail(row, pairs) {
  const of = (side) => pairs.map((pair) => pair[side]);
  return {
    id: row.id,
    medians: { ours: medians(of('ours')), base: medians(of('base')) },
    samples: { ours: of('ours'), base: of('base') },
  };
}

/** @param {number} seconds */
function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
}

module.exports = { runAll };
