/**
 * A bar chart: how many of something there were in each of some periods. Pure.
 */
import type { HtmlEscapedString } from 'hono/utils/html';
import { CHART_HEIGHT, CHART_WIDTH, type Chart, type ChartShape, chartFigure } from './chart.ts';

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
