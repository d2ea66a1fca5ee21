'use strict';
// The chart: one bar per ratio, on a logarithmic scale, so that twice as good and half as good are
// equally long. Where less is better the ratio is inverted: to the right is always better.

const GOOD = '#2e7d4f';
const BAD = '#b3462f';
const INK = '#333333';

/**
 * @param {import('./runner').Result[]} results
 * @param {import('./options').Options['sides']} sides
 * @returns {Promise<string>} an SVG
 */
async function draw(results, sides) {
  // vega is an ES module.
  const vega = await import('vega');
  const view = new vega.View(vega.parse(spec(results.flatMap(bar), sides)), { renderer: 'none' });
  return `${await view.toSVG()}\n`;
}

/** @param {import('./runner').Result} result */
function bar({ title, better, ratio, min, max, target, error, absolute }) {
  if (error || absolute) return [];
  const times = (value) => (better === 'more' ? value : 1 / value);
  const [low, high] = [times(min), times(max)].sort((a, b) => a - b);
  const value = times(ratio);
  const goal = target === null ? null : times(target);
  const label = `${value.toFixed(2)}×`;
  return [{ title, value, low, high, goal, label }];
}

/** @param {string} field  the part of a bar that is placed on the scale of ratios */
function x(field) {
  return { scale: 'x', field };
}

function spec(bars, sides) {
  const middle = { scale: 'y', field: 'title', band: 0.5 };
  const reach = bars.flatMap(({ value, low, high, goal }) => [value, low, high, goal ?? 1]);
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    background: 'white',
    padding: 12,
    width: 520,
    height: 24 * Math.max(bars.length, 1),
    title: {
      text: `${sides.ours.label} against ${sides.base.label}: times better`,
      subtitle: 'bar: median · line: all pairs · mark: target · right of 1 is better',
      anchor: 'start',
      color: INK,
      subtitleColor: INK,
      offset: 12,
    },
    data: [
      { name: 'bars', values: bars },
      { name: 'goals', source: 'bars', transform: [{ type: 'filter', expr: 'datum.goal' }] },
    ],
    scales: [
      {
        name: 'x',
        type: 'log',
        range: 'width',
        // Room for the labels on both sides, and never so narrow that noise looks large.
        domain: [Math.min(0.5, ...reach) / 1.2, Math.max(2, ...reach) * 1.3],
        zero: false,
      },
      {
        name: 'y',
        type: 'band',
        range: 'height',
        domain: { data: 'bars', field: 'title' },
        padding: 0.3,
      },
    ],
    axes: [
      {
        orient: 'bottom',
        scale: 'x',
        grid: true,
        values: [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 10, 20],
        format: '~g',
        domain: false,
      },
      { orient: 'left', scale: 'y', ticks: false, domain: false, labelPadding: 8, labelLimit: 320 },
    ],
    marks: [
      {
        type: 'rect',
        from: { data: 'bars' },
        encode: {
          enter: {
            x: { scale: 'x', value: 1 },
            x2: x('value'),
            y: { scale: 'y', field: 'title' },
            height: { scale: 'y', band: 1 },
            fill: [{ test: 'datum.value >= 1', value: GOOD }, { value: BAD }],
            fillOpacity: { value: 0.8 },
          },
        },
      },
      {
        type: 'rule',
        from: { data: 'bars' },
        encode: {
          enter: { x: x('low'), x2: x('high'), y: middle, stroke: { value: INK } },
        },
      },
      {
        type: 'rect',
        from: { data: 'goals' },
        encode: {
          enter: {
            xc: x('goal'),
            width: { value: 3 },
            y: { scale: 'y', field: 'title' },
            height: { scale: 'y', band: 1 },
            fill: { value: INK },
          },
        },
      },
      {
        type: 'rule',
        encode: {
          enter: {
            x: { scale: 'x', value: 1 },
            y: { value: 0 },
            y2: { signal: 'height' },
            stroke: { value: INK },
          },
        },
      },
      {
        type: 'text',
        from: { data: 'bars' },
        encode: {
          enter: {
            // Beyond everything else that is drawn in the row.
            x: { scale: 'x', signal: 'max(datum.value, datum.high, datum.goal || 1, 1)' },
            dx: { value: 6 },
            y: middle,
            text: { field: 'label' },
            baseline: { value: 'middle' },
            fontSize: { value: 11 },
            fill: { value: INK },
          },
        },
      },
    ],
  };
}

module.exports = { draw };
