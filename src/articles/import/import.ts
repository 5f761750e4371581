/**
 * Imports articles: reads files record by record, validates each article by itself, and writes them batch by batch. Of
 * all articles, only the ids are kept in memory. Importing again changes nothing.
 */
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../core/config/config.ts';
import { analyseGrown } from '../../core/store/maintenance.ts';
import type { Store } from '../../core/store/store.ts';
import type { Clock } from '../../lib/time.ts';
import { type ImportBatch, type ParsedArticle, toParsed, type WriteOptions, writeBatch } from './batch.ts';
import { withDefaultIds } from './files/default-ids.ts';
import { findImportFiles, ImportError, type ImportFile } from './files/import-files.ts';
import type { SourceRecord } from './files/json-lines.ts';
import { type ImportMessage, messagesOf, Notices } from './message-kinds.ts';
import { isSourceOrigin } from './origin.ts';
import type { ArticleResult, ParseRules } from './parse-articles.ts';
import { parseInThread, parseRules } from './parse-in-thread.ts';
import { type ArticleImportResult, addToResult, emptyResult } from './result.ts';
import { type NewsHold, openNewsHold } from './runs/news-hold.ts';
import { clearGoneFiles } from './watched/gone-files.ts';

export interface ArticleImportOptions extends WriteOptions {
  clock: Clock;
  /** Called after each batch. `read` counts articles. */
  onProgress?: ((progress: { read: number; bytes: number; totalBytes: number }) => void) | undefined;
  /** Leaves half of the time to the rest of the process, so that it publishes in time during a large import. */
  background?: boolean;
  /** Ends the import: what has been written until then stays, and the rest is left to the next one. */
  signal?: AbortSignal | undefined;
  /** Called with the messages about the articles of each batch, once that is stored. */
  onMessages?: ((messages: ImportMessage[]) => Promise<void>) | undefined;
  /** The operator has looked: news of a first import is not held back. */
  yes?: boolean | undefined;
}

/** A batch ends with this many articles, or characters of them. */
const BATCH_ARTICLES = 100;
const BATCH_CHARACTERS = 2 * 1024 * 1024;
/** The tables to which an import adds most rows. */
const WRITTEN_TABLES = ['articles', 'indexed_articles', 'article_tags', 'article_reporters', 'article_slugs'] as const;
/** In the background, the pause between two batches is as long as the last batch took, but at most this, in ms. */
const MAX_PAUSE = 100;

/**
 * Imports Markdown files, folders of them, and JSON Lines. An invalid article is rejected whole, and the others are
 * stored; earlier rejections of the same places, and of removed files, are cleared. Articles of removed files stay.
 * @throws ImportError if a path does not exist or holds no articles; then nothing is imported
 */
export async function importPaths(
  store: Store,
  config: Config,
  paths: string[],
  options: ArticleImportOptions,
): Promise<ArticleImportResult> {
  const clear = async (listed: string[], failed: string[], found: ImportFile[]) =>
    options.isDryRun || clearGoneFiles(store, { listed, failed }, found);
  const files = await findImportFiles(paths).catch(async (error: unknown) => {
    if (error instanceof ImportError) await clear([], paths, []);
    throw error;
  });
  await clear(paths, [], files);
  const isFile = new Set(files.map((file) => file.path));
  const roots = paths.map((path) => resolve(path)).map((path) => (isFile.has(path) ? dirname(path) : path));
  return holdingNews(store, config, { roots: [...new Set(roots)] }, options, (hold) =>
    importFiles(store, config, files, { ...options, hold }),
  );
}

/**
 * Runs an import with a hold for the news of a first one, and writes what was held back if it is little.
 * @param first see `openNewsHold`; `since`: default now
 * @param importAll must pass the hold to `importFiles`
 */
export async function holdingNews(
  store: Store,
  config: Config,
  first: { roots: readonly string[]; since?: number },
  { clock, yes, takeOver, undated, run, isDryRun, withBatch }: ArticleImportOptions,
  importAll: (hold: NewsHold<ParsedArticle> | undefined) => Promise<ArticleImportResult>,
): Promise<ArticleImportResult> {
  const now = clock();
  const { roots, since = now } = first;
  const hold = yes ? undefined : await openNewsHold<ParsedArticle>(store.db, roots, { now, since });
  const result = await importAll(hold);
  if (hold === undefined || hold.count === 0) return result;
  const { articles, examples } = hold;
  if (hold.isTooMuch) return { ...result, heldNews: hold.count, heldExamples: examples };
  const spans = articles.map(({ path, line }) => ({ path, from: line ?? 0, to: line }));
  const options = { now: clock(), takeOver, undated, run, isDryRun, withBatch };
  addToResult(result, await writeBatch(store, config, { articles, spans, ended: [] }, options));
  return result;
}

