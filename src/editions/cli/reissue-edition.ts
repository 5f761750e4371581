/**
 * The command that reissues a closed edition.
 */
import type { Command } from 'commander';
import { type CliContext, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { reissueEdition } from '../../delivery/closing/reissue.ts';
import { readEditionDetails } from '../../delivery/status/edition-status.ts';
import { publish } from '../../feeds/publish/publish.ts';
import { findEditionById } from '../queries.ts';
import { addEditionCommand, withEdition } from './edition-command.ts';
import { formatReissue } from './format-reissue.ts';

interface ReissueOptions extends JsonOption {
  asCorrection?: boolean;
  dryRun?: boolean;
}

/** Adds to the group `editions`. */
export function addReissueCommand(editions: Command, cli: CliContext): void {
  addEditionCommand(editions, 'reissue', 'close a paused, cancelled or done edition again, with what has changed since')
    .option('--as-correction', 'mail it also to those who have the edition, as a correction; needs an editor’s note')
    .option('--dry-run', 'only count who would get it, and write a preview')
    .addOption(jsonOption())
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
