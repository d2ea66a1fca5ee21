'use strict';

const path = require('node:path');
const { parseArgs } = require('node:util');

const ROOT = path.resolve(__dirname, '../..');

const HELP = `npm run bench -- [options]

Compares this package with node:net over loopback, row by row, alternating.

  --only REGEX     only rows whose id matches, e.g. --only 'echo-50|accept'
  --list           show the ids of all rows
  --pairs N        measurements of each side per row (default 5)
  --seconds S      measured seconds per sample (default 2)
  --warmup S       seconds before that (default 0.5)
  --quick          2 pairs of 0.5 s and fewer idle connections: does it work, not how fast it is
  --ours MODULE    module of the one side (default: this repository; env BENCH_OURS)
  --base MODULE    module of the other (default: node:net; env BENCH_BASE)
  --no-write       do not update docs/ and README.md
  --strict         exit code 2 when a target is missed

Both sides the same (--ours net) is the check that the harness is fair: every ratio is about 1.
A partial run (--only, --quick, another module) leaves its files in target/bench/: the published
tables are of one run, so that no row is there that was measured until it pleased.
`;

/**
 * @typedef {object} Options
 * @property {RegExp} only
 * @property {number} pairs
 * @property {number} seconds
 * @property {number} warmup
 * @property {boolean} quick
 * @property {boolean} strict
 * @property {boolean} list
 * @property {boolean} publish  whether docs/ and README.md are written
 * @property {{ ours: Side, base: Side }} sides
 *
 * @typedef {{ label: string, module: string, isSecure?: boolean }} Side
 */

/**
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} env
 * @returns {Options | null} null when help was asked for
 */
function parse(argv, env) {
  const { values } = parseArgs({
    args: argv,
    options: {
      base: { type: 'string', default: env.BENCH_BASE },
      help: { type: 'boolean', short: 'h' },
      list: { type: 'boolean', default: false },
      'no-write': { type: 'boolean', default: false },
      only: { type: 'string' },
      ours: { type: 'string', default: env.BENCH_OURS },
      pairs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      strict: { type: 'boolean', default: false },
      warmup: { type: 'string' },
    },
  });
  if (values.help) return null;

  const quick = values.quick;
  const partial = quick || values.only !== undefined || values.ours || values.base;
  return {
    only: new RegExp(values.only ?? ''),
    pairs: Math.ceil(positive('--pairs', values.pairs, quick ? 2 : 5)),
    seconds: positive('--seconds', values.seconds, quick ? 0.5 : 2),
    warmup: positive('--warmup', values.warmup, quick ? 0.2 : 0.5),
    quick,
    strict: values.strict,
    list: values.list,
    publish: !partial && !values['no-write'],
    sides: {
      ours: values.ours ? custom(values.ours) : { label: 'socket', module: ROOT },
      base: values.base ? custom(values.base) : { label: 'node:net', module: 'node:net' },
    },
  };
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {number} fallback
 */
function positive(name, text, fallback) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new Error(`${name} is a number above 0`);
  return value;
}

/**
 * Paths become absolute, because the programs under test resolve them from their own folder. The
 * label never shows one: reports must not carry paths of a machine.
 *
 * @param {string} name
 * @returns {Side}
 */
function custom(name) {
  if (name === 'net' || name === 'node:net') return { label: 'node:net', module: 'node:net' };
  if (!/^[./]/.test(name)) return { label: name, module: name };
  const module = path.resolve(name);
  return { label: module === ROOT ? 'socket' : path.basename(module), module };
}

module.exports = { HELP, ROOT, parse };
