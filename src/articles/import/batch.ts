/**
 * Writes a batch of parsed articles in one transaction, with all that follows from them: rejections of the same places
 * are replaced, and files that have been read to the end are remembered.
 */
import type { Config } from '../../core/config/config.ts';
import { type Db, inTransaction, rollBack, type Store, type Tx } from '../../core/store/store.ts';
import type { Clock } from '../../lib/time.ts';
import type { Article } from '../article.ts';
import { type DeskField, type KeptEdits, keepDeskEdits, parseDeskBase } from '../edits/desk-base.ts';
import { formerFields, logEdit, saveDeskBase } from '../edits/edit-log.ts';
import { readStoredArticles, type StoredArticle } from '../edits/stored-article.ts';
import { clearRejectionsOfFiles, clearRejectionsOfLines, recordRejection } from '../rejections.ts';
import { completeImage, findImageFacts, type ImageFacts, urlToLookUp } from '../remote-images/image-queue.ts';
import { slugsFrom } from '../slug.ts';
import type { Candidate } from './candidate.ts';
import type { ImportFile } from './files/import-files.ts';
import { rememberFiles } from './files/import-files.ts';
import { Notices } from './message-kinds.ts';
import { isSourceOrigin, mayReplace, originName } from './origin.ts';
import type { ArticleResult } from './parse-articles.ts';
import { parseInThread, parseRules } from './parse-in-thread.ts';
import { type ArticleImportResult, emptyResult, type ImportResultEntry } from './result.ts';
import {
  chooseSlug,
  type FieldMessage,
  type PlacedKey,
  type Revision,
  type RevisionContext,
  revise,
} from './revise.ts';
import { recordRunArticles } from './runs/import-runs.ts';
import { HELD_RULE, type NewsHold } from './runs/news-hold.ts';
import { findSlugOwners, saveArticles } from './save.ts';

interface ArticleInput extends Pick<ImportFile, 'path' | 'name' | 'origin'> {
  line: number | null;
  raw: string;
  articleId: string | null;
}

interface ValidArticle extends ArticleInput {
  kind: 'valid';
  articleId: string;
  candidate: Candidate;
  warnings: string[];
  /** Whether the slug is a suggestion, as the article's address does not depend on it. */
  hasFreeSlug: boolean;
  /** `file:line` of a key. */
  placeOf(key: PlacedKey): string;
}

interface InvalidArticle extends ArticleInput {
  kind: 'invalid';
  problems: string[];
}

export type ParsedArticle = ValidArticle | InvalidArticle;

/** The lines of a file that a batch covers. `to`: null if the file ended. */
interface Span {
  path: string;
  from: number;
  to: number | null;
}

export interface ImportBatch {
  articles: ParsedArticle[];
  spans: Span[];
  /** Files to remember: they ended in this batch, and are watched. */
  ended: { path: string; fingerprint: string }[];
}

const LAST_LINE = Number.MAX_SAFE_INTEGER;

export interface WriteOptions extends Pick<RevisionContext, 'undated'> {
  /** Articles that belong to other files or to sources go over to these ones; see origin.ts. */
  takeOver?: boolean | undefined;
  /** Holds back the news of a first import. Default: all articles are written. */
  hold?: NewsHold<ParsedArticle> | undefined;
  /** The run of `daywire import` that can be undone; see import-runs.ts. */
  run?: number | undefined;
  /** Counts what would be done, in transactions that are taken back. */
  isDryRun?: boolean | undefined;
  /** Called at the end of the transaction of each batch. What it throws rolls the batch back, and ends the import. */
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
  { clock, withBatch }: { clock: Clock } & Pick<WriteOptions, 'withBatch'>,
): Promise<ArticleImportResult> {
  const input = { path: place, name: place, origin, line: null, raw: JSON.stringify(record) };
  const text = { name: place, format: 'jsonl' as const, line: null, text: input.raw, defaultId: null };
  const results = await parseInThread({ ...parseRules(config), keys: {} }, [text], undefined);
  const articles = results.map((result) => toParsed(input, result));
  const spans = [{ path: place, from: 0, to: null }];
  const result = await writeBatch(store, config, { articles, spans, ended: [] }, { now: clock(), withBatch });
  const notices = new Notices();
  notices.add(results);
  notices.addTo(result);
  return result;
}

