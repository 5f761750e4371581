/** Retractions at the desk, and what takes an act back. */
import { type Article, isPublic } from '../../articles/article.ts';
import { candidateOf, candidateValues, type DeskField } from '../../articles/edits/desk-base.ts';
import { type FormerFields, listEdits } from '../../articles/edits/edit-log.ts';
import type { AppContext } from '../app-context.ts';
import { ArticleEditError } from './article-errors.ts';
import { readWritten } from './read-written.ts';
import { type ArticleActor, type ArticleOutcome, changeArticle } from './stored-article.ts';

/**
 * Retracts a public article: it leaves the feeds, its page says so with the note, and deliveries that carry it pause.
 * @throws ArticleEditError if it is not public, or the note is missing
 */
export async function retractArticle(
  app: AppContext,
  id: string,
  note: string,
  actor: ArticleActor,
): Promise<ArticleOutcome> {
  const record = { id, headline: 'unchanged', state: 'retracted', note };
  const { candidate } = await readWritten(app.config, record, null);
  return changeArticle(app, id, 'retract', actor, ({ article }) => {
    if (article.status.state !== 'retracted' && !isPublic(article, app.clock())) {
      throw new ArticleEditError([{ field: null, message: 'The article is not public: make it a draft instead.' }]);
    }
    return { ...candidateOf(article), writtenStatus: candidate.writtenStatus };
  });
}

/**
 * Takes a retraction back: the article has the status of before, or is corrected with a note.
 * @param note empty for none
 * @throws ArticleEditError if the article is not retracted
 */
export async function restoreArticle(
  app: AppContext,
  id: string,
  note: string,
  actor: ArticleActor,
): Promise<ArticleOutcome> {
  const record = { id, headline: 'unchanged', ...(note.trim() === '' ? {} : { state: 'corrected', note }) };
  const { candidate } = await readWritten(app.config, record, null);
  return changeArticle(app, id, 'restore', actor, async ({ article }, tx) => {
    if (article.status.state !== 'retracted') {
      throw new ArticleEditError([{ field: null, message: 'The article is not retracted.' }]);
    }
    const same = candidateOf(article);
    if (candidate.writtenStatus.state === 'corrected') return { ...same, writtenStatus: candidate.writtenStatus };
    const retraction = (await listEdits(tx, id, MAX_EDITS)).find(({ act }) => act === 'retract');
    const former = retraction?.before.status;
    if (former === undefined || former.state === 'retracted') return { ...same, writtenStatus: { state: 'published' } };
    return { ...same, writtenStatus: candidateOf({ ...article, status: former }).writtenStatus };
  });
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
