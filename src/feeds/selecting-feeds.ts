import { type Article, isPublic } from '../articles/article.ts';
import { matchesSelection } from '../articles/selection.ts';
import type { Config } from '../core/config/config.ts';
import type { Db } from '../core/store/store.ts';

type ConfiguredFeed = Config['feeds'][number];

/** The feeds that select a public article; each shows it while it is among its newest. */
export async function findSelectingFeeds(
  db: Db,
  { feeds }: Pick<Config, 'feeds'>,
  article: Article,
  now: number,
): Promise<ConfiguredFeed[]> {
  if (!isPublic(article, now)) return [];
  const selecting: ConfiguredFeed[] = [];
  for (const feed of feeds) {
    const row = await db
      .selectFrom('articles')
      .select('id')
      .where('id', '=', article.id)
      .where(matchesSelection(feed.select))
      .executeTakeFirst();
    if (row !== undefined) selecting.push(feed);
  }
  return selecting;
}
