/**
 * The vertical scale of a chart: it begins at zero, and its ticks are round numbers. Pure.
 */

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
