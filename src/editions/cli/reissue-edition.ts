/**
 * The command that reissues a closed edition.
 */
import type { Command } from 'commander';
import { type CliContext, type JsonOption, printResult } from '../../core/cli/context.ts';
import { count } from '../../core/cli/text.ts';
import { type Reissue, type ReissueRequest, reissueEdition } from '../../delivery/closing/reissue.ts';
import { readEditionDetails } from '../../delivery/status/edition-status.ts';
import { publish } from '../../feeds/publish/publish.ts';
import { findEditionById } from '../queries.ts';
import { addEditionCommand, withEdition } from './edition-command.ts';

interface ReissueOptions extends JsonOption {
  asCorrection?: boolean;
  dryRun?: boolean;
}

/** Adds to the group `editions`. */
export function addReissueCommand(editions: Command, cli: CliContext): void {
  addEditionCommand(editions, 'reissue', 'close a paused, cancelled or done edition again, with what has changed since')
    .option('--as-correction', 'mail it also to those who have the edition, as a correction; needs an editor’s note')
    .option('--dry-run', 'only count who would get it, and write a preview')
    .action((name: string, { asCorrection = false, dryRun = false, ...options }: ReissueOptions) =>
      withEdition(cli, name, async (app, edition) => {
        const reissue = await reissueEdition(app, edition, { asCorrection, isDryRun: dryRun });
        const { edition: revision, ...counts } = reissue;
        const closed = dryRun ? null : await findEditionById(app.store.db, revision.id);
        const details = closed === null ? { revision: revision.revision } : await readEditionDetails(app, closed);
        printResult(cli, options, {
          value: { ...details, ...counts, asCorrection, dryRun },
          text: () => formatReissue(reissue, edition.fullName, { asCorrection, isDryRun: dryRun }),
        });
        if (!dryRun) await publish(app);
      }),
    );
}

/** @param name of the edition, such as `daily-roundup/2026-11-24` */
function formatReissue(reissue: Reissue, name: string, { asCorrection, isDryRun }: ReissueRequest): string {
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
