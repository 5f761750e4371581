import type { Db } from '../core/store/store.ts';

/** An edition that an article is in. */
export interface UsedEdition {
  id: number;
  newsletter: string;
  slot: string;
  revision: number;
  headline: string;
}

/** The editions of articles, newest revisions alone, newest first. @returns by id of the article */
export async function findEditionsOf(db: Db, articleIds: string[]): Promise<Map<string, UsedEdition[]>> {
  if (articleIds.length === 0) return new Map();
  // The key begins with the newsletter: an article is in at most one edition of each.
  const named = await db.selectFrom('editions').select('newsletter').distinct().execute();
  if (named.length === 0) return new Map();
  const newsletters = named.map(({ newsletter }) => newsletter);
  const rows = await db
    .selectFrom('edition_articles as used')
    .innerJoin('editions', 'editions.id', 'used.edition_id')
    .select(['used.article_id', 'editions.id', 'editions.newsletter', 'slot', 'revision', 'headline'])
    .where('used.newsletter', 'in', newsletters)
    .where('used.article_id', 'in', articleIds)
    .where('superseded_by', 'is', null)
    .orderBy('slot_at', 'desc')
    .orderBy('editions.id', 'desc')
    .execute();
  const grouped = Map.groupBy(rows, ({ article_id }) => article_id);
  return new Map([...grouped].map(([id, editions]) => [id, editions.map(({ article_id: _, ...edition }) => edition)]));
}
