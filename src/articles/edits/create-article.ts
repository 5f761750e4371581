/** A new brief that an editor writes at the desk, stored as an import stores any article. */
import { randomInt } from 'node:crypto';
import type { AppContext } from '../../core/app-context.ts';
import { inTransaction } from '../../core/store/store.ts';
import { localDate } from '../../lib/time.ts';
import type { Article } from '../article.ts';
import { DESK_ORIGIN } from '../import/origin.ts';
import { chooseSlug, revise } from '../import/revise.ts';
import { findSlugOwners, saveArticles } from '../import/save.ts';
import { slugsFrom } from '../slug.ts';
import type { Release } from './edit-article.ts';
import { findCreation, logEdit } from './edit-log.ts';
import { ArticleEditError, type ArticleProblem, EMBARGO_OVER, readWritten } from './read-written.ts';
import { type ArticleActor, readStoredArticle } from './stored-article.ts';

/** Values as an editor wrote them; an empty text for none. */
export interface WrittenBrief {
  /** From `newDeskArticleId`: sending a form twice makes one article. */
  id: string;
  headline: string;
  kicker: string;
  /** The id of a section. */
  section: string;
  /** In Markdown: one to three sentences. */
  body: string;
  /** What the brief leads to: the newsroom's own story, or any page. */
  linkUrl: string;
  linkTitle: string;
  /** The publication that reported it first, with its report; then it is an item of the roundup. */
  outletName: string;
  outletUrl: string;
  release: Release;
}

export interface CreatedArticle {
  article: Article;
  /** False if the same form was sent before. */
  isNew: boolean;
  warnings: string[];
}

const ALPHABET = 'abcdefghjkmnpqrstvwxyz23456789';

/** `desk-2026-11-27-k7mq2x`. @param now epoch milliseconds */
export function newDeskArticleId(now: number, zone: string): string {
  const random = Array.from({ length: 6 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `desk-${localDate(now, zone)}-${random}`;
}

/** @throws ArticleEditError with all problems of its fields, or if its id has stored another text before */
export async function createArticle(
  app: AppContext,
  brief: WrittenBrief,
  { author, onCommit }: ArticleActor,
): Promise<CreatedArticle> {
  const { store, config, clock } = app;
  const problems = problemsOf(brief);
  const { candidate, warnings } = await readWritten(config, toRecord(brief), null, problems);
  const { writtenStatus } = candidate;
  if (writtenStatus.state === 'scheduled' && writtenStatus.embargo <= clock()) {
    problems.push({ field: 'embargo', message: EMBARGO_OVER });
  }
  if (problems.length > 0) throw new ArticleEditError(problems);
  const publication = { tagAuthority: config.publication.tagAuthority, publicUrl: config.publication.url };
  const reviseAt = (now: number, slug: string) =>
    revise({ ...candidate, published: now }, slug, null, { now, ...publication });
  return inTransaction(store.db, async (tx) => {
    const now = clock();
    const existing = await readStoredArticle(tx, brief.id);
    if (existing !== null) {
      const creation = await findCreation(tx, brief.id);
      const again = creation && reviseAt(creation.at, existing.article.slug);
      const isSame = again !== null && 'digest' in again && again.digest === creation?.digest;
      return foundAgain(existing, isSame);
    }
    const suggestions = slugsFrom(candidate.headline, brief.id, candidate.language);
    const owners = await findSlugOwners(tx, suggestions);
    const slug = chooseSlug(candidate, null, suggestions, (one) => owners.get(one));
    if (slug === null) throw new ArticleEditError([taken(owners.get(suggestions[0] ?? '') ?? '')]);
    const revision = reviseAt(now, slug);
    if (!('article' in revision)) throw new Error('a new article is added, or rejected for its fields');
    const { article, digest } = revision;
    await saveArticles(tx, [{ article, digest, origin: DESK_ORIGIN }], now);
    await logEdit(tx, article.id, { author, act: 'create', before: {}, digest }, now);
    await onCommit?.(tx);
    return { article, isNew: true, warnings };
  });
}

/** @param isSame whether the article was created with the same text; it may have been edited since */
function foundAgain({ article, origin }: { article: Article; origin: string | null }, isSame: boolean): CreatedArticle {
  if (origin !== DESK_ORIGIN) throw new ArticleEditError([taken(article.id)]);
  if (isSame) return { article, isNew: false, warnings: [] };
  const message = `This form has stored a brief before, as article ${article.id}, with another text.`;
  const advice = 'Nothing was changed: edit that article, or copy your text into a new brief.';
  throw new ArticleEditError([{ field: null, message: `${message} ${advice}` }]);
}

function taken(owner: string): ArticleProblem {
  return { field: 'headline', message: `Article ${owner} has the same address: change a word of the headline.` };
}

function problemsOf({ body, outletName, outletUrl, linkUrl, linkTitle }: WrittenBrief): ArticleProblem[] {
  const isBlank = (text: string): boolean => text.trim() === '';
  const problems: ArticleProblem[] = [];
  if (isBlank(body)) problems.push({ field: 'body', message: 'Write one to three sentences.' });
  if (isBlank(outletName) !== isBlank(outletUrl)) {
    const [field, what] = isBlank(outletName) ? ['outletName', 'name'] : ['outletUrl', 'address of its report'];
    problems.push({ field, message: `Give the ${what}: an outlet is credited with its name and its report.` });
  }
  if (isBlank(linkUrl) !== isBlank(linkTitle)) {
    const [field, what] = isBlank(linkUrl) ? ['linkUrl', 'address'] : ['linkTitle', 'text'];
    problems.push({ field, message: `Give the ${what} of the link: it has an address and a text.` });
  }
  return problems;
}

function toRecord({ release, linkUrl, linkTitle, outletName, outletUrl, ...brief }: WrittenBrief) {
  const has = (text: string): boolean => text.trim() !== '';
  const { id, headline, kicker, section, body } = brief;
  return {
    ...{ id, headline, kicker, section, body },
    kind: has(outletName) && has(outletUrl) ? 'roundup-item' : 'brief',
    ...(has(linkUrl) && has(linkTitle) ? { fullStory: { url: linkUrl, title: linkTitle } } : {}),
    ...(has(outletName) && has(outletUrl) ? { outlet: { name: outletName, url: outletUrl } } : {}),
    state: release.kind === 'draft' ? 'draft' : release.kind === 'now' ? 'published' : 'scheduled',
    ...(release.kind === 'at' ? { embargo: release.time } : {}),
  };
}
