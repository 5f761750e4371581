/**
 * What a chart shows, and what all charts have: an accessible picture, and the same numbers in a table beneath. Pure.
 *
 * The picture is stretched to the width of the page, so its texts are beside it, in HTML: they keep their size on a
 * phone. Colours and sizes are those of the stylesheet, since pages have no inline style.
 */
import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { scrollable } from './parts/row-table.ts';

export interface Chart {
  /** Unique on the page: letters, digits and hyphens. */
  id: string;
  title: string;
  /** A sentence that says what it shows, to those who do not see it. */
  description: string;
  /** What the labels are, such as `Day`. */
  axis: string;
  /** One for each place on the horizontal axis. */
  labels: readonly string[];
  /** At most four: more cannot be told apart. */
  series: readonly ChartSeries[];
}

interface ChartSeries {
  name: string;
  /** One for each label; null where nothing is known. */
  values: readonly (number | null)[];
}

/** Units of the picture. Its height in pixels is the same, its width is that of the page. */
const CHART_WIDTH = 600;
const CHART_HEIGHT = 160;

/**
 * A chart as a figure: the picture, its scale, the names of its series, and the table.
 * @param draw the shapes of the picture
 */
function chartFigure(chart: Chart, draw: (scale: ChartScale) => ChartShape[]): HtmlEscapedString {
  const { id, title, description, labels, series } = chart;
  if (labels.length === 1) return onlyValues(chart);
  const scale = chartScale(series.flatMap(({ values }) => values));
  const titles = [`${id}-title`, `${id}-desc`].join(' ');
  return html`<figure class="chart" id="${id}">
<figcaption>${title}</figcaption>
${series.length > 1 ? html`<ul class="chart-legend">${series.map(legendEntry)}</ul>` : ''}
<div class="chart-plot">
<ol class="chart-scale" aria-hidden="true">${scale.ticks.map((tick) => html`<li>${formatNumber(tick)}</li>`)}</ol>
<svg class="chart-picture" role="img" aria-labelledby="${titles}" viewBox="0 0 ${CHART_WIDTH} ${CHART_HEIGHT}"
 width="100%" height="${CHART_HEIGHT}" preserveAspectRatio="none">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">${description}</desc>
${raw(gridLines(scale) + draw(scale).map(shape).join(''))}
</svg>
<ol class="chart-labels" aria-hidden="true">${edgeLabels(labels).map((label) => html`<li>${label}</li>`)}</ol>
</div>
${numbersTable(chart)}
</figure>` as HtmlEscapedString;
}

/** A picture of one place on the axis would be nearly empty: its numbers are a sentence. */
function onlyValues({ id, title, axis, labels, series }: Chart): HtmlEscapedString {
  const numbers = series.map(({ name, values }) => `${name}: ${cell(values[0])}`).join(', ');
  const sentence = html`<p id="${id}"><strong>${title}.</strong> ${axis} ${labels[0]}: ${numbers}.</p>`;
  return sentence as HtmlEscapedString;
}

/** A line or a bar. Its numbers and its class are made here, never of data, so that they need no escaping. */
type ChartShape =
  | { kind: 'line'; series: number; points: { x: number; y: number }[] }
  | { kind: 'bar'; series: number; x: number; y: number; width: number; height: number };

function shape(one: ChartShape): string {
  const look = `class="chart-series-${one.series + 1}"`;
  if (one.kind === 'bar') {
    const { x, y, width, height } = one;
    return `<rect ${look} x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}"/>`;
  }
  const [first, ...others] = one.points.map(({ x, y }) => `${fixed(x)} ${fixed(y)}`);
  // A point alone is a line of no length: with round ends it is a dot.
  const path = others.length === 0 ? `M${first}h0` : `M${first}L${others.join(' ')}`;
  const stroke = `fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"`;
  // Told apart without colour, too.
  const dashes = ['', ' stroke-dasharray="6 4"', ' stroke-dasharray="2 4"', ' stroke-dasharray="10 4 2 4"'][one.series];
  return `<path ${look} ${stroke}${dashes ?? ''} vector-effect="non-scaling-stroke" d="${path}"/>`;
}

function gridLines({ ticks, position }: ChartScale): string {
  return ticks
    .map((tick) => {
      const y = fixed(position(tick) * CHART_HEIGHT);
      const look = tick === 0 ? 'chart-zero' : 'chart-grid';
      const ends = `x1="0" x2="${CHART_WIDTH}" y1="${y}" y2="${y}"`;
      return `<line class="${look}" ${ends} vector-effect="non-scaling-stroke"/>`;
    })
    .join('');
}

