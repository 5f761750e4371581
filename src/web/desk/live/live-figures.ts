/**
 * The figures of deliveries under way, as pages show them. Pure.
 */

import { formatRate, type RateSample, submissionRate } from '../../../delivery/submission-rate.ts';
import { formatDuration } from '../../../lib/time.ts';
import { formatCount } from '../parts/figure.ts';

/**
 * The figures of an edition by their name in pages, such as `edition:17:submitted`.
 * @param samples of the last seconds, oldest first; the newest is of `counts`
 */
export function liveFiguresOf(
  editionId: number,
  counts: Readonly<Record<string, number>>,
  samples: readonly RateSample[],
): [name: string, text: string][] {
  const { pending = 0, submitting = 0 } = counts;
  const { perSecond, left } = submissionRate(samples, pending + submitting);
  const figures: [string, string][] = [
    ...Object.entries(counts).map(([state, count]): [string, string] => [state, formatCount(count)]),
    ['rate', perSecond === null ? 'not known' : formatRate(perSecond)],
    ['left', left === null ? 'not known' : formatDuration(left)],
  ];
  return figures.map(([name, text]) => [`edition:${editionId}:${name}`, text]);
}
