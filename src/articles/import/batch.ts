/**
 * Writes a batch of parsed articles in one transaction, with all that follows from them: rejections of the same places
 * are replaced, and files that have been read to the end are remembered.
 */
import type { Config } from '../../core/config/config.ts';
import type { Db, Dialect, Store, Tx } from '../../core/store/store.ts';
import type { Clock } from '../../lib/time.ts';
import type { Article } from '../article.ts';
import { type DeskBase, type DeskField, type KeptEdits, keepDeskEdits, parseDeskBase } from '../edits/desk-base.ts';
import { formerFields, logEdit, saveDeskBase } from '../edits/edit-log.ts';
import { clearRejectionsOfFiles, clearRejectionsOfLines, recordRejection } from '../rejections.ts';
import { completeImage, type ImageFacts, urlToLookUp } from '../remote-images/image-facts.ts';
import { findImageFacts } from '../remote-images/image-queue.ts';
import { slugFrom, slugWithId } from '../slug.ts';
import { DOCUMENT_COLUMNS, toArticle } from '../stored-document.ts';
import type { Candidate } from './candidate.ts';
import { openNotices } from './notices.ts';
import { isSourceOrigin, mayReplace, originName } from './origin.ts';
import { parseInThread, parseRules } from './parse-in-thread.ts';
import { candidateOfPrepared, findWritable } from './prepared/find-writable.ts';
import type { PreparedArticle, PreparedResult } from './prepared/prepare.ts';
import { savePrepared } from './prepared/save-prepared.ts';
import type { ArticleImportResult, ImportResultEntry } from './result.ts';
import {
  type CurrentArticle,
  chooseSlug,
  type FieldMessage,
  type PlacedKey,
  type Revision,
  type RevisionContext,
  revise,
} from './revise.ts';
import { findSlugOwners, saveArticles } from './save.ts';

interface ArticleInput {
  /** Of the file, in the store. */
  path: string;
  /** Of the file, for people. */
  name: string;
  /** See origin.ts. */
  origin: string;
  line: number | null;
  raw: string;
  articleId: string | null;
}

interface ValidInput extends ArticleInput {
  kind: 'valid';
  articleId: string;
  /** Null if its rows depend on when they are written. */
  prepared: PreparedArticle | null;
  readCandidate(): Candidate;
  warnings: string[];
  /** `file:line` of a key. */
  placeOf(key: PlacedKey): string;
}

/** An article that is not written as prepared. */
interface ValidArticle extends ValidInput {
  candidate: Candidate;
}

interface InvalidArticle extends ArticleInput {
  kind: 'invalid';
  problems: string[];
}

export type ParsedArticle = ValidInput | InvalidArticle;

/** The lines of a file that a batch covers. `to`: null if the file ended. */
interface Span {
  path: string;
  from: number;
  to: number | null;
}

export interface ImportBatch {
  articles: ParsedArticle[];
  /** An instant from which on prepared articles are right. */
  preparedAt: number;
  spans: Span[];
  /** Files to remember: they ended in this batch, and are watched. */
  ended: { path: string; fingerprint: string }[];
  /** Whether its articles replace those of the same ids that belong to other origins. */
  takesOver: boolean;
}

const LAST_LINE = Number.MAX_SAFE_INTEGER;

export interface BatchOptions {
  now: number;
  /** Called at the end of the transaction. */
  withBatch?: ((tx: Tx, result: ArticleImportResult) => Promise<void>) | undefined;
}

/**
 * Imports one record in one transaction. Its keys are those of JSON Lines, without the names that the configuration
 * adds, which are for the newsroom's own files. Importing it again changes nothing.
 * @param place names it in rejections
 */
export async function importRecord(
  store: Store,
  config: Config,
  { place, origin, record }: { place: string; origin: string; record: object },
  { clock, withBatch }: { clock: Clock } & Pick<BatchOptions, 'withBatch'>,
): Promise<ArticleImportResult> {
  const input = { path: place, name: place, origin, line: null, raw: JSON.stringify(record) };
  const text = { name: place, format: 'jsonl' as const, line: null, text: input.raw, defaultId: null };
  const preparedAt = clock();
  const results = await parseInThread({ ...parseRules(config, {}), keys: {} }, [text], undefined);
  const articles = results.map((result) => toParsed(input, result));
  const spans = [{ path: place, from: 0, to: null }];
  const batch: ImportBatch = { articles, preparedAt, spans, ended: [], takesOver: false };
  const result = await writeBatch(store, config, batch, { now: clock(), withBatch });
  const notices = openNotices();
  notices.add(results);
  notices.addTo(result);
  return result;
}

