/**
 * Imports articles from watched folders while daywire runs: what the system reports at once, and everything else when
 * all files are looked at again.
 */

import { importWatched } from '../../../app/first-run.ts';
import type { AppContext } from '../../../core/app-context.ts';
import { repeat, type Stoppable } from '../../../lib/repeat.ts';
import { SECOND } from '../../../lib/time.ts';
import type { ChangedFile } from '../../../lib/watching/file-reports.ts';
import { FolderWatcher } from '../../../lib/watching/folder-watcher.ts';
import { parseRules } from '../import.ts';
import { importFormat, listImportFolders } from '../import-files.ts';
import { warmUpParsing } from '../parse-in-thread.ts';

export function startImporting(app: AppContext): Stoppable {
  const { config, log } = app;
  const { watch, pollSeconds } = config.import;
  let reported: ChangedFile[] = [];
  // Beside the other task: an edit need not wait for the import of a large file.
  const importing = repeat(pollSeconds * SECOND, 'importing reported files', log, async (signal) => {
    const files = reported;
    reported = [];
    if (files.length > 0) await importWatched(app, { reported: files, signal });
  });
  const watcher = new FolderWatcher(
    (files) => {
      reported.push(...files);
      importing.wake();
    },
    (path) => {
      if (importFormat(path) !== undefined) void warmUpParsing(parseRules(config, {}));
    },
  );
  let lastProblem: string | null = null;
  const watchFolders = async (): Promise<void> => {
    const problem = await watcher.watch(await listImportFolders(watch));
    if (problem !== null && problem !== lastProblem) {
      log.warn({ problem }, 'folders are not watched: their changes are found by the next poll');
    }
    lastProblem = problem;
  };
  // Changes before that are found by the next poll.
  const watching = watchFolders();
  const polling = repeat(pollSeconds * SECOND, 'importing', log, async (signal) => {
    await watchFolders();
    await importWatched(app, { isRepeated: true, signal });
  });
  return {
    async stop() {
      watcher.close();
      await Promise.all([watching, importing.stop(), polling.stop()]);
    },
  };
}
