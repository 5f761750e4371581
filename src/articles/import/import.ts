/**
 * Brings articles in: reads files piece by piece, judges each article by itself, and writes them batch by batch, so that a
 * hundred thousand take no more memory than a hundred. Doing it again changes nothing.
 */
import { basename, extname } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import { type ImportBatch, type ParsedArticle, writeBatch } from './batch.ts';
import { type CandidateReader, candidateReader } from './candidate.ts';
import { findImportFiles, type ImportFile, type ImportFormat, textFile } from './import-files.ts';
import { parseJsonLine, parseMarkdown } from './parse.ts';
import { type ArticleImportReport, addToReport, emptyReport } from './report.ts';
import { openSeenIds, type SeenIds } from './seen-ids.ts';
import type { SourceRecord } from './source-record.ts';

export interface ArticleImportOptions {
  clock: Clock;
  /** Called after each batch. `read` counts articles. */
  onProgress?: ((progress: { read: number; bytes: number; totalBytes: number }) => void) | undefined;
  /** Leaves half of the time to whatever else this process does, so that it publishes in time while a large file comes in. */
  sharesTime?: boolean;
}

/** A batch ends with so many articles, or bytes of them. */
const BATCH_ARTICLES = 100;
const BATCH_BYTES = 2 * 1024 * 1024;
/** Between two batches it rests as long as the last one took, but no longer than this, in milliseconds. */
const LONGEST_REST = 100;

/**
 * Imports Markdown files, folders of them, and JSON Lines. An article with a problem is rejected whole, and the others are
 * stored; what was rejected from the same place before is cleared. Articles of files that have vanished stay as they are.
 * @throws ImportError where a path does not exist or holds no articles; then nothing is imported
 */
export async function importPaths(
  store: Store,
  config: Config,
  paths: string[],
  options: ArticleImportOptions,
): Promise<ArticleImportReport> {
  return importFiles(store, config, await findImportFiles(paths), options);
}

/** Imports one text, as if it were a file of that name. */
export async function importText(
  store: Store,
  config: Config,
  input: { source: string; text: string; format: ImportFormat },
  options: ArticleImportOptions,
): Promise<ArticleImportReport> {
  return importFiles(store, config, [textFile(input.source, input.text, input.format)], options);
}

/** Imports these sources as one. @param remember note their fingerprints, for `importChangedSources` */
export async function importFiles(
  store: Store,
  config: Config,
  sources: ImportFile[],
  options: ArticleImportOptions & { remember?: boolean },
): Promise<ArticleImportReport> {
  const { clock, onProgress, remember = false, sharesTime = false } = options;
  const report = emptyReport();
  const read = candidateReader(config);
  const seen = openSeenIds();
  const totalBytes = sources.reduce((sum, source) => sum + source.bytes, 0);
  let batch: ImportBatch = { articles: [], spans: [], ended: [] };
  let held = 0;
  let articles = 0;
  let rested = performance.now();
  const flush = async (bytes: number): Promise<void> => {
    addToReport(report, await writeBatch(store, config, batch, clock()));
    batch = { articles: [], spans: [], ended: [] };
    held = 0;
    onProgress?.({ read: articles, bytes, totalBytes });
    // node:sqlite is synchronous: whatever else this process does gets its turn between two batches. One turn is one step of it,
    // and to publish takes hundreds.
    if (sharesTime) await sleep(Math.min(performance.now() - rested, LONGEST_REST));
    else await nextTurn();
    rested = performance.now();
  };

  try {
    let before = 0;
    for (const source of sources) {
      const { path } = source;
      let from = 0;
      let whole = true;
      for await (const piece of source.pieces()) {
        if (piece.content.kind === 'gone' || piece.content.kind === 'unreadable') whole = false;
        if (piece.content.kind === 'gone') break;
        const reading = await readPiece(source, piece, read, seen);
        batch.articles.push(reading);
        articles += 1;
        held += reading.raw.length;
        if (batch.articles.length < BATCH_ARTICLES && held < BATCH_BYTES) continue;
        const to = piece.line ?? 0;
        batch.spans.push({ path, from, to });
        from = to + 1;
        await flush(before + piece.readTo);
      }
      // Of what could not be read, what was rejected before stays, and the next look tries again.
      if (whole) batch.spans.push({ path, from, to: null });
      if (whole && remember) batch.ended.push({ path, fingerprint: source.fingerprint });
      before += source.bytes;
      // Empty files fill no batch.
      if (batch.spans.length >= BATCH_ARTICLES) await flush(before);
    }
    await flush(before);
  } finally {
    seen.close();
  }
  return report;
}

async function readPiece(
  source: ImportFile,
  piece: SourceRecord,
  read: CandidateReader,
  seen: SeenIds,
): Promise<ParsedArticle> {
  const { path, name, format } = source;
  const { line, content } = piece;
  const reading = {
    path,
    name,
    line,
    articleId: null,
    candidate: null,
    warnings: [],
    placeOf: () => `${name}:${line ?? 1}`,
  };
  if (content.kind !== 'text') {
    const problems = content.kind === 'gone' ? [] : [`${name}:${line ?? 1}: ${content.rule}`];
    return { ...reading, raw: content.kind === 'unusable' ? content.raw : '', problems };
  }
  const raw = content.text;
  const parsed = format === 'markdown' ? parseMarkdown(raw) : parseJsonLine(raw, line ?? 1);
  const defaultId = format === 'markdown' ? basename(name, extname(name)) : null;
  const result = await read(parsed, name, defaultId);
  if (result.kind === 'bad') return { ...reading, raw, articleId: result.id, problems: result.problems };

  const { candidate, warnings } = result;
  const { id } = candidate;
  const placeOf = (key: string): string => `${name}:${parsed.kind === 'parsed' ? parsed.lineOf([key]) : (line ?? 1)}`;
  const first = seen.see(id, placeOf('id'));
  if (first !== null) {
    const says = `${placeOf('id')}: id is "${id}": article "${id}" stands at ${first} already`;
    return { ...reading, raw, articleId: id, problems: [says] };
  }
  return { ...reading, raw, articleId: id, candidate, problems: [], warnings, placeOf };
}
