import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barChart, type Chart, chartScale } from '../../../../src/web/desk/chart.ts';

const GROWTH: Chart = {
  id: 'growth',
  title: 'Subscribers',
  description: 'Confirmed subscribers, day by day.',
  axis: 'Day',
  labels: ['1 Nov', '2 Nov', '3 Nov'],
  series: [{ name: 'Subscribers', values: [1000, 1500, 2000] }],
};

describe('a chart', () => {
  it('is a picture with a title and a description, and has no inline style', () => {
    const text = String(barChart(GROWTH));
    expect(text).toContain('role="img" aria-labelledby="growth-title growth-desc"');
    expect(text).toContain('<title id="growth-title">Subscribers</title>');
    expect(text).toContain('<desc id="growth-desc">Confirmed subscribers, day by day.</desc>');
    expect(text).not.toMatch(/style|<script|onload/);
  });

  it('of one place alone is a sentence: a picture of it would be nearly empty', () => {
    const only = { ...GROWTH, labels: ['<b>1 Nov'], series: [{ name: 'Subscribers', values: [1204] }] };
    const text = String(barChart(only));
    expect(text).toContain('Day &lt;b&gt;1 Nov: Subscribers: 1,204.');
    expect(text).not.toContain('<svg');
    expect(String(barChart({ ...only, series: [{ name: 'n', values: [null] }] }))).toContain('n: not known.');
  });

  it('has the same numbers in a table beneath', () => {
    const text = String(barChart({ ...GROWTH, series: [{ name: 'Subscribers', values: [1204, null, 0] }] }));
    expect(text).toContain('<th scope="col">Day</th><th scope="col">Subscribers</th>');
    expect(text).toContain('<th scope="row">1 Nov</th><td>1,204</td>');
    expect(text).toContain('<th scope="row">2 Nov</th><td>not known</td>');
    expect(text).toContain('<th scope="row">3 Nov</th><td>0</td>');
  });

  it('draws bars that can be seen, and negative ones below zero', () => {
    const values = [10_000, 1, -10_000];
    const text = String(barChart({ ...GROWTH, series: [{ name: 'n', values }] }));
    const bars = [
      ...text.matchAll(/<rect class="chart-series-1" x="([^"]+)" y="([^"]+)" width="160" height="([^"]+)"/g),
    ];
    expect(bars.map(([, ...numbers]) => numbers.map(Number))).toEqual([
      [20, 0, 80],
      [220, 78, 2],
      [420, 80, 80],
    ]);
  });

  it('names several series, whose bars stand side by side', () => {
    const series = [
      { name: 'joined', values: [1, 2, 3] },
      { name: 'left', values: [3, 2, 1] },
    ];
    const text = String(barChart({ ...GROWTH, series }));
    expect(text).toContain('<li class="chart-series-1">joined</li><li class="chart-series-2">left</li>');
    const places = [...text.matchAll(/<rect class="chart-series-(\d)" x="([^"]+)"/g)].map(([, one, x]) => [
      one,
      Number(x),
    ]);
    expect([places[0], places[3]]).toEqual([
      ['1', 20],
      ['2', 100],
    ]);
  });

  it('is drawn without data as well', () => {
    const text = String(barChart({ ...GROWTH, labels: [], series: [{ name: 'n', values: [] }] }));
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    expect(text).toContain('</svg>');
  });
});

describe('the scale of a chart', () => {
  it('has round ticks from zero to above the largest value', () => {
    expect(chartScale([]).ticks).toEqual([2, 1, 0]);
    expect(chartScale([1]).ticks).toEqual([2, 1, 0]);
    expect(chartScale([7, 41, null]).ticks).toEqual([60, 30, 0]);
    expect(chartScale([1_000_000]).ticks).toEqual([1_000_000, 500_000, 0]);
    expect(chartScale([12, -3]).ticks).toEqual([20, 0, -4]);
    expect(chartScale([-3]).ticks).toEqual([0, -4]);
  });

  it('has a place inside the picture for every value', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -2_000_000_000, max: 2_000_000_000 })), (values) => {
        const { ticks, position } = chartScale(values);
        expect(ticks).toContain(0);
        for (const value of values) {
          expect(position(value)).toBeGreaterThanOrEqual(0);
          expect(position(value)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