/** The result of parsing an article, as a batch has it. */
export function toParsed(input: Omit<ArticleInput, 'articleId'>, result: PreparedResult): ParsedArticle {
  if (result.kind === 'invalid') return { kind: 'invalid', ...input, articleId: result.id, problems: result.problems };
  const { warnings, lines } = result;
  const [prepared, readCandidate] =
    result.kind === 'prepared'
      ? [result.prepared, () => candidateOfPrepared(result.prepared)]
      : [null, () => result.candidate];
  const { id } = prepared ?? readCandidate();
  const placeOf = (key: PlacedKey): string => `${input.name}:${lines[key]}`;
  return { kind: 'valid', ...input, articleId: id, prepared, readCandidate, warnings, placeOf };
}

/** Writes a batch, all of it or nothing. */
export async function writeBatch(
  store: Store,
  config: Config,
  batch: ImportBatch,
  { now, withBatch }: BatchOptions,
): Promise<ArticleImportResult> {
  const write = (articles: ParsedArticle[]) =>
    store.db.transaction().execute(async (tx) => {
      const result = await writeInTransaction(tx, store.dialect, config, { ...batch, articles }, now);
      await withBatch?.(tx, result);
      return result;
    });
  const unprepared = () => batch.articles.map((one) => (one.kind === 'valid' ? { ...one, prepared: null } : one));
  // The clock may have been set back.
  if (now < batch.preparedAt) return write(unprepared());
  // Another process may have taken a slug or a row between reading and writing; the second attempt reads it.
  return write(batch.articles).catch(() => write(unprepared()));
}

async function writeInTransaction(
  tx: Tx,
  dialect: Dialect,
  config: Config,
  batch: ImportBatch,
  now: number,
): Promise<ArticleImportResult> {
  const inputs = batch.articles.filter((article) => article.kind === 'valid');
  const prepared = await findPrepared(tx, inputs);
  const valid = inputs.filter((input) => !prepared.has(input)).map((input) => toValid(input));
  const { tagAuthority, url: publicUrl } = config.publication;
  const current = await readCurrent(tx, dialect, valid, batch.takesOver);
  const revised = reviseAll(valid, current, { now, tagAuthority, publicUrl });
  const rejected = [
    ...batch.articles.filter((article) => article.kind === 'invalid'),
    ...revised.flatMap(({ article, revision }) =>
      revision.kind === 'rejected' ? { ...article, problems: problemsOf(article, revision) } : [],
    ),
  ];
  const writes = revised.flatMap(({ article: { origin }, revision }) =>
    'article' in revision ? { ...revision, origin } : [],
  );
  await savePrepared(
    tx,
    [...prepared].flatMap((input) => input.prepared ?? []),
    now,
  );
  await saveArticles(tx, writes, now);
  await saveOrigins(tx, revised, current.origins);
  await settleDeskEdits(tx, revised, now);
  await replaceRejections(tx, batch.spans, rejected, now);
  await rememberFiles(tx, batch.ended, now);
  const revisions = new Map(revised.map(({ article, revision }) => [article.articleId, revision]));
  const warnings = inputs.flatMap((input) => {
    const problems = warningsOf(input, revisions.get(input.articleId) ?? null);
    return problems.length === 0 ? [] : toEntry(input, problems);
  });
  const count = (...kinds: Revision['kind'][]) =>
    revised.filter(({ revision }) => kinds.includes(revision.kind)).length;
  return {
    added: count('added') + prepared.size,
    updated: count('updated', 'refreshed'),
    unchanged: count('unchanged'),
    rejected: rejected.map((article) => toEntry(article, article.problems)),
    rejectedCount: rejected.length,
    warnings,
    warningCount: warnings.length,
    ignoredKeys: [],
  };
}

function toEntry({ name, line, articleId }: ArticleInput, problems: string[]): ImportResultEntry {
  return { source: name, line, articleId, problems };
}

function problemsOf({ placeOf }: ValidArticle, { problems }: Revision & { kind: 'rejected' }): string[] {
  return problems.map(({ key, message }) => `${placeOf(key)}: ${message}`);
}

