/** The figures to quote of several runs. */

/** By name and unit; groups of figures by what they are of. */
export type Figures = { [name: string]: number | null | Figures };

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

/** The value that a share of the values does not exceed, to a tenth. @param share such as 0.95 */
export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.ceil(values.length * share) - 1] as number) * 10) / 10;
}
