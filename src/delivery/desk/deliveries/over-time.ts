/**
 * How many messages were submitted and failed in each part of a delivery. Pure.
 */
import { DAY, HOUR, localDateTime, MINUTE, wallClock } from '../../../lib/time.ts';
import type { Chart } from '../../../web/desk/chart.ts';
import type { EditionProgress } from '../../progress.ts';

const MAX_PARTS = 60;
const LENGTHS = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, DAY];

/**
 * The chart of a delivery, in at most about sixty parts of equal length.
 * @param closedAt when the edition closed: nothing was submitted before
 * @param progress by time, as recorded; see `EditionProgress`
 * @returns null if nothing has been recorded
 */
export function submissionsChart(closedAt: number, progress: readonly EditionProgress[], zone: string): Chart | null {
  const last = progress.at(-1);
  if (last === undefined) return null;
  const span = Math.max(0, last.at - closedAt);
  const length = LENGTHS.find((one) => span / one < MAX_PARTS) ?? Math.ceil(span / MAX_PARTS / DAY) * DAY;
  const parts = Math.floor(span / length) + 1;
  const [submitted, failed] = [Array<number>(parts).fill(0), Array<number>(parts).fill(0)];
  let before: Omit<EditionProgress, 'at'> = { submitted: 0, failed: 0 };
  for (const one of progress) {
    const part = Math.min(parts - 1, Math.max(0, Math.floor((one.at - closedAt) / length)));
    // Fewer where an operator has retried failed ones.
    submitted[part] = (submitted[part] ?? 0) + Math.max(0, one.submitted - before.submitted);
    failed[part] = (failed[part] ?? 0) + Math.max(0, one.failed - before.failed);
    before = one;
  }
  const label = span < DAY ? clock : localDateTime;
  return {
    id: 'submissions',
    title: 'Messages over time',
    description: 'Messages that were submitted and that failed, from the close of the edition to the last change.',
    axis: 'From',
    labels: submitted.map((_, part) => label(closedAt + part * length, zone)),
    series: [
      { name: 'Submitted', values: submitted },
      { name: 'Failed', values: failed },
    ],
  };
}

/** `07:30`. */
function clock(instant: number, zone: string): string {
  return wallClock(instant, zone).toPlainTime().toString({ smallestUnit: 'minute' });
}