/** @param revision null for an article that was written as prepared */
function warningsOf({ warnings, placeOf }: ValidInput, revision: Revision | null): string[] {
  if (revision === null) return warnings;
  if (revision.kind === 'rejected') return [];
  return [...warnings, ...revision.warnings.map(({ key, message }) => `${placeOf(key)}: ${key} ${message}`)];
}

function findPrepared(tx: Tx, inputs: ValidInput[]): Promise<Set<ValidInput>> {
  return findWritable(tx, inputs, (input) => {
    const valid = toValid(input);
    return [valid.candidate.slug ?? [], suggestedSlugs(valid)].flat();
  });
}

function toValid(input: ValidInput): ValidArticle {
  return { ...input, candidate: input.readCandidate() };
}

interface RevisedArticle {
  article: ValidArticle;
  revision: Revision;
  /** Of an article that the desk has changed. */
  deskEdits?: { before: Article; edits: KeptEdits };
}

/** What the store holds of the articles in a batch. */
interface CurrentState {
  byId: Map<string, CurrentArticle>;
  /** Suggested slugs, by id of the article: computed once, they take a twentieth of an import. */
  suggestions: Map<string, string[]>;
  /** Ids of articles, by slug. */
  slugOwners: Map<string, string>;
  /** What is known of pictures on other servers, by URL. */
  imageFacts: Map<string, ImageFacts>;
  /** By id of the article. */
  origins: Map<string, string | null>;
  /** What the desk has changed, by id of the article; see desk-base.ts. */
  deskBases: Map<string, DeskBase>;
  /** Articles that belong to another origin: where it is, by id of the article. */
  foreign: Map<string, string>;
}

/** Decides for each article in turn; an article takes its slug before the next one is decided. Pure. */
function reviseAll(
  articles: ValidArticle[],
  { byId, suggestions, slugOwners, foreign, imageFacts, deskBases }: CurrentState,
  context: RevisionContext,
): RevisedArticle[] {
  const owners = new Map(slugOwners);
  return articles.map((article) => {
    const { candidate } = article;
    const owner = foreign.get(candidate.id);
    if (owner !== undefined) {
      const message = `id is "${candidate.id}": this article belongs to ${originName(owner)}; choose another id`;
      return { article, revision: { kind: 'rejected', problems: [{ key: 'id', message }] } };
    }
    const current = byId.get(candidate.id) ?? null;
    const currentSlug = current?.article.slug ?? null;
    const suggested = suggestions.get(candidate.id) ?? [];
    const wanted = isSourceOrigin(article.origin) ? { id: candidate.id, slug: null } : candidate;
    const choice = chooseSlug(wanted, currentSlug, suggested, (slug) => owners.get(slug));
    if (choice.kind === 'taken') {
      const { slug, owner } = choice;
      const message = `slug is "${slug}": it belongs to article "${owner}"; choose another for "${candidate.id}"`;
      return { article, revision: { kind: 'rejected', problems: [{ key: 'slug', message }] } };
    }
    const image = completeImage(candidate.image, current?.article.image, imageFacts);
    const base = deskBases.get(candidate.id);
    const edits = base && current ? keepDeskEdits({ ...candidate, image }, current.article, base, context.now) : null;
    const revision = revise(edits?.candidate ?? { ...candidate, image }, choice.slug, current, context);
    if ('article' in revision) owners.set(choice.slug, candidate.id);
    if (edits === null || current === null || revision.kind === 'rejected') return { article, revision };
    const warnings = [...revision.warnings, ...replacementWarnings(edits.replaced)];
    return { article, revision: { ...revision, warnings }, deskEdits: { before: current.article, edits } };
  });
}

function replacementWarnings(replaced: readonly DeskField[]): FieldMessage[] {
  if (replaced.length === 0) return [];
  const message = `replaces what the desk changed: ${replaced.join(', ')}; the article's page at the desk has both`;
  return [{ key: 'id', message }];
}

/** Keeps what the import has replaced of the desk's edits, and forgets that the desk decides these fields. */
async function settleDeskEdits(tx: Tx, revised: RevisedArticle[], now: number): Promise<void> {
  for (const { article, revision, deskEdits } of revised) {
    if (deskEdits === undefined) continue;
    const { before, edits } = deskEdits;
    await saveDeskBase(tx, before.id, edits.base);
    if (edits.replaced.length === 0 || !('digest' in revision)) continue;
    const former = formerFields(before, edits.replaced);
    const { digest } = revision;
    await logEdit(tx, before.id, { author: originName(article.origin), act: 'import', before: former, digest }, now);
  }
}

