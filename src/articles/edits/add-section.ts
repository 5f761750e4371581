import type { Tx } from '../../core/store/store.ts';
import { articleDigest } from '../import/digest.ts';
import { originName } from '../import/origin.ts';
import { saveArticles } from '../import/save.ts';
import { baseAfterEdit, parseDeskBase } from './desk-base.ts';
import { formerFields, logEdit, saveDeskBase } from './edit-log.ts';
import { readStoredArticle } from './stored-article.ts';

/**
 * Puts an article without a section into that of another source that has it, too. It stays there when the first source
 * brings the article again, as what the desk decides does. No edit: `updatedAt` stays.
 * @param origin of the other source
 */
export async function addSection(
  tx: Tx,
  id: string,
  section: string,
  { origin, publicUrl, now }: { origin: string; publicUrl: string; now: number },
): Promise<void> {
  const stored = await readStoredArticle(tx, id);
  if (stored === null || stored.article.section !== null) return;
  const before = stored.article;
  const article = { ...before, section };
  const digest = articleDigest(article, publicUrl);
  await saveArticles(tx, [{ article, digest }], now);
  await saveDeskBase(tx, id, baseAfterEdit(parseDeskBase(stored.deskBase), before, ['section']));
  const edit = {
    author: originName(origin),
    act: 'import' as const,
    before: formerFields(before, ['section']),
    digest,
  };
  await logEdit(tx, id, edit, now);
}
