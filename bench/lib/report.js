'use strict';
// The table, for the terminal and for Markdown, and the files that keep it.

const fs = require('node:fs');
const path = require('node:path');
const prettier = require('prettier');
const { formatRatio, formatTarget, formatValue } = require('./format');
const { ROOT } = require('./options');

/** What stands before and behind the tables in the documents. */
const marks = (section) => [`<!-- bench:${section} -->`, `<!-- /bench:${section} -->`];

const SKELETON = `# Performance

What \`npm run bench\` measures: this package against \`node:net\` over loopback, both sides in one run
and in turn. Each number is a median, each ratio the median of the ratios of neighbouring
measurements (ours ÷ node:net), with the smallest and the largest beside it. The other end is always
the same external load generator (\`bench/load\`), which shares no code with either side. The table
is written by the benchmark; the text around it is not touched.

${marks('net').join('\n')}

## The codec

\`socket/cbor\` by itself against other codecs, values per second of ours ÷ theirs.

${marks('codec').join('\n')}
`;

/**
 * @param {import('./runner').Result[]} results
 * @param {import('./options').Options['sides']} sides
 * @returns {string[][]} the header and one row per result
 */
function cells(results, sides) {
  const header = ['work', sides.ours.label, sides.base.label, 'ratio', 'spread', 'target', ''];
  const body = results.map((result) => {
    if (result.error) return [result.title, '', '', '', '', formatTarget(result), 'failed'];
    return [
      result.title,
      formatValue(result.ours, result.unit),
      formatValue(result.base, result.unit),
      result.ratio === null ? '' : formatRatio(result.ratio),
      result.ratio === null ? '' : `${formatRatio(result.min)} … ${formatRatio(result.max)}`,
      formatTarget(result),
      { true: 'pass', false: 'miss', null: '' }[String(result.pass)],
    ];
  });
  return [header, ...body];
}

const aboutSockets = (results) => results.filter(({ section }) => !section);

/**
 * One row for each payload and operation, one column for each other codec. The rates differ from
 * column to column by noise only; the first one's is shown.
 *
 * @param {import('./runner').Result[]} results
 * @returns {string[][]} only a header when there are none
 */
function codecTable(results) {
  const codec = results.filter(({ section }) => section === 'codec');
  const others = [...new Set(codec.map(({ other }) => other))];
  const works = [...new Set(codec.map(({ work }) => work))];
  const body = works.map((work) => {
    const list = codec.filter((result) => result.work === work);
    const [{ ours, unit, error }] = list;
    const ratios = others.map((other) => {
      const result = list.find((one) => one.other === other);
      return !result || result.error ? '' : formatRatio(result.ratio);
    });
    return [work, error ? '' : formatValue(ours, unit)].concat(ratios, '');
  });
  return [['work', 'socket/cbor', ...others.map((other) => `÷ ${other}`), ''], ...body];
}

/** Aligned columns: the first and the last to the left, numbers to the right. */
function plain(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const left = (i) => i === 0 || i === widths.length - 1;
  return rows
    .map((row) =>
      row
        .map((cell, i) => (left(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {string[]} row */
function line(row) {
  return `| ${row.join(' | ')} |`;
}

function markdown([header, ...body]) {
  const rule = header.map((_, i) => (i === 0 || i === header.length - 1 ? '---' : '--:'));
  return [line(header), line(rule), ...body.map(line)].join('\n');
}

/** @param {ReturnType<typeof import('./machine').facts>} machine */
function conditions(machine, { pairs, seconds }) {
  return (
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}, ` +
    `TCP with ${machine.congestionControl}, Node ${machine.node}, ${machine.date}; ${pairs} pairs of ${seconds} s each.`
  );
}

/**
 * Replaces what stands between the markers of a file.
 *
 * @returns {Promise<boolean>} whether there were any
 */
async function fill(file, section, text) {
  if (!fs.existsSync(file)) return false;
  const old = fs.readFileSync(file, 'utf8');
  const [begin, end] = marks(section);
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) return false;
  const filled = `${old.slice(0, from)}${begin}\n\n${text}\n\n${old.slice(to)}`;
  // As `npm run format` would have it, so that the lint has nothing to say about a measured table.
  const style = { ...(await prettier.resolveConfig(file)), filepath: file };
  fs.writeFileSync(file, await prettier.format(filled, style));
  return true;
}

/**
 * @param {{ machine: object, results: import('./runner').Result[], details: object[], svg: string }} run
 * @param {import('./options').Options} options
 * @returns {Promise<string[]>} the files written, relative to the repository
 */
async function write({ machine, results, details, svg }, options) {
  const { sides, pairs, seconds, warmup, publish } = options;
  const folder = publish ? 'docs/bench' : 'target/bench';
  const json = {
    machine,
    pairs,
    seconds,
    warmup,
    ours: sides.ours.label,
    base: sides.base.label,
    results,
    details,
  };
  fs.mkdirSync(path.join(ROOT, folder), { recursive: true });
  fs.writeFileSync(path.join(ROOT, folder, 'net.json'), `${JSON.stringify(json, round, 2)}\n`);
  fs.writeFileSync(path.join(ROOT, folder, 'net.svg'), svg);
  const written = [`${folder}/net.json`, `${folder}/net.svg`];
  if (!publish) return written;

  const performance = path.join(ROOT, 'docs/PERFORMANCE.md');
  if (!fs.existsSync(performance)) fs.writeFileSync(performance, SKELETON);
  const text = `${markdown(cells(aboutSockets(results), sides))}\n\n${conditions(machine, options)}`;
  for (const [file, chart] of [
    ['docs/PERFORMANCE.md', 'bench/net.svg'],
    ['README.md', 'docs/bench/net.svg'],
  ]) {
    const alt = 'Ratios of this package to node:net, one bar per row of the table';
    if (await fill(path.join(ROOT, file), 'net', `${text}\n\n![${alt}](${chart})`)) {
      written.push(file);
    }
  }
  const codec = codecTable(results);
  const codecText = `${markdown(codec)}\n\n${conditions(machine, options)}`;
  if (codec.length > 1) await fill(performance, 'codec', codecText);
  return written;
}

/** Six digits are more than any of this is exact to. */
function round(_key, value) {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}

/** @param {import('./runner').Result[]} results */
function table(results, sides) {
  const tables = [cells(aboutSockets(results), sides), codecTable(results)];
  return tables
    .filter((rows) => rows.length > 1)
    .map(plain)
    .join('\n\n');
}

module.exports = { conditions, table, write };
