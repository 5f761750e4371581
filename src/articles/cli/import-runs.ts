/** Commands about what `daywire import` has done. */

import type { Command } from 'commander';
import { type CliContext, CommandError, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { withLocalTimes } from '../../core/cli/text.ts';
import { formatPublish } from '../../feeds/publish/format-publish.ts';
import { publishChanges } from '../../feeds/publish/publish.ts';
import { rfc3339 } from '../../lib/time.ts';
import type { UndoneRun } from '../import/runs/import-runs.ts';
import { listImportRuns, undoRun } from '../import/runs/import-runs.ts';

/** @param importing the command `import`, which takes `--json` before those of its own commands do */
export function addImportRunCommands(importing: Command, cli: CliContext): void {
  importing
    .command('runs')
    .description('list the last 50 imports that have added articles, newest first')
    .addOption(jsonOption())
    .action((_: JsonOption, command: Command) => showRuns(cli, command.optsWithGlobals()));
  importing
    .command('undo')
    .description('take back what an import has added: deletes what nothing has shown yet, and retracts the rest')
    .argument('<run>', 'its number, as "daywire import runs" prints it')
    .addOption(jsonOption())
    .action((run: string, _: JsonOption, command: Command) => undoImport(cli, run, command.optsWithGlobals()));
}

function showRuns(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async ({ store, config }) => {
    const { zone } = config.publication;
    const runs = (await listImportRuns(store.db)).map(({ id, started_at, input, added, undone_at }) => {
      const undoneAt = undone_at === null ? null : rfc3339(undone_at);
      return { id, startedAt: rfc3339(started_at), input, added, undoneAt };
    });
    printResult(
      cli,
      options,
      { runs },
      () =>
        runs
          .map(({ id, startedAt, input, added, undoneAt }) => {
            const end = undoneAt === null ? '' : `, undone ${withLocalTimes(undoneAt, zone)}`;
            return `${id}  ${withLocalTimes(startedAt, zone)}  ${input}: ${added} added${end}`;
          })
          .join('\n') || 'no import has added articles',
    );
  });
}

function undoImport(cli: CliContext, run: string, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const startedAt = app.clock();
    const undone = /^\d{1,15}$/.test(run) ? await undoRun(app, Number(run)) : null;
    if (undone === null) throw new CommandError(`there is no run ${run} to undo: see "daywire import runs"`);
    const published = await publishChanges(app, { since: startedAt });
    printResult(
      cli,
      options,
      { undo: undone, publish: published },
      () => `${formatUndone(undone)}\n${formatPublish(published, app.config)}`,
    );
  });
}

function formatUndone({ deleted, retracted, changed, examples }: UndoneRun): string {
  const done = `${deleted} deleted, ${retracted} retracted`;
  if (changed === 0) return done;
  return `${done}; ${changed} left as they are, since they were changed after the import: ${examples.join(', ')}`;
}
