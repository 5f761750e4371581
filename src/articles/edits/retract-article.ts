/** Retractions at the desk, and what takes an act back. */
import type { AppContext } from '../../core/app-context.ts';
import { type Article, type ArticleStatus, isPublic } from '../article.ts';
import { candidateOf, candidateValues, type DeskField } from './desk-base.ts';
import { type FormerFields, type LoggedEdit, listEdits } from './edit-log.ts';
import { ArticleConflictError, ArticleEditError, readWritten } from './read-written.ts';
import { type ArticleActor, type ArticleOutcome, changeArticle, type StoredArticle } from './stored-article.ts';

/**
 * Retracts a public article: it leaves the feeds, its page says so with the note, and deliveries that carry it pause.
 * @param seen the digest of the article that the editor saw
 * @throws ArticleEditError if it is not public, or the note is missing; ArticleConflictError if the article is another
 *   one by now
 */
export async function retractArticle(
  app: AppContext,
  id: string,
  note: string,
  { seen, ...actor }: ArticleActor & { seen: string },
): Promise<ArticleOutcome> {
  const record = { id, headline: 'unchanged', state: 'retracted', note };
  const { candidate } = await readWritten(app.config, record, null);
  return changeArticle(app, id, 'retract', actor, (stored) => {
    requireSeen(stored, seen);
    const { article } = stored;
    if (article.status.state !== 'retracted' && !isPublic(article, app.clock())) {
      throw new ArticleEditError([{ field: null, message: 'The article is not public: make it a draft instead.' }]);
    }
    return { ...candidateOf(article), writtenStatus: candidate.writtenStatus };
  });
}

/** @throws ArticleConflictError unless the article is as the editor saw it */
function requireSeen({ article, digest }: StoredArticle, seen: string): void {
  if (digest !== seen) throw new ArticleConflictError(article, digest);
}

/**
 * Takes a retraction back: the article has the status of before if the desk had retracted it, or is corrected with a
 * note. What it was before a file or a source retracted it is not stored: it is published then.
 * @param note empty for none
 * @param seen the digest of the article that the editor saw
 * @throws ArticleEditError if the article is not retracted; ArticleConflictError if it is another one by now
 */
export async function restoreArticle(
  app: AppContext,
  id: string,
  note: string,
  { seen, ...actor }: ArticleActor & { seen: string },
): Promise<ArticleOutcome> {
  const record = { id, headline: 'unchanged', ...(note.trim() === '' ? {} : { state: 'corrected', note }) };
  const { candidate } = await readWritten(app.config, record, null);
  return changeArticle(app, id, 'restore', actor, async (stored, tx) => {
    requireSeen(stored, seen);
    const { article } = stored;
    if (article.status.state !== 'retracted') {
      throw new ArticleEditError([{ field: null, message: 'The article is not retracted.' }]);
    }
    const same = candidateOf(article);
    if (candidate.writtenStatus.state === 'corrected') return { ...same, writtenStatus: candidate.writtenStatus };
    const former = statusBefore(stored, await listEdits(tx, id, MAX_EDITS));
    if (former === null) return { ...same, writtenStatus: { state: 'published' } };
    return { ...same, writtenStatus: candidateOf({ ...article, status: former }).writtenStatus };
  });
}

/**
 * The status before the retraction that is in force. Earlier ones are over: a file may have retracted it since.
 * @param edits newest first
 */
function statusBefore({ article, digest }: StoredArticle, edits: readonly LoggedEdit[]): ArticleStatus | null {
  const { status } = article;
  const retraction = edits.find(
    ({ act, at, digest: after }) =>
      (act === 'retract' && 'at' in status && at === status.at) || (act === 'import' && after === digest),
  );
  const former = retraction?.before.status;
  return former === undefined || former.state === 'retracted' ? null : former;
}

/** Acts of an article that are searched for its retraction. */
const MAX_EDITS = 100;

/**
 * Takes the last act at an article back: its fields are as they were before it.
 * @param number of the act
 * @throws ArticleEditError if it was not the last one, or the article was imported since
 */
export async function undoArticleEdit(
  app: AppContext,
  id: string,
  number: number,
  actor: ArticleActor,
): Promise<ArticleOutcome> {
  return changeArticle(app, id, 'undo', actor, async ({ article, digest }, tx) => {
    const [last] = await listEdits(tx, id, 1);
    if (last === undefined || last.number !== number || last.digest !== digest || last.act === 'create') {
      const message = 'The article has been changed since: nothing was taken back.';
      throw new ArticleEditError([{ field: null, message }]);
    }
    const former: Article = { ...article, ...last.before };
    const values = fieldsOf(last.before).map((field) => candidateValues(former, field));
    return Object.assign(candidateOf(article), ...values);
  });
}

function fieldsOf({ bodyHtml: _, publishedAt: __, ...fields }: FormerFields): DeskField[] {
  return Object.keys(fields) as DeskField[];
}
