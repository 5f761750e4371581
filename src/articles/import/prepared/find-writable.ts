/** Finds the prepared articles of a batch that can be written as they are, and the candidates of the others. */
import type { Tx } from '../../../core/store/store.ts';
import { findImageFacts } from '../../remote-images/image-queue.ts';
import { toArticle } from '../../stored-document.ts';
import type { Candidate } from '../candidate.ts';
import { findSlugOwners } from '../save.ts';
import { ARTICLE_COLUMNS } from './article-row.ts';
import type { PreparedArticle } from './prepare.ts';

/** An article of a batch. */
interface BatchArticle {
  prepared: PreparedArticle | null;
}

/** The slugs that an article may get where it is not written as prepared. */
type SlugsOf<T> = (article: T) => string[];

/**
 * The articles whose id and slug the store does not have, and no other article of the batch may get. Of their pictures
 * nothing is known yet.
 */
export async function findWritable<T extends BatchArticle>(
  tx: Tx,
  articles: readonly T[],
  slugsOf: SlugsOf<T>,
): Promise<Set<T>> {
  const prepared = articles.flatMap((article) => article.prepared ?? []);
  if (prepared.length === 0) return new Set();
  const known = await findKnownIds(
    tx,
    prepared.map(({ id }) => id),
  );
  const owners = await findSlugOwners(tx, [...new Set(prepared.map(({ slug }) => slug))]);
  const facts = await findImageFacts(
    tx,
    prepared.flatMap(({ imageUrl }) => imageUrl ?? []),
  );
  const isNew = ({ id, slug, imageUrl }: PreparedArticle): boolean =>
    !known.has(id) && !owners.has(slug) && !(imageUrl !== null && facts.has(imageUrl));
  const writable = articles.filter(({ prepared }) => prepared !== null && isNew(prepared));
  return withoutShared(articles, new Set(writable), slugsOf);
}

async function findKnownIds(tx: Tx, ids: string[]): Promise<Set<string>> {
  const rows = await tx.selectFrom('articles').select('id').where('id', 'in', ids).execute();
  return new Set(rows.map(({ id }) => id));
}

/** Removes those whose slug another article of the batch may get: the first in the batch has it. Pure. */
function withoutShared<T extends BatchArticle>(articles: readonly T[], writable: Set<T>, slugsOf: SlugsOf<T>): Set<T> {
  for (;;) {
    const wanted = new Map<string, number>();
    const slugs = articles.flatMap((article) =>
      writable.has(article) ? (article.prepared?.slug ?? []) : slugsOf(article),
    );
    for (const slug of slugs) wanted.set(slug, (wanted.get(slug) ?? 0) + 1);
    const shared = [...writable].filter(({ prepared }) => (wanted.get(prepared?.slug ?? '') ?? 0) > 1);
    if (shared.length === 0) return writable;
    for (const article of shared) writable.delete(article);
  }
}

const COMPRESSED = Object.keys(ARTICLE_COLUMNS).indexOf('compressed');

/** The candidate that an article was prepared from. */
export function candidateOfPrepared({ rows, written }: PreparedArticle): Candidate {
  const compressed = Buffer.from((JSON.parse(rows.articles) as unknown[])[COMPRESSED] as string, 'hex');
  const article = toArticle({ document: '', compressed });
  const { tagUri: _, updatedAt: __, publishedAt: ___, status: ____, page: _____, ...fields } = article;
  return { ...fields, ...written };
}
