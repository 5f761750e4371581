/** Reads the copies of closed editions. */
import { findArticles } from '../../articles/queries.ts';
import type { Db } from '../../core/store/store.ts';
import type { EditionSegments } from './copy.ts';

/** What its copies are made of; null for an edition of a newsletter without choices. */
export async function findSegments(db: Db, editionId: number): Promise<EditionSegments | null> {
  const edition = await db.selectFrom('editions').select('segments').where('id', '=', editionId).executeTakeFirst();
  return edition?.segments == null ? null : (JSON.parse(edition.segments) as EditionSegments);
}

/**
 * Finds what those got who made a choice, by the id that their deliveries have; null if retention has deleted it.
 * `suppressed` is null if it was mailed. Stories have their present headlines; null for an article that is gone.
 */
export async function findCopy(db: Db, id: number) {
  const copy = await db.selectFrom('edition_copies').selectAll().where('id', '=', id).executeTakeFirst();
  if (copy === undefined) return null;
  const { edition_id: editionId, choice, subject, suppressed } = copy;
  const segments = await findSegments(db, editionId);
  const numbers = JSON.parse(copy.stories) as number[];
  const ids = numbers.flatMap((number) => segments?.stories[number]?.articleId ?? []);
  const headlines = new Map((await findArticles(db, ids)).map((article) => [article.id, article.headline]));
  const stories = ids.map((articleId) => ({ articleId, headline: headlines.get(articleId) ?? null }));
  return { editionId, choice, subject, suppressed, stories };
}
