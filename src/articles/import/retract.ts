/** Retracts articles whose source has withdrawn them. */
import type { Tx } from '../../core/store/store.ts';
import type { Article } from '../article.ts';
import { parseDeskBase } from '../edits/desk-base.ts';
import { formerFields, logEdit, saveDeskBase } from '../edits/edit-log.ts';
import { findArticles } from '../queries.ts';
import { articleDigest } from './digest.ts';
import { DESK_ORIGIN, originName } from './origin.ts';
import { saveArticles } from './save.ts';

/**
 * @param note what their pages and the next edition say
 * @param publicUrl without a trailing slash
 * @param isDateInvented whether the next import may bring another date
 * @returns the ids of those that were not retracted before
 */
export async function retractArticles(
  tx: Tx,
  ids: string[],
  { note, publicUrl, isDateInvented }: { note: string; publicUrl: string; isDateInvented?: true },
  now: number,
): Promise<string[]> {
  const articles = (await findArticles(tx, ids)).filter(({ status }) => status.state !== 'retracted');
  const writes = articles.map((stored) => {
    const article: Article = { ...stored, status: { state: 'retracted', note, at: now }, updatedAt: now };
    if (isDateInvented) article.isDateInvented = true;
    return { article, digest: articleDigest(article, publicUrl) };
  });
  await saveArticles(tx, writes, now);
  // The state is the source's again: what it brings next counts.
  for (const [index, before] of articles.entries()) {
    const { id } = before;
    const { desk_base, origin } = await tx
      .selectFrom('articles')
      .select(['desk_base', 'origin'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (desk_base === null) continue;
    const { status, publishedAt: _, ...base } = parseDeskBase(desk_base);
    await saveDeskBase(tx, id, base);
    if (status === undefined) continue;
    const author = originName(origin ?? DESK_ORIGIN);
    const digest = writes[index]?.digest ?? '';
    await logEdit(tx, id, { author, act: 'import', before: formerFields(before, ['status']), digest }, now);
  }
  return articles.map(({ id }) => id);
}
