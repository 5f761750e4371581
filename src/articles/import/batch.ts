/**
 * Some hundred articles, judged against the store and written in one transaction with all that follows from them: what was set
 * aside before is cleared, what is rejected now is kept, and the files that ended are remembered.
 */
import type { Config } from '../../config/config.ts';
import type { Db, Dialect, Store } from '../../store/store.ts';
import { toArticle } from '../queries.ts';
import { clearRejectionsOfFiles, clearRejectionsOfLines, recordRejection } from '../rejections.ts';
import { slugFrom, slugWithId } from '../slug.ts';
import type { Candidate } from './candidate.ts';
import { type ArticleImportReport, emptyReport } from './report.ts';
import { chooseSlug, type FieldMessage, revise, type StoredArticle } from './revise.ts';
import { type ArticleWrite, findSlugOwners, saveArticles } from './save.ts';

/** One article that was read, good or bad. */
export interface ParsedArticle {
  /** The file's path in the store, and its name for people. */
  path: string;
  name: string;
  line: number | null;
  raw: string;
  articleId: string | null;
  candidate: Candidate | null;
  problems: string[];
  warnings: string[];
  /** `file:line` of a key. */
  placeOf(key: string): string;
}

/** The part of a file that a batch holds, by lines; `to` is null where the file ended. */
interface Span {
  path: string;
  from: number;
  to: number | null;
}

export interface ImportBatch {
  articles: ParsedArticle[];
  spans: Span[];
  /** Files that ended in this batch and are watched. */
  ended: { path: string; fingerprint: string }[];
}

const LAST_LINE = Number.MAX_SAFE_INTEGER;

/** Writes a batch, whole or not at all, and tells what became of it. */
export async function writeBatch(
  store: Store,
  config: Config,
  batch: ImportBatch,
  now: number,
): Promise<ArticleImportReport> {
  const write = (): Promise<ArticleImportReport> =>
    store.db.transaction().execute((db) => writeIn(db, store.dialect, config, batch, now));
  // Another process may have taken a slug or a row between our look and our write; the second look sees it and names it.
  return write().catch(write);
}

async function writeIn(
  db: Db,
  dialect: Dialect,
  config: Config,
  batch: ImportBatch,
  now: number,
): Promise<ArticleImportReport> {
  const report = emptyReport();
  const bad = batch.articles.filter((reading) => reading.candidate === null);
  const good = batch.articles.filter((reading) => reading.candidate !== null);
  const refused = await reviseAll(db, dialect, config, good, now, report);

  const whole = batch.spans.filter(({ from, to }) => from === 0 && to === null);
  await clearRejectionsOfFiles(
    db,
    whole.map(({ path }) => path),
  );
  for (const { path, from, to } of batch.spans) {
    if (from !== 0 || to !== null) await clearRejectionsOfLines(db, path, from, to ?? LAST_LINE);
  }
  for (const { path, name, line, articleId, problems, raw } of [...bad, ...refused]) {
    await recordRejection(db, { stage: 'import', source: path, line, articleId, problems, raw }, now);
    report.rejected.push({ source: name, line, articleId, problems });
    report.rejectedCount += 1;
  }
  await rememberSources(db, batch.ended, now);
  return report;
}

async function reviseAll(
  db: Db,
  dialect: Dialect,
  config: Config,
  readings: ParsedArticle[],
  now: number,
  report: ArticleImportReport,
): Promise<ParsedArticle[]> {
  const { tagAuthority, url: publicUrl } = config.publication;
  const storedById = await findStored(db, dialect, readings);
  const suggestions = new Map(readings.map(({ candidate }) => [candidate, suggestionsFor(candidate as Candidate)]));
  const owners = await findSlugOwners(db, [
    ...new Set(readings.flatMap(({ candidate }) => [candidate?.slug ?? [], suggestions.get(candidate) ?? []].flat())),
  ]);
  const savings: ArticleWrite[] = [];
  const refused: ParsedArticle[] = [];
  const refuse = (reading: ParsedArticle, remarks: FieldMessage[]): void => {
    refused.push({ ...reading, problems: remarks.map(({ key, message: says }) => `${reading.placeOf(key)}: ${says}`) });
  };

  for (const reading of readings) {
    const candidate = reading.candidate as Candidate;
    const stored = storedById.get(candidate.id) ?? null;
    const choice = chooseSlug(candidate, stored?.article.slug ?? null, suggestions.get(candidate) ?? [], (slug) =>
      owners.get(slug),
    );
    if (choice.kind === 'taken') {
      const says = `slug is "${choice.slug}": it belongs to article "${choice.by}", and article "${candidate.id}" needs another`;
      refuse(reading, [{ key: 'slug', message: says }]);
      continue;
    }
    const revision = revise(candidate, choice.slug, stored, { now, tagAuthority, publicUrl });
    if (revision.kind === 'refused') {
      refuse(reading, revision.problems);
      continue;
    }
    if (revision.kind === 'unchanged') {
      report.unchanged += 1;
    } else {
      owners.set(choice.slug, candidate.id);
      savings.push({ article: revision.article, digest: revision.digest });
      report[revision.kind === 'added' ? 'added' : 'updated'] += 1;
    }
    warn(report, reading, revision.warnings);
  }
  await saveArticles(db, savings, now);
  return refused;
}

function warn(report: ArticleImportReport, reading: ParsedArticle, remarks: FieldMessage[]): void {
  const problems = [
    ...reading.warnings,
    ...remarks.map(({ key, message: says }) => `${reading.placeOf(key)}: ${key} ${says}`),
  ];
  if (problems.length === 0) return;
  report.warnings.push({ source: reading.name, line: reading.line, articleId: reading.articleId, problems });
  report.warningCount += 1;
}

async function findStored(db: Db, dialect: Dialect, readings: ParsedArticle[]): Promise<Map<string, StoredArticle>> {
  if (readings.length === 0) return new Map();
  const ids = readings.map(({ candidate }) => (candidate as Candidate).id);
  const rows = await db
    .selectFrom('articles')
    .select(['id', 'digest', 'document'])
    .where('id', 'in', ids)
    .orderBy('id')
    // SQLite's transaction holds the only write lock already.
    .$if(dialect === 'postgres', (query) => query.forUpdate())
    .execute();
  return new Map(rows.map((row) => [row.id, { article: toArticle(row.document), digest: row.digest }]));
}

function suggestionsFor({ slug, headline, id }: Candidate): string[] {
  return slug === null ? [slugFrom(headline, id), slugWithId(headline, id)] : [];
}

async function rememberSources(db: Db, ended: ImportBatch['ended'], now: number): Promise<void> {
  if (ended.length === 0) return;
  await db
    .insertInto('imported_files')
    .values(ended.map(({ path, fingerprint }) => ({ path, fingerprint, imported_at: now })))
    .onConflict((conflict) =>
      conflict.column('path').doUpdateSet((e) => ({
        fingerprint: e.ref('excluded.fingerprint'),
        imported_at: e.ref('excluded.imported_at'),
      })),
    )
    .execute();
}
