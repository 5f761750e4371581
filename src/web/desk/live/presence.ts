/**
 * Who has which page of the desk open. Each tab says so every few seconds, while somebody can see it.
 */
import { type Db, inTransaction, type Tx } from '../../../core/store/store.ts';
import { HOUR, SECOND } from '../../../lib/time.ts';

/** A tab of an account with a page, named by its topic such as `draft:daily-roundup/2026-11-24`. */
export interface OpenTab {
  page: string;
  accountId: number;
  tab: string;
}

/** How long a tab counts as open after it said so; tabs say it every 15 s. */
const OPEN_FOR = 40 * SECOND;

/** Notes that a tab is open, and deletes those that have long been silent. */
export function noteOpenTab(db: Db, { page, accountId, tab }: OpenTab, now: number): Promise<void> {
  return inTransaction(db, async (tx: Tx) => {
    await tx
      .deleteFrom('desk_presence')
      .where('seen_at', '<', now - HOUR)
      .execute();
    await tx
      .insertInto('desk_presence')
      .values({ page, account_id: accountId, tab, seen_at: now })
      .onConflict((conflict) => conflict.columns(['page', 'account_id', 'tab']).doUpdateSet({ seen_at: now }))
      .execute();
  });
}

/** Notes that a tab was closed, or shows another page. */
export async function noteClosedTab(db: Db, { page, accountId, tab }: OpenTab): Promise<void> {
  await db
    .deleteFrom('desk_presence')
    .where('page', '=', page)
    .where('account_id', '=', accountId)
    .where('tab', '=', tab)
    .execute();
}

/** By page: ids and names of the accounts that have it open, by name, as JSON. */
export async function listPresent(db: Db, now: number): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('desk_presence')
    .innerJoin('accounts', 'accounts.id', 'desk_presence.account_id')
    .select(['desk_presence.page', 'accounts.id', 'accounts.name'])
    .distinct()
    .where('desk_presence.seen_at', '>', now - OPEN_FOR)
    .orderBy('accounts.name')
    .execute();
  const pages = Map.groupBy(rows, ({ page }) => page);
  return new Map([...pages].map(([page, list]) => [page, JSON.stringify(list.map(({ id, name }) => ({ id, name })))]));
}
