/**
 * How far the archives have come, for an operator.
 */
import type { Db } from '../../store/store.ts';
import { findNewestPage } from './archive-page.ts';

/** One for each feed that has an archive, by its id. */
export async function countArchives(
  db: Db,
): Promise<{ feed: string; parts: number; newest: string | null; waiting: number; complete: boolean }[]> {
  const feeds = await db.selectFrom('archive_feeds').select(['feed', 'backfilled_to']).orderBy('feed').execute();
  const waiting = await db
    .selectFrom('archive_members')
    .select((e) => ['feed', e.fn.countAll<number>().as('count')])
    .where('page', 'is', null)
    .groupBy('feed')
    .execute();
  const counts = new Map(waiting.map(({ feed, count }) => [feed, count]));
  return Promise.all(
    feeds.map(async ({ feed, backfilled_to }) => {
      const newest = await findNewestPage(db, feed);
      return {
        feed,
        // They are numbered from 1, without a gap.
        parts: newest?.part ?? 0,
        newest: newest?.path ?? null,
        waiting: counts.get(feed) ?? 0,
        complete: backfilled_to === null,
      };
    }),
  );
}
