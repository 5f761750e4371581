/**
 * Imports articles from watched folders while daywire runs: what the system reports at once, and everything else when
 * all files are looked at again.
 */
import type { AppContext } from '../../../core/app-context.ts';
import { repeat, type Stoppable } from '../../../lib/repeat.ts';
import { SECOND } from '../../../lib/time.ts';
import type { ChangedFile } from '../../../lib/watching/file-reports.ts';
import { FolderWatcher } from '../../../lib/watching/folder-watcher.ts';
import type { ArticleImportOptions } from '../import.ts';
import { importFormat, listImportFolders } from '../import-files.ts';
import { parseRules, warmUpParsing } from '../parse-in-thread.ts';
import { importChangedFiles, importReportedFiles } from './watch.ts';

/** On Linux a changed file in a local folder does not wait for it. */
const POLL_EVERY = 30 * SECOND;

export function startImporting(app: AppContext): Stoppable {
  const { config, log } = app;
  const { watch } = config.import;
  let reported: ChangedFile[] = [];
  // Beside the other task: an edit need not wait for the import of a large file.
  const importing = repeat(POLL_EVERY, 'importing reported files', log, async (signal) => {
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
  const polling = repeat(POLL_EVERY, 'importing', log, async (signal) => {
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

/**
 * Imports the watched files that have changed.
 * @param options.reported the files to look at. Default: all
 * @returns null where none are watched
 */
export async function importWatched(
  { store, config, clock, log }: AppContext,
  {
    reported,
    ...options
  }: Pick<ArticleImportOptions, 'onProgress' | 'signal'> & { isRepeated?: boolean; reported?: ChangedFile[] },
): Promise<{ added: number; updated: number; rejected: number } | null> {
  const { watch } = config.import;
  if (watch.length === 0) return null;
  const { added, updated, rejected, warnings } =
    reported === undefined
      ? await importChangedFiles(store, config, watch, { clock, ...options })
      : await importReportedFiles(store, config, watch, reported, { clock, signal: options.signal });
  for (const { source, line, problems } of rejected) {
    log.warn({ source, line, problems }, 'rejected');
  }
  for (const { source, line, articleId, problems } of warnings) {
    // A watched folder that is missing has no article; each poll would log it.
    if (articleId === null) continue;
    log.warn({ source, line, problems }, 'imported with a warning');
  }
  if (added + updated > 0) log.info({ added, updated }, 'imported');
  return { added, updated, rejected: rejected.length };
}