function legendEntry({ name }: ChartSeries, index: number) {
  return html`<li class="chart-series-${index + 1}">${name}</li>`;
}

/** The first, the middle and the last one: others would not fit on a phone. */
function edgeLabels(labels: readonly string[]): string[] {
  if (labels.length < 3) return [...labels];
  const middle = labels.length % 2 === 1 ? [labels[(labels.length - 1) / 2] as string] : [];
  return [labels[0] as string, ...middle, labels.at(-1) as string];
}

function numbersTable({ title, axis, labels, series }: Chart) {
  return html`<details class="chart-numbers">
<summary>The numbers</summary>
<div${scrollable(`The numbers of ${title}`)}>
<table>
<thead><tr><th scope="col">${axis}</th>${series.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${labels.map(
    (label, index) => html`
<tr><th scope="row">${label}</th>${series.map(({ values }) => html`<td>${cell(values[index])}</td>`)}</tr>`,
  )}
</tbody>
</table>
</div>
</details>`;
}

function cell(value: number | null | undefined): string {
  return value === null || value === undefined ? 'not known' : formatNumber(value);
}

/** `1,204`, or `1.5`. */
function formatNumber(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 });
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export interface ChartScale {
  /** From the top to the bottom; 0 is among them. */
  ticks: number[];
  /** The place of a value: 0 at the top of the picture, 1 at the bottom. */
  position(value: number): number;
}

/** The scale of some values: whole ticks, because all that charts show are numbers of things. */
export function chartScale(values: readonly (number | null)[]): ChartScale {
  let [low, high] = [0, 0];
  // A spread would pass every value as an argument, and there may be many.
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const [top, bottom] = [high > 0 || low === 0 ? roundUp(high) : 0, low < 0 ? -roundUp(-low) : 0];
  const ticks = bottom < 0 ? [...new Set([top, 0, bottom])] : [top, top / 2, 0];
  return { ticks, position: (value) => (top - value) / (top - bottom) };
}

const STEPS = [2, 4, 6, 8, 10];

/** The next number of one digit and zeros whose half is whole; 2 at least. */
function roundUp(value: number): number {
  const power = 10 ** Math.max(0, Math.ceil(Math.log10(Math.max(1, value))) - 1);
  return power * (STEPS.find((step) => step * power >= value) ?? 20);
}

/** Part of the width of a period that its bars take. */
const FILLED = 0.8;
/** A value that is not zero can be seen, in pixels. */
const MIN_HEIGHT = 2;

/** The series of a period stand side by side; below the line of zero, where they are negative. */
export function barChart(chart: Chart): HtmlEscapedString {
  const period = CHART_WIDTH / Math.max(1, chart.labels.length);
  const width = (period * FILLED) / Math.max(1, chart.series.length);
  return chartFigure(chart, ({ position }) =>
    chart.series.flatMap(({ values }, series) =>
      values.flatMap((value, index): ChartShape[] => {
        if (value === null || value === 0) return [];
        const zero = position(0) * CHART_HEIGHT;
        const height = Math.max(MIN_HEIGHT, Math.abs(position(value) * CHART_HEIGHT - zero));
        const x = index * period + (period * (1 - FILLED)) / 2 + series * width;
        return [{ kind: 'bar', series, x, y: value > 0 ? zero - height : zero, width, height }];
      }),
    ),
  );
}

/** Each series is a line, with a gap where nothing is known. */
export function lineChart(chart: Chart): HtmlEscapedString {
  return chartFigure(chart, (scale) =>
    chart.series.flatMap(({ values }, series) =>
      runsOf(values).map((run) => ({ kind: 'line' as const, series, points: pointsOf(run, chart, scale) })),
    ),
  );
}

interface ValueRun {
  /** Index of its first value. */
  from: number;
  values: number[];
}

/** The runs of values that are known. */
function runsOf(values: readonly (number | null)[]): ValueRun[] {
  const runs: ValueRun[] = [];
  let current: ValueRun | null = null;
  for (const [index, value] of values.entries()) {
    if (value === null) {
      current = null;
    } else if (current === null) {
      current = { from: index, values: [value] };
      runs.push(current);
    } else {
      current.values.push(value);
    }
  }
  return runs;
}

function pointsOf({ from, values }: ValueRun, { labels }: Chart, { position }: ChartScale) {
  const last = labels.length - 1;
  return values.map((value, index) => ({
    x: last > 0 ? ((from + index) / last) * CHART_WIDTH : CHART_WIDTH / 2,
    y: position(value) * CHART_HEIGHT,
  }));
}
