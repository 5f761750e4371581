/** Explains to an editor why articles are not in an edition that would go out. Writes nothing. */
import { sql } from 'kysely';
import type { Article } from '../../articles/article.ts';
import type { Rejection } from '../../articles/rejections.ts';
import { matchesSelection } from '../../articles/selection.ts';
import { type StoredDocument, toArticle } from '../../articles/stored-document.ts';
import type { NewsletterConfig } from '../../core/config/schema.ts';
import type { Db } from '../../core/store/store.ts';
import { hasEnoughOutlets } from './candidates.ts';
import type { EditionWindow } from './window.ts';

/** Instants are epoch milliseconds. */
export type LeftOutReason =
  | { kind: 'draft' }
  | { kind: 'retracted' }
  /** A roundup of the newsroom's own: editions contain none. */
  | { kind: 'is-roundup' }
  /** `slot`: of the edition of this newsletter that had it. */
  | { kind: 'in-earlier-edition'; slot: string }
  | { kind: 'not-public-yet'; publicAt: number }
  | { kind: 'too-old'; publishedAt: number }
  /** The blocks are full, or the email has reached its size limit. */
  | { kind: 'did-not-fit' }
  /** A rule let it in, and the newsletter has none, or one that wants more outlets. */
  | { kind: 'not-picked' }
  /** The newsletter selects others, such as those in another language. */
  | { kind: 'not-selected' }
  /** The editor dropped it from this edition. */
  | { kind: 'dropped' }
  /** An editor dropped it from an earlier edition of this newsletter: it does not return by itself. */
  | { kind: 'dropped-earlier'; slot: string }
  | { kind: 'cannot-be-shown'; problem: string };

/** Why an article is not in the edition, without instants. */
export function leftOutWords(reason: LeftOutReason): string {
  switch (reason.kind) {
    case 'in-earlier-edition':
      return `was in the edition of ${reason.slot}`;
    case 'dropped-earlier':
      return `was dropped from the edition of ${reason.slot}`;
    case 'cannot-be-shown':
      return reason.problem;
    default:
      return reason.kind.replaceAll('-', ' ');
  }
}

export interface LeftOutStory {
  id: string;
  reason: LeftOutReason;
  /** Null where the stored article cannot be read. */
  article: Article | null;
}

/** Contents of an edition that explain why articles are not in it. */
export interface EditionContents {
  window: EditionWindow;
  /** Ids of its stories. */
  shown: readonly string[];
  /** Ids of stories that were eligible, and had no room. */
  didNotFit: readonly string[];
  /** Ids of stories that the editor dropped. */
  dropped: readonly string[];
  /** Articles that could not be shown. */
  rejected: readonly Pick<Rejection, 'articleId' | 'problems'>[];
}

/** Most articles that are listed besides those that were eligible. */
const MAX_LISTED = 50;

/**
 * Finds the newest articles that the newsletter selects and that are not in the edition, and all that were eligible for
 * it; newest first. Reads the head of the index `articles_by_time`, however many articles there are.
 */
export async function findLeftOut(
  db: Db,
  newsletter: Pick<NewsletterConfig, 'id' | 'select' | 'autoPick'>,
  contents: EditionContents,
): Promise<LeftOutStory[]> {
  const { shown, didNotFit, dropped, rejected } = contents;
  const newest = await db
    .selectFrom('articles')
    .select('id')
    .where('id', 'not in', [...shown, ''])
    .where(matchesSelection(newsletter.select))
    .orderBy('published_at', 'desc')
    .orderBy('id', 'desc')
    .limit(MAX_LISTED)
    .execute();
  const eligible = [...didNotFit, ...dropped, ...rejected.flatMap(({ articleId }) => articleId ?? [])];
  return explainLeftOut(db, newsletter, contents, [...eligible, ...newest.map(({ id }) => id)]);
}

/** Explains why these articles are not in the edition, newest first; without those that became eligible since. */
export async function explainLeftOut(
  db: Db,
  { id: newsletter, select, autoPick }: Pick<NewsletterConfig, 'id' | 'select' | 'autoPick'>,
  { window, ...edition }: EditionContents,
  ids: readonly string[],
): Promise<LeftOutStory[]> {
  const didNotFit = new Set(edition.didNotFit);
  const dropped = new Set(edition.dropped);
  const problems = new Map(edition.rejected.map(({ articleId, problems: [problem] }) => [articleId, problem ?? '']));
  const earlierSlot = sql<string | null>`(
    select editions.slot from edition_articles join editions on editions.id = edition_articles.edition_id
    where edition_articles.newsletter = ${newsletter} and edition_articles.article_id = articles.id)`;
  const droppedSlot = sql<string | null>`(
    select editions.slot from edition_omissions as omitted join editions on editions.id = omitted.edition_id
    where editions.newsletter = ${newsletter} and omitted.article_id = articles.id and omitted.reason = 'dropped'
    order by editions.slot_at desc limit 1)`;
  const rows = await db
    .selectFrom('articles')
    .select(['id', 'kind', 'state', 'published_at as publishedAt', 'document'])
    .select(['outlets', 'by_rule as byRule'])
    .select(sql<number>`case when ${matchesSelection(select)} then 1 else 0 end`.as('isSelected'))
    .select([earlierSlot.as('earlierSlot'), droppedSlot.as('droppedSlot')])
    .where('id', 'in', [...new Set([...ids, ''])])
    .orderBy('published_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.flatMap((row): LeftOutStory[] => {
    const article = readArticle(row);
    // The roundup of a closed edition.
    if (article !== null && article.page !== null) return [];
    const problem = problems.get(row.id);
    const decided = {
      didNotFit: didNotFit.has(row.id),
      isDropped: dropped.has(row.id),
      isNotPicked: row.byRule === 1 && !hasEnoughOutlets(row.outlets, autoPick ?? null),
    };
    const reason =
      problem === undefined
        ? reasonOf({ ...row, ...decided }, window)
        : ({ kind: 'cannot-be-shown', problem } as const);
    return reason === null ? [] : [{ id: row.id, reason, article }];
  });
}

interface LeftOutRow {
  kind: string;
  state: string;
  publishedAt: number;
  earlierSlot: string | null;
  droppedSlot: string | null;
  /** 1 if the newsletter takes it by itself. */
  isSelected: number;
  didNotFit: boolean;
  isDropped: boolean;
  isNotPicked: boolean;
}

/** Pure. Null for an article that became eligible after the edition was composed. */
function reasonOf(row: LeftOutRow, window: EditionWindow): LeftOutReason | null {
  const { kind, state, publishedAt, earlierSlot, droppedSlot, isSelected, didNotFit, isDropped, isNotPicked } = row;
  if (state === 'draft' || state === 'retracted') return { kind: state };
  if (kind === 'roundup') return { kind: 'is-roundup' };
  if (earlierSlot !== null) return { kind: 'in-earlier-edition', slot: earlierSlot };
  if (isDropped) return { kind: 'dropped' };
  if (publishedAt >= window.until) return { kind: 'not-public-yet', publicAt: publishedAt };
  if (didNotFit) return { kind: 'did-not-fit' };
  if (droppedSlot !== null) return { kind: 'dropped-earlier', slot: droppedSlot };
  if (isNotPicked) return { kind: 'not-picked' };
  if (isSelected === 0) return { kind: 'not-selected' };
  return publishedAt < window.from ? { kind: 'too-old', publishedAt } : null;
}

function readArticle(stored: StoredDocument): Article | null {
  try {
    return toArticle(stored);
  } catch {
    return null;
  }
}
