/** Retracts articles whose source has withdrawn them. */
import type { Tx } from '../../store/store.ts';
import type { Article } from '../article.ts';
import { parseDeskBase } from '../edits/desk-base.ts';
import { saveDeskBase } from '../edits/edit-log.ts';
import { findArticles } from '../queries.ts';
import { articleDigest } from './digest.ts';
import { saveArticles } from './save.ts';

/**
 * @param note what their pages and the next edition say
 * @param publicUrl without a trailing slash
 * @returns the ids of those that were not retracted before
 */
export async function retractArticles(
  tx: Tx,
  ids: string[],
  { note, publicUrl }: { note: string; publicUrl: string },
  now: number,
): Promise<string[]> {
  const articles = (await findArticles(tx, ids)).filter(({ status }) => status.state !== 'retracted');
  const writes = articles.map((stored) => {
    const article: Article = { ...stored, status: { state: 'retracted', note, at: now }, updatedAt: now };
    return { article, digest: articleDigest(article, publicUrl) };
  });
  await saveArticles(tx, writes, now);
  // The state is the source's again: what it brings next counts.
  for (const { id } of articles) {
    const { desk_base } = await tx
      .selectFrom('articles')
      .select('desk_base')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (desk_base === null) continue;
    const { status: _, ...base } = parseDeskBase(desk_base);
    await saveDeskBase(tx, id, base);
  }
  return articles.map(({ id }) => id);
}