/** @param remember stores fingerprints of the files, for `importChangedFiles` */
export async function importFiles(
  store: Store,
  config: Config,
  files: ImportFile[],
  options: ArticleImportOptions & { remember?: boolean },
): Promise<ArticleImportResult> {
  const { clock, onProgress, onMessages, remember = false, background = false, signal } = options;
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const result = emptyResult();
  const seen = openSeenIds();
  const notices = new Notices();
  const placed = await withDefaultIds(store.db, files, { takeOver: options.takeOver ?? false, now: clock() });
  let read = 0;
  let resumedAt = performance.now();
  try {
    for await (const parsed of parseAhead(readBatches(placed), parseRules(config), signal)) {
      if (signal?.aborted) break;
      const { batch: texts, results } = parsed;
      const batch = toImportBatch(parsed, seen);
      const noticed = notices.add(results);
      if (!remember) batch.ended = [];
      const part = await writeBatch(store, config, batch, { ...options, now: clock() });
      addToResult(result, part);
      const { rejected, warnings } = part;
      await onMessages?.([...messagesOf('rejected', rejected), ...messagesOf('warning', warnings), ...noticed]);
      read += batch.articles.length;
      onProgress?.({ read, bytes: texts.bytes, totalBytes });
      // The rest of the process runs between two batches. One turn of the event loop is one step of it, and a publish
      // takes hundreds.
      if (background) await sleep(Math.min(performance.now() - resumedAt, MAX_PAUSE));
      else await nextTurn();
      resumedAt = performance.now();
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    seen.close();
  }
  notices.addTo(result);
  if (!signal?.aborted) await analyseArticles(store, result);
  return result;
}

/** After an import. `importFiles` does so itself, but who calls it for each part knows how large the whole is. */
export async function analyseArticles({ db }: Store, { added, updated }: ArticleImportResult): Promise<void> {
  await analyseGrown(db, WRITTEN_TABLES, added + updated);
}

/** Articles that are read, and not parsed yet. */
interface TextBatch extends Pick<ImportBatch, 'spans' | 'ended'> {
  records: { file: ImportFile; record: SourceRecord }[];
  /** Read so far, of all files. */
  bytes: number;
}

/** Yields batches; the last one may be empty. */
async function* readBatches(files: ImportFile[]): AsyncGenerator<TextBatch> {
  const newBatch = (): TextBatch => ({ records: [], spans: [], ended: [], bytes: 0 });
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
      batch.records.push({ file, record });
      characters += rawOf(record).length;
      if (batch.records.length < BATCH_ARTICLES && characters < BATCH_CHARACTERS) continue;
      const to = record.line ?? 0;
      batch.spans.push({ path, from, to });
      from = to + 1;
      yield { ...batch, bytes: bytesBefore + record.readTo };
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
    yield { ...batch, bytes: bytesBefore };
    batch = newBatch();
    characters = 0;
  }
  yield { ...batch, bytes: bytesBefore };
}

interface ParsedBatch {
  batch: TextBatch;
  /** One for each record that is text, in order. */
  results: ArticleResult[];
}

/**
 * Parses each batch while the one before it is written: one at a time. A second thread would take 40 MB more, and slow
 * down the threads that write where there are two cores.
 */
async function* parseAhead(
  batches: AsyncIterable<TextBatch>,
  rules: ParseRules,
  signal: AbortSignal | undefined,
): AsyncGenerator<ParsedBatch> {
  let parsing: Promise<ParsedBatch> | null = null;
  for await (const batch of batches) {
    const parsed: ParsedBatch | null = await parsing;
    parsing = parseBatch(batch, rules, signal);
    // Its error is thrown when its turn comes.
    parsing.catch(() => {});
    if (parsed !== null) yield parsed;
  }
  if (parsing !== null) yield await parsing;
}

async function parseBatch(batch: TextBatch, rules: ParseRules, signal: AbortSignal | undefined): Promise<ParsedBatch> {
  const texts = batch.records.flatMap(({ file, record: { line, content } }) => {
    const { name, format, defaultId = null, defaults, pictures } = file;
    if (content.kind !== 'text') return [];
    const isFromSource = isSourceOrigin(file.origin);
    return { name, format, line, text: content.text, defaultId, defaults, pictures, isFromSource };
  });
  return { batch, results: await parseInThread(rules, texts, signal) };
}

function toImportBatch({ batch: { records, spans, ended }, results }: ParsedBatch, seen: SeenIds): ImportBatch {
  const rest = results.values();
  const articles = records.flatMap(({ file, record }) => {
    const result = record.content.kind === 'text' ? (rest.next().value as ArticleResult) : null;
    return result?.kind === 'skipped' ? [] : toParsedArticle(file, record, result, seen);
  });
  return { articles, spans, ended };
}

/** @param result null if the record is no text */
function toParsedArticle(
  { path, name, origin }: ImportFile,
  record: SourceRecord,
  result: ArticleResult | null,
  seen: SeenIds,
): ParsedArticle {
  const { line, content } = record;
  const place = { path, name, origin, line, raw: rawOf(record) };
  if (result === null) {
    const problems = 'rule' in content ? [`${name}:${line ?? 1}: ${content.rule}`] : [];
    return { kind: 'invalid', ...place, articleId: null, problems };
  }
  const article = toParsed(place, result);
  if (article.kind === 'invalid') return article;
  const { articleId, placeOf } = article;
  const first = seen.add(articleId, placeOf('id'));
  if (first === null) return article;
  const problem = `${placeOf('id')}: id is "${articleId}": article "${articleId}" is already at ${first}`;
  return { kind: 'invalid', ...place, articleId, problems: [problem] };
}

/** What an operator gets to see of a rejected record. */
function rawOf({ content }: SourceRecord): string {
  switch (content.kind) {
    case 'text':
      return content.text;
    case 'unusable':
      return content.raw;
    default:
      return '';
  }
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