/** The result of parsing an article, as a batch has it. */
export function toParsed(input: Omit<ArticleInput, 'articleId'>, result: ArticleResult): ParsedArticle {
  if (result.kind !== 'valid') return { kind: 'invalid', ...input, articleId: result.id, problems: result.problems };
  const { candidate, warnings, lines, hasFreeSlug } = result;
  const placeOf = (key: PlacedKey): string => `${input.name}:${lines[key]}`;
  return { kind: 'valid', ...input, articleId: candidate.id, candidate, warnings, hasFreeSlug, placeOf };
}

/** Writes a batch, all of it or nothing. */
export async function writeBatch(
  store: Store,
  config: Config,
  batch: ImportBatch,
  options: WriteOptions & { now: number },
): Promise<ArticleImportResult> {
  const write = () =>
    (options.isDryRun ? rollBack : inTransaction)(store.db, async (tx) => {
      const written = await writeInTransaction(tx, config, batch, options);
      await options.withBatch?.(tx, written.result);
      return written;
    });
  // Another process may have taken a slug or a row between reading and writing; the second attempt reads it.
  const { result, held } = await write().catch(write);
  for (const article of held) options.hold?.add(article);
  return result;
}

async function writeInTransaction(
  tx: Tx,
  config: Config,
  batch: ImportBatch,
  { now, undated, takeOver = false, hold, run }: WriteOptions & { now: number },
): Promise<{ result: ArticleImportResult; held: ValidArticle[] }> {
  const valid = batch.articles.filter((article) => article.kind === 'valid');
  const { tagAuthority, url: publicUrl } = config.publication;
  const current = await readCurrent(tx, valid);
  const revised = reviseAll(valid, current, { now, tagAuthority, publicUrl, undated, takeOver, hold });
  const rejected = [
    ...batch.articles.filter((article) => article.kind === 'invalid'),
    ...revised.flatMap(({ article, revision }) => {
      if (revision.kind !== 'rejected') return [];
      return {
        ...article,
        problems: revision.problems.map(({ key, message }) => `${article.placeOf(key)}: ${message}`),
      };
    }),
  ];
  const held = revised.flatMap(({ article, revision }) => (revision.kind === 'held' ? article : []));
  const writes = revised.flatMap(({ article: { origin }, revision }) =>
    'article' in revision ? { ...revision, origin } : [],
  );
  await saveArticles(tx, writes, now);
  await saveOrigins(tx, revised, current.byId);
  await settleDeskEdits(tx, revised, now);
  if (run !== undefined) await recordRunArticles(tx, run, madePublic(revised, current.byId));
  const places = held.map((article) => ({
    ...article,
    problems: [`${article.placeOf('id')}: ${HELD_RULE}`],
    isHeld: true,
  }));
  await replaceRejections(tx, batch.spans, [...rejected, ...places], now);
  await rememberFiles(tx, batch.ended, now);
  const warnings = revised.flatMap(({ article, revision }) => {
    if (!('warnings' in revision)) return [];
    const late = revision.warnings.map(({ key, message }) => `${article.placeOf(key)}: ${key} ${message}`);
    const problems = [...article.warnings, ...late];
    return problems.length === 0 ? [] : toEntry(article, problems);
  });
  const count = (...kinds: RevisedArticle['revision']['kind'][]) =>
    revised.filter(({ revision }) => kinds.includes(revision.kind)).length;
  const result: ArticleImportResult = {
    ...emptyResult(),
    added: count('added'),
    updated: count('updated', 'refreshed'),
    unchanged: count('unchanged'),
    rejected: rejected.map((article) => toEntry(article, article.problems)),
    rejectedCount: rejected.length,
    warnings,
    warningCount: warnings.length,
  };
  return { result, held };
}

/** Ids of the articles that a batch has added, or brought back after a retraction. */
function madePublic(revised: RevisedArticle[], before: CurrentState['byId']): string[] {
  return revised.flatMap(({ article: { articleId: id }, revision }) => {
    const wasRetracted = before.get(id)?.article.status.state === 'retracted';
    const isBack = wasRetracted && 'article' in revision && revision.article.status.state !== 'retracted';
    return revision.kind === 'added' || isBack ? id : [];
  });
}

function toEntry({ name, line, articleId }: ArticleInput, problems: string[]): ImportResultEntry {
  return { source: name, line, articleId, problems };
}

interface RevisedArticle {
  article: ValidArticle;
  /** `held`: it is news of a first import. */
  revision: Revision | { kind: 'held' };
  /** The desk's changes to the article, if there are any. */
  deskEdits?: { before: Article; edits: KeptEdits };
}

