'use strict';
// `npm run bench`: this package against node:net. `npm run bench -- --help` lists the options.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const chart = require('./lib/chart');
const load = require('./lib/load');
const { facts } = require('./lib/machine');
const { HELP, ROOT, parse } = require('./lib/options');
const report = require('./lib/report');
const { runAll } = require('./lib/runner');
const { derived, rows: all } = require('./rows');

/**
 * Says early, and in the words of the module itself, that it cannot be loaded. In a process of its
 * own: the harness stays free of the code under test.
 *
 * @param {import('./lib/options').Side} side
 */
function checkModule({ label, module }) {
  const args = ['-e', 'require(process.argv[1])', module];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', timeout: 20_000 });
  if (status !== 0) throw new Error(`${label} cannot be loaded (npm run build builds it)`);
}

/** Installs what only the benchmark compares with. */
function installPeers() {
  if (fs.existsSync(path.join(__dirname, 'node_modules'))) return;
  console.log('Installing what is compared with (npm ci, in bench/) …');
  const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: __dirname, stdio: 'inherit', timeout: 300_000 });
  if (status !== 0) throw new Error('npm ci failed in bench/');
}

/** @returns {Promise<number>} the exit code */
async function main() {
  const options = parse(process.argv.slice(2), process.env);
  if (!options) {
    console.log(HELP);
    return 0;
  }
  const { sides } = options;
  // What compares other things has nothing to say about modules that were named.
  const isUsual = sides.ours.module === ROOT && sides.base.module === 'node:net';
  const rows = all.filter(({ id, sides: own }) => options.only.test(id) && (isUsual || !own));
  if (options.list) {
    for (const { id } of rows) console.log(id);
    return 0;
  }
  if (process.platform !== 'linux') {
    throw new Error('needs Linux: CPU times are read from /proc, and taskset pins processes');
  }
  if (rows.length === 0) throw new Error('no row matches --only; --list shows them');
  for (const side of Object.values(sides)) checkModule(side);

  installPeers();
  if (rows.some((row) => !row.sides)) load.build();
  const machine = facts();
  console.log(`${sides.ours.label} against ${sides.base.label}: ${rows.length} rows`);
  console.log(report.conditions(machine, options));
  const [busy] = os.loadavg();
  if (busy > 0.7)
    console.log(`Load average ${busy.toFixed(1)}: others use this machine, expect noise.`);

  const { results, details } = await runAll(rows, options);
  for (const derive of derived) {
    const result = derive(results);
    if (result) results.push(result);
  }

  console.log(`\n${report.table(results, sides)}\n`);
  const svg = await chart.draw(
    results.filter(({ section }) => !section),
    sides,
  );
  for (const file of await report.write({ machine, results, details, svg }, options)) {
    console.log(`wrote ${file}`);
  }
  const failed = results.filter(({ error }) => error).length;
  const missed = results.filter(({ pass }) => pass === false).length;
  const passed = results.filter(({ pass }) => pass === true).length;
  console.log(`${passed} targets reached, ${missed} missed, ${failed} lines failed`);
  if (failed) return 1;
  return missed && options.strict ? 2 : 0;
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(`bench: ${error.message}`);
    process.exit(1);
  },
);