async function readCurrent(
  tx: Tx,
  dialect: Dialect,
  articles: ValidArticle[],
  takesOver: boolean,
): Promise<CurrentState> {
  const candidates = articles.map(({ candidate }) => candidate);
  const rows = await readRows(tx, dialect, candidates);
  const origins = new Map(rows.map(({ id, origin }) => [id, origin]));
  const foreign = articles.flatMap(({ candidate: { id }, origin }): [string, string][] => {
    const former = origins.get(id) ?? null;
    return former === null || takesOver || mayReplace(former, origin) ? [] : [[id, former]];
  });
  const suggestions = new Map(articles.map((article) => [article.candidate.id, suggestedSlugs(article)]));
  const slugs = candidates.flatMap(({ id, slug }) => [
    ...(slug === null ? [] : [slug]),
    ...(suggestions.get(id) ?? []),
  ]);
  return {
    byId: new Map(rows.map((row) => [row.id, { article: toArticle(row), digest: row.digest }])),
    suggestions,
    slugOwners: await findSlugOwners(tx, [...new Set(slugs)]),
    imageFacts: await findImageFacts(
      tx,
      candidates.flatMap((candidate) => urlToLookUp(candidate) ?? []),
    ),
    origins,
    deskBases: new Map(
      rows.flatMap(({ id, desk_base }) => (desk_base === null ? [] : [[id, parseDeskBase(desk_base)]])),
    ),
    foreign: new Map(foreign),
  };
}

async function readRows(tx: Tx, dialect: Dialect, candidates: Candidate[]) {
  if (candidates.length === 0) return [];
  return (
    tx
      .selectFrom('articles')
      .select(['id', 'digest', ...DOCUMENT_COLUMNS, 'origin', 'desk_base'])
      .where(
        'id',
        'in',
        candidates.map(({ id }) => id),
      )
      .orderBy('id')
      // SQLite's transaction holds the only write lock already.
      .$if(dialect === 'postgres', (query) => query.forUpdate())
      .execute()
  );
}

/** A source's slug is a suggestion: other sites, or other paths of the same one, may have it too. */
function suggestedSlugs({ candidate: { slug, headline, id }, origin }: ValidArticle): string[] {
  if (slug === null) return [slugFrom(headline, id), slugWithId(headline, id)];
  return isSourceOrigin(origin) ? [slug, slugWithId(slug, id)] : [];
}

/** Articles that are not written otherwise. */
async function saveOrigins(tx: Tx, revised: RevisedArticle[], origins: CurrentState['origins']): Promise<void> {
  const moved = revised.filter(({ article: { candidate, origin }, revision }) => {
    return revision.kind === 'unchanged' && origins.get(candidate.id) !== origin;
  });
  for (const [origin, articles] of Map.groupBy(moved, ({ article }) => article.origin)) {
    const ids = articles.map(({ article }) => article.candidate.id);
    await tx.updateTable('articles').set({ origin }).where('id', 'in', ids).execute();
  }
}

async function replaceRejections(
  db: Db,
  spans: Span[],
  rejected: (ArticleInput & { problems: string[] })[],
  now: number,
) {
  const isWholeFile = ({ from, to }: Span): boolean => from === 0 && to === null;
  await clearRejectionsOfFiles(
    db,
    spans.filter(isWholeFile).map(({ path }) => path),
  );
  for (const span of spans) {
    if (!isWholeFile(span)) await clearRejectionsOfLines(db, span.path, span.from, span.to ?? LAST_LINE);
  }
  for (const { path, line, articleId, problems, raw } of rejected) {
    await recordRejection(db, { stage: 'import', source: path, line, articleId, problems, raw }, now);
  }
}

async function rememberFiles(db: Db, files: ImportBatch['ended'], now: number): Promise<void> {
  if (files.length === 0) return;
  await db
    .insertInto('imported_files')
    .values(files.map(({ path, fingerprint }) => ({ path, fingerprint, imported_at: now })))
    .onConflict((conflict) =>
      conflict.column('path').doUpdateSet((e) => ({
        fingerprint: e.ref('excluded.fingerprint'),
        imported_at: e.ref('excluded.imported_at'),
      })),
    )
    .execute();
}
