/**
 * Watched folders and files: a newsroom's own system only writes files, and what has changed since the last look is imported.
 */
import type { Config } from '../../config/config.ts';
import { SECOND } from '../../lib/time.ts';
import type { Db, Store } from '../../store/store.ts';
import { type ArticleImportOptions, importFiles } from './import.ts';
import { findImportFiles, ImportError, type ImportFile } from './import-files.ts';
import { type ArticleImportReport, emptyReport } from './report.ts';

/**
 * Imports the files at or below `paths` whose size or modification time is not what it was when they were last imported. A file
 * that is read half-written is read again once it has grown; one with problems is not read again until it changes. Articles of
 * files that have vanished stay as they are: only `state: retracted` takes an article back. A watched path that does not exist
 * is a warning each time, and the others are imported.
 * @param options.again whether there will be another look soon. Then it shares the time with what else this process does, and
 * leaves Markdown that was written in the last two seconds for that look: half a story reads like a whole one.
 */
export async function importChangedSources(
  store: Store,
  config: Config,
  paths: string[],
  options: Omit<ArticleImportOptions, 'sharesTime'> & { again?: boolean },
): Promise<ArticleImportReport> {
  const { again = false, ...importOptions } = options;
  const missing: ArticleImportReport['warnings'] = [];
  const sources: ImportFile[] = [];
  for (const path of paths) {
    try {
      sources.push(...(await findImportFiles([path])));
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      missing.push({ source: path, line: null, articleId: null, problems: [error.message] });
    }
  }
  const now = options.clock();
  const settled = again ? sources.filter((source) => !mayBeHalfWritten(source, now)) : sources;
  const changed = await changedAmong(store.db, settled);
  const report =
    changed.length === 0
      ? emptyReport()
      : await importFiles(store, config, changed, { ...importOptions, remember: true, sharesTime: again });
  report.warnings.push(...missing);
  report.warningCount += missing.length;
  return report;
}

const SETTLED_AFTER = 2 * SECOND;

// A line of JSON that is cut off is no JSON, and a file that grows all day would never settle. One dated ahead of this machine's
// clock must not wait for it.
function mayBeHalfWritten({ format, modifiedAt }: ImportFile, now: number): boolean {
  return format === 'markdown' && modifiedAt !== null && modifiedAt <= now && now - modifiedAt < SETTLED_AFTER;
}

async function changedAmong(db: Db, sources: ImportFile[]): Promise<ImportFile[]> {
  const changed = new Map<string, ImportFile>();
  for (let from = 0; from < sources.length; from += 500) {
    const some = sources.slice(from, from + 500);
    const paths = some.map((source) => source.path);
    const rows = await db.selectFrom('imported_files').selectAll().where('path', 'in', paths).execute();
    const known = new Map(rows.map((row) => [row.path, row.fingerprint]));
    for (const source of some) {
      if (known.get(source.path) !== source.fingerprint) changed.set(source.path, source);
    }
  }
  return [...changed.values()];
}
