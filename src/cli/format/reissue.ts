/**
 * Text output about a reissued edition.
 */
import type { Reissue, ReissueRequest } from '../../app/drafts/reissue.ts';
import { count } from './text.ts';

/** @param name of the edition, such as `daily-roundup/2026-11-24` */
export function formatReissue(reissue: Reissue, name: string, { asCorrection, isDryRun }: ReissueRequest): string {
  const { edition, subject, queued, suppressed, submitted, uncertain, removed, added, previewPath } = reissue;
  const deliveries = (number: number): string => count(number, 'delivery', 'deliveries');
  const withEarlier = count(submitted, 'subscriber has', 'subscribers have');
  return [
    `${name} ${isDryRun ? 'would be' : 'is'} reissued as revision ${edition.revision}: ${subject}`,
    `${deliveries(queued)} ${isDryRun ? 'would be queued' : 'queued'}; it is delivered at once`,
    ...(suppressed === 0 ? [] : [`${deliveries(suppressed)} of the revision before it: will not be submitted`]),
    ...(submitted === 0
      ? []
      : [`${withEarlier} an earlier revision and ${asCorrection ? 'get the correction, too' : 'no second mail'}`]),
    ...(uncertain === 0
      ? []
      : [
          `${deliveries(uncertain)} of an earlier revision may have arrived: no second mail to these subscribers either`,
        ]),
    ...(added.length === 0 ? [] : [`new in it: ${added.join(', ')}`]),
    ...(removed.length === 0 ? [] : [`not in it any more: ${removed.join(', ')}`]),
    ...(previewPath === null ? [] : [previewPath]),
  ].join('\n');
}