/** What the store holds of the articles in a batch. */
interface CurrentState {
  byId: Map<string, StoredArticle>;
  /** Ids of articles, by slug. */
  slugOwners: Map<string, string>;
  /** Known facts about pictures on other servers, by URL. */
  imageFacts: Map<string, ImageFacts>;
}

/** Decides for each article in turn; an article takes its slug before the next one is decided. */
function reviseAll(
  articles: ValidArticle[],
  { byId, slugOwners, imageFacts }: CurrentState,
  context: RevisionContext & Pick<WriteOptions, 'takeOver' | 'hold'>,
): RevisedArticle[] {
  const owners = new Map(slugOwners);
  return articles.map((article) => {
    const { candidate, origin } = article;
    const { id } = candidate;
    const reject = (key: PlacedKey, message: string): RevisedArticle => {
      return { article, revision: { kind: 'rejected', problems: [{ key, message }] } };
    };
    const current = byId.get(id) ?? null;
    const owner = current?.origin ?? null;
    if (owner !== null && !context.takeOver && !mayReplace(owner, origin)) {
      return reject('id', `id is "${id}": this article belongs to ${originName(owner)}; choose another id`);
    }
    const isSuggested = article.hasFreeSlug && candidate.slug !== null;
    const wanted = isSourceOrigin(origin) || isSuggested ? { id, slug: null } : candidate;
    const currentSlug = isSuggested ? null : (current?.article.slug ?? null);
    const slug = chooseSlug(wanted, currentSlug, suggestedSlugs(article), (one) => owners.get(one));
    if (slug === null) return reject('slug', 'slug is missing: other articles have all that its headline suggests');
    const completed = { ...candidate, image: completeImage(candidate.image, current?.article.image, imageFacts) };
    const edits = current?.deskBase
      ? keepDeskEdits(completed, current.article, parseDeskBase(current.deskBase), context.now)
      : null;
    const revision = revise(edits?.candidate ?? completed, slug, current, context);
    if ('warnings' in revision && wanted.slug !== null && wanted.slug !== slug) {
      const message = `"${wanted.slug}" belongs to article "${owners.get(wanted.slug)}": "${slug}" is used`;
      revision.warnings.push({ key: 'slug', message });
    }
    const isHeld = revision.kind === 'added' && context.hold?.holds(origin, revision.article, context.now);
    if (isHeld) return { article, revision: { kind: 'held' } };
    if ('article' in revision) owners.set(slug, id);
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

async function readCurrent(tx: Tx, articles: ValidArticle[]): Promise<CurrentState> {
  const ids = articles.map(({ articleId }) => articleId);
  const slugs = articles.flatMap((article) => [article.candidate.slug ?? [], suggestedSlugs(article)].flat());
  const images = articles.flatMap(({ candidate }) => urlToLookUp(candidate) ?? []);
  return {
    byId: await readStoredArticles(tx, ids),
    slugOwners: await findSlugOwners(tx, [...new Set(slugs)]),
    imageFacts: await findImageFacts(tx, images),
  };
}

/** A source's slug is a suggestion: other sites, or other paths of the same one, may have it too. */
function suggestedSlugs({ candidate: { slug, headline, id, language } }: ValidArticle): string[] {
  return [...(slug === null ? [] : [slug]), ...slugsFrom(slug ?? headline, id, language)];
}

/** Articles that are not written otherwise. */
async function saveOrigins(tx: Tx, revised: RevisedArticle[], stored: CurrentState['byId']): Promise<void> {
  for (const { article, revision } of revised) {
    const { articleId, origin } = article;
    if (revision.kind !== 'unchanged' || stored.get(articleId)?.origin === origin) continue;
    await tx.updateTable('articles').set({ origin }).where('id', '=', articleId).execute();
  }
}

async function replaceRejections(
  db: Db,
  spans: Span[],
  rejected: (ArticleInput & { problems: string[]; isHeld?: boolean })[],
  now: number,
) {
  const isWholeFile = ({ from, to }: Span): boolean => from === 0 && to === null;
  const wholeFiles = spans.filter(isWholeFile).map(({ path }) => path);
  await clearRejectionsOfFiles(db, wholeFiles);
  for (const span of spans) {
    if (!isWholeFile(span)) await clearRejectionsOfLines(db, span.path, span.from, span.to ?? LAST_LINE);
  }
  for (const { path, line, articleId, problems, raw, isHeld = false } of rejected) {
    await recordRejection(db, { stage: 'import', source: path, line, articleId, problems, raw, isHeld }, now);
  }
}
