/**
 * Imports articles from watched folders while daywire runs: what the system reports at once, and everything else when
 * all files are looked at again.
 */
import { resolve } from 'node:path';
import type { AppContext } from '../../../core/app-context.ts';
import type { Config } from '../../../core/config/config.ts';
import type { Store } from '../../../core/store/store.ts';
import { repeat, type Stoppable } from '../../../lib/repeat.ts';
import { MINUTE, SECOND } from '../../../lib/time.ts';
import { type ChangedFile, FolderWatcher } from '../../../lib/watching/folder-watcher.ts';
import {
  findChangedFiles,
  findImportFile,
  findImportFiles,
  ImportError,
  type ImportFile,
  importFormat,
  listImportFolders,
} from '../files/import-files.ts';
import { type ArticleImportOptions, holdingNews, importFiles } from '../import.ts';
import { parseRules, warmUpParsing } from '../parse-in-thread.ts';
import { type ArticleImportResult, emptyResult } from '../result.ts';
import { syncHeldAlerts } from '../runs/news-hold.ts';
import { clearGoneFiles } from './gone-files.ts';

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
  const watcher = new FolderWatcher({
    onChange(files) {
      reported.push(...files);
      importing.wake();
    },
    onAppeared(path) {
      if (importFormat(path) !== undefined) void warmUpParsing(parseRules(config));
    },
    onFolders: () => watching.wake(),
  });
  let lastProblem: string | null = null;
  const watching = repeat(POLL_EVERY, 'watching folders', log, async () => {
    const problem = await watcher.watch(await listImportFolders(watch));
    if (problem !== null && problem !== lastProblem) {
      log.warn({ problem }, 'folders are not watched: their changes are found by the next poll');
    }
    lastProblem = problem;
  });
  // Changes before that are found by the next poll.
  watching.wake();
  const polling = repeat(POLL_EVERY, 'importing', log, async (signal) => {
    await importWatched(app, { isRepeated: true, signal });
  });
  return {
    async stop() {
      watcher.close();
      await Promise.all([watching.stop(), importing.stop(), polling.stop()]);
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
  if (watch.length === 0) {
    await syncHeldAlerts(store.db, [], clock());
    return null;
  }
  const { added, updated, rejected, warnings, heldNews } =
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
  await syncHeldAlerts(store.db, watch, clock());
  return { added, updated, rejected: rejected.length + heldNews };
}

/**
 * Imports the files at or below `paths` whose size or modification time differs from their last import. A file that was
 * read half-written is read again once it has grown; an invalid one is not read again until it changes. Articles of
 * removed files stay: only `state: retracted` retracts an article. Rejections of
 * removed files are cleared. A path that does not exist is a warning.
 * @param options.isRepeated whether another call follows soon. Then the import runs in the background, and Markdown
 * files written in the last two seconds are left to that call: half a story looks like a whole one.
 */
export async function importChangedFiles(
  store: Store,
  config: Config,
  paths: string[],
  options: Omit<ArticleImportOptions, 'background'> & { isRepeated?: boolean },
): Promise<ArticleImportResult> {
  const { isRepeated = false, ...importOptions } = options;
  const missing: ArticleImportResult['warnings'] = [];
  const files: ImportFile[] = [];
  for (const path of paths) {
    try {
      files.push(...(await findImportFiles([path])));
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      missing.push({ source: path, line: null, articleId: null, problems: [error.message] });
    }
  }
  const failed = missing.map(({ source }) => source);
  await clearGoneFiles(store, { listed: paths.filter((path) => !failed.includes(path)), failed }, files);
  const now = options.clock();
  const complete = isRepeated ? files.filter((file) => !mayBeHalfWritten(file, now)) : files;
  const result = await importComplete(store, config, paths, complete, { ...importOptions, background: isRepeated });
  result.warnings.push(...missing);
  result.warningCount += missing.length;
  return result;
}

/**
 * Imports those of some files that `importChangedFiles` would import, without a look at the others. Markdown that is
 * whole is imported at once. JSON Lines that are written in place are left to `importChangedFiles`: a file that grows
 * all day would be read again with every line.
 */
export async function importReportedFiles(
  store: Store,
  config: Config,
  paths: string[],
  reported: ChangedFile[],
  options: Omit<ArticleImportOptions, 'background'>,
): Promise<ArticleImportResult> {
  const files: ImportFile[] = [];
  for (const { path, isWhole } of reported) {
    const file = await findImportFile(paths, path);
    if (file === null) continue;
    if (isWhole || (file.format === 'markdown' && !mayBeHalfWritten(file, options.clock()))) files.push(file);
  }
  // Markdown files are few: nothing is to be gained by pauses.
  const background = files.some(({ format }) => format === 'jsonl');
  return importComplete(store, config, paths, files, { ...options, background });
}

async function importComplete(
  store: Store,
  config: Config,
  paths: string[],
  files: ImportFile[],
  options: ArticleImportOptions,
): Promise<ArticleImportResult> {
  const changed = await findChangedFiles(store.db, files);
  if (changed.length === 0) return emptyResult();
  const roots = paths.map((path) => resolve(path));
  return holdingNews(store, config, { roots, since: options.clock() - COPYING }, options, (hold) =>
    importFiles(store, config, changed, { ...options, hold, remember: true }),
  );
}

/** A site that is copied into a folder arrives in parts: what comes within this time is one import. */
const COPYING = 5 * MINUTE;
const COMPLETE_AFTER = 2 * SECOND;

// JSON Lines are exempt: a truncated line is not JSON, and a file that grows all day would never be complete. So are
// files dated in the future, by a clock ahead of this one.
function mayBeHalfWritten({ format, modifiedAt }: ImportFile, now: number): boolean {
  return format === 'markdown' && modifiedAt !== null && modifiedAt <= now && now - modifiedAt < COMPLETE_AFTER;
}
