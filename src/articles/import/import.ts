/**
 * Imports articles: reads files record by record, validates each article by itself, and writes them batch by batch, so
 * that a hundred thousand take no more memory than a hundred. Importing again changes nothing.
 */

import { basename, extname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import { type ImportBatch, type ParsedArticle, writeBatch } from './batch.ts';
import { type CandidateReader, candidateReader } from './candidate.ts';
import { findImportFiles, type ImportFile, type ImportFormat, textFile } from './import-files.ts';
import { parseJsonLine, parseMarkdown } from './parse.ts';
import { type ArticleImportReport, addToReport, emptyReport } from './report.ts';
import type { SourceRecord } from './source-record.ts';

export interface ArticleImportOptions {
  clock: Clock;
  /** Called after each batch. `read` counts articles. */
  onProgress?: ((progress: { read: number; bytes: number; totalBytes: number }) => void) | undefined;
  /** Leaves half of the time to the rest of the process, so that it publishes in time during a large import. */
  background?: boolean;
}

/** A batch ends with this many articles, or characters of them. */
const BATCH_ARTICLES = 100;
const BATCH_CHARACTERS = 2 * 1024 * 1024;
/** In the background, the pause between two batches is as long as the last batch took, but at most this, in ms. */
const MAX_PAUSE = 100;

/**
 * Imports Markdown files, folders of them, and JSON Lines. An invalid article is rejected whole, and the others are
 * stored; earlier rejections of the same places are cleared. Articles of files that have been removed stay.
 * @throws ImportError if a path does not exist or holds no articles; then nothing is imported
 */
export async function importPaths(
  store: Store,
  config: Config,
  paths: string[],
  options: ArticleImportOptions,
): Promise<ArticleImportReport> {
  return importFiles(store, config, await findImportFiles(paths), options);
}

/** Imports a text, as if it were a file of that name. */
export async function importText(
  store: Store,
  config: Config,
  input: { source: string; text: string; format: ImportFormat },
  options: ArticleImportOptions,
): Promise<ArticleImportReport> {
  return importFiles(store, config, [textFile(input.source, input.text, input.format)], options);
}

/** @param remember stores fingerprints of the files, for `importChangedFiles` */
export async function importFiles(
  store: Store,
  config: Config,
  files: ImportFile[],
  options: ArticleImportOptions & { remember?: boolean },
): Promise<ArticleImportReport> {
  const { clock, onProgress, remember = false, background = false } = options;
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const report = emptyReport();
  const seen = openSeenIds();
  let read = 0;
  let resumedAt = performance.now();
  try {
    for await (const { batch, bytes } of readBatches(files, candidateReader(config), seen)) {
      if (!remember) batch.ended = [];
      addToReport(report, await writeBatch(store, config, batch, clock()));
      read += batch.articles.length;
      onProgress?.({ read, bytes, totalBytes });
      // node:sqlite is synchronous: the rest of the process runs between two batches. One turn of the event loop is one
      // step of it, and a publish takes hundreds.
      if (background) await sleep(Math.min(performance.now() - resumedAt, MAX_PAUSE));
      else await nextTurn();
      resumedAt = performance.now();
    }
  } finally {
    seen.close();
  }
  return report;
}

/** Yields batches, with the number of bytes read so far; the last one may be empty. */
async function* readBatches(
  files: ImportFile[],
  readCandidate: CandidateReader,
  seen: SeenIds,
): AsyncGenerator<{ batch: ImportBatch; bytes: number }> {
  const newBatch = (): ImportBatch => ({ articles: [], spans: [], ended: [] });
  let batch = newBatch();
  let characters = 0;
  let bytesBefore = 0;
  for (const file of files) {
    const { path, fingerprint } = file;
    let from = 0;
    let isComplete = true;
    for await (const record of file.records()) {
      if (record.content.kind === 'gone' || record.content.kind === 'unreadable') isComplete = false;
      if (record.content.kind === 'gone') break;
      const article = await parseArticle(file, record, readCandidate, seen);
      batch.articles.push(article);
      characters += article.raw.length;
      if (batch.articles.length < BATCH_ARTICLES && characters < BATCH_CHARACTERS) continue;
      const to = record.line ?? 0;
      batch.spans.push({ path, from, to });
      from = to + 1;
      yield { batch, bytes: bytesBefore + record.readTo };
      batch = newBatch();
      characters = 0;
    }
    // The rejections of a file that could not be read stay, and the next import reads it again.
    if (isComplete) {
      batch.spans.push({ path, from, to: null });
      batch.ended.push({ path, fingerprint });
    }
    bytesBefore += file.bytes;
    // Empty files add no articles.
    if (batch.spans.length < BATCH_ARTICLES) continue;
    yield { batch, bytes: bytesBefore };
    batch = newBatch();
    characters = 0;
  }
  yield { batch, bytes: bytesBefore };
}

async function parseArticle(
  { path, name, format }: ImportFile,
  { line, content }: SourceRecord,
  readCandidate: CandidateReader,
  seen: SeenIds,
): Promise<ParsedArticle> {
  const place = { path, name, line };
  if (content.kind !== 'text') {
    const problems = content.kind === 'gone' ? [] : [`${name}:${line ?? 1}: ${content.rule}`];
    const raw = content.kind === 'unusable' ? content.raw : '';
    return { kind: 'invalid', ...place, raw, articleId: null, problems };
  }
  const raw = content.text;
  const record = format === 'markdown' ? parseMarkdown(raw) : parseJsonLine(raw, line ?? 1);
  const defaultId = format === 'markdown' ? basename(name, extname(name)) : null;
  const result = await readCandidate(record, name, defaultId);
  if (result.kind === 'invalid') {
    return { kind: 'invalid', ...place, raw, articleId: result.id, problems: result.problems };
  }
  const { candidate, warnings } = result;
  const { id } = candidate;
  const placeOf = (key: string): string => `${name}:${record.kind === 'parsed' ? record.lineOf([key]) : (line ?? 1)}`;
  const first = seen.add(id, placeOf('id'));
  if (first !== null) {
    const problem = `${placeOf('id')}: id is "${id}": article "${id}" is already at ${first}`;
    return { kind: 'invalid', ...place, raw, articleId: id, problems: [problem] };
  }
  return { kind: 'valid', ...place, raw, articleId: id, candidate, warnings, placeOf };
}

/** The ids that one import has read: two articles of one id would overwrite each other with each import. */
interface SeenIds {
  /** @returns the place where the id was read before, or null if it is new */
  add(id: string, place: string): string | null;
  close(): void;
}

/** A temporary database, which SQLite moves to disk as it grows: ten million ids take no more memory than ten. */
function openSeenIds(): SeenIds {
  const database = new DatabaseSync('');
  database.exec(`pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive;
    create table seen (id text primary key, place text not null) without rowid; begin`);
  const insert = database.prepare('insert or ignore into seen (id, place) values (?, ?)');
  const find = database.prepare('select place from seen where id = ?');
  return {
    add(id, place) {
      return insert.run(id, place).changes === 1 ? null : String(find.get(id)?.place);
    },
    close: () => database.close(),
  };
}
