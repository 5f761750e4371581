/**
 * A line chart: how numbers change over time. Pure.
 */
import type { HtmlEscapedString } from 'hono/utils/html';
import { CHART_HEIGHT, CHART_WIDTH, type Chart, chartFigure } from './chart.ts';
import type { ChartScale } from './scale.ts';

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
