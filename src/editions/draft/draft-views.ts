/**
 * What each editor saw last of a draft: its numbers name stories in later commands, changes since are conflicts, and an
 * approval covers what was seen.
 */
import type { Db } from '../../core/store/store.ts';
import { DAY } from '../../lib/time.ts';
import type { ListedStory } from './decisions.ts';

const VIEWS_KEPT_FOR = 30 * DAY;

/** What an editor saw last of a draft. */
export interface DraftView {
  /** The draft's revision. */
  revision: number;
  /** Of decisions and stories; see `approvalHash`. */
  hash: string;
  /** In the order of their numbers, which begin with 1. */
  stories: ListedStory[];
}

/** Reads what an editor saw last; null if nothing. */
export async function readDraftView(
  db: Db,
  newsletter: string,
  slot: string,
  editor: string,
): Promise<DraftView | null> {
  const row = await db
    .selectFrom('draft_views')
    .select(['revision', 'hash', 'stories'])
    .where('newsletter', '=', newsletter)
    .where('slot', '=', slot)
    .where('editor', '=', editor)
    .executeTakeFirst();
  return row === undefined ? null : { ...row, stories: JSON.parse(row.stories) };
}

/** Records what an editor sees now. */
export async function writeDraftView(
  db: Db,
  newsletter: string,
  slot: string,
  { editor, view, now }: { editor: string; view: DraftView; now: number },
): Promise<void> {
  const { revision, hash } = view;
  const row = { revision, hash, stories: JSON.stringify(view.stories), seen_at: now };
  await db
    .insertInto('draft_views')
    .values({ newsletter, slot, editor, ...row })
    .onConflict((conflict) => conflict.columns(['newsletter', 'slot', 'editor']).doUpdateSet(row))
    .execute();
}

/** Deletes what editors saw a month ago: nobody names a story by a number of that. @returns the number of views */
export async function deleteOldDraftViews(db: Db, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('draft_views')
    .where('seen_at', '<', now - VIEWS_KEPT_FOR)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
