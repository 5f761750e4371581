/**
 * Text output about a reissued edition.
 */

import { count } from '../../core/cli/text.ts';
import type { Reissue, ReissueRequest } from '../../delivery/closing/reissue.ts';

/** @param name of the edition, such as `daily-roundup/2026-11-24` */
export function formatReissue(reissue: Reissue, name: string, { asCorrection, isDryRun }: ReissueRequest): string {
  const { edition, subject, queued, suppressed, submitted, uncertain, removed, added, previewPath } = reissue;
  const deliveries = (number: number): string => count(number, 'delivery', 'deliveries');
  const others = asCorrection ? 'these subscribers get the correction, too' : 'no second mail to these subscribers';
  return [
    `${name} ${isDryRun ? 'would be' : 'is'} reissued as revision ${edition.revision}: ${subject}`,
    `${deliveries(queued)} ${isDryRun ? 'would be queued' : 'queued'}`,
    ...(suppressed === 0 ? [] : [`${deliveries(suppressed)} of the revision before it: not submitted any more`]),
    ...(submitted === 0 ? [] : [`${deliveries(submitted)} of earlier revisions submitted: ${others}`]),
    ...(uncertain === 0
      ? []
      : [`${deliveries(uncertain)} of an earlier revision may have arrived: no second mail there either`]),
    ...(added.length === 0 ? [] : [`new in it: ${added.join(', ')}`]),
    ...(removed.length === 0 ? [] : [`not in it any more: ${removed.join(', ')}`]),
    ...(previewPath === null ? [] : [previewPath]),
  ].join('\n');
}
