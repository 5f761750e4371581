/** The months by which the index of headlines is divided. Pure. */

/** The last instant of a date in JavaScript (ECMA-262 §21.4.1.1). */
const LAST_DATE = 8.64e15;

/** Months since 1970, UTC; negative before. @param instant epoch milliseconds */
export function monthOf(instant: number): number {
  // An instant that no date can have is that of a broken article: it is found nowhere, and stops nothing.
  if (Math.abs(instant) > LAST_DATE) return 0;
  const date = new Date(instant);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** Epoch milliseconds. @param month see `monthOf` */
export function startOfMonth(month: number): number {
  return Date.UTC(1970, month);
}
