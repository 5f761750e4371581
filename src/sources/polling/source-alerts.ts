/** Alerts about sources: one while items wait for the operator, and one while a source is not read. */
import { sql } from 'kysely';
import type { AlertId } from '../../core/alerts/alert-kind.ts';
import { type RaisedAlert, resolveAlerts, syncAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { AnySource } from '../../core/config/sources.ts';
import { type Db, inTransaction, lockName, type Tx } from '../../core/store/store.ts';
import { DAY, HOUR, rfc3339 } from '../../lib/time.ts';
import { sourceAction } from '../control-sources.ts';
import { listSourceRows, type SourceRow } from '../source-state.ts';
import { heldReason } from './poll-state.ts';

/** As `lockName` takes it. */
export const SOURCE_ALERTS_LOCK = 'source alerts';

/** How long a source is in a state before an alert is raised. A server may ask for a pause of two days. */
const ALERT_AFTER: Partial<Record<SourceRow['state'], number>> = {
  ...{ failing: DAY, waiting: 49 * HOUR, blocked: 0, gone: 0 },
};

/** Open while a source has held items. */
export function heldAlert(source: string): AlertId {
  return { kind: 'outlet-held', subject: { source } };
}

/** Ends that a source waits for a decision about its items, with the alert of that. */
export async function endHold(tx: Tx, id: string, now: number): Promise<void> {
  await tx
    .updateTable('sources')
    .set({ state: 'active', state_since: now, reason: null })
    .where('id', '=', id)
    .where('state', '=', 'held')
    .execute();
  await resolveAlerts(tx, [heldAlert(id)], now);
}

/**
 * Raises the alerts that are due, and resolves all others, also those of sources that were removed or paused. One after
 * the other: one that has read before a poll ended would resolve the alert of that poll.
 */
export async function syncSourceAlerts({
  store,
  config: { sources },
  clock,
}: Pick<AppContext, 'store' | 'config' | 'clock'>): Promise<void> {
  await inTransaction(store.db, async (tx) => {
    await lockName(tx, SOURCE_ALERTS_LOCK);
    const now = clock();
    const rows = new Map((await listSourceRows(tx)).map((row) => [row.id, row]));
    const heldItems = await countHeld(tx);
    const held: RaisedAlert[] = [];
    const failing: RaisedAlert[] = [];
    for (const source of sources) {
      const { id } = source;
      const items = heldItems.get(id) ?? 0;
      if (items > 0) {
        const actions = [
          sourceAction('accept', source.use === 'articles' ? 'import them' : 'take them', id),
          sourceAction('accept --ignore', 'show none of them, ever', id),
        ];
        held.push({ ...heldAlert(id), message: `${nameOf(source)}: ${heldReason(items)}.`, actions });
      }
      const row = rows.get(id);
      const message = row === undefined || row.paused_at !== null ? null : problemOf(source, row, now);
      if (message === null) continue;
      const actions = row?.state === 'gone' ? [sourceAction('resume', 'try it again', id)] : [];
      failing.push({ kind: 'source', subject: { source: id }, message, actions });
    }
    await syncAlerts(tx, 'outlet-held', held, now);
    await syncAlerts(tx, 'source', failing, now);
  });
}

/** By source. Literals, for the indexes of held items. */
async function countHeld(db: Db): Promise<Map<string, number>> {
  const { rows } = await sql<{ source: string; held: number }>`
    select source, count(*) as held from outlet_items where state = 'held' and source is not null group by source
    union all select source, count(*) as held from source_items where hold = 'held' group by source`.execute(db);
  return new Map(rows.map(({ source, held }) => [source, held]));
}

function problemOf(source: AnySource, { state, reason, failing_since }: SourceRow, now: number): string | null {
  const after = ALERT_AFTER[state];
  const failingSince = failing_since ?? now;
  if (after === undefined || now - failingSince < after) return null;
  const since = state === 'gone' ? '' : ` since ${rfc3339(failingSince)}`;
  const items = source.use === 'articles' ? 'articles' : 'items';
  return `${nameOf(source)} is ${state}${since}: ${reason}. Its ${items} stay as they are.`;
}

function nameOf(source: AnySource): string {
  return source.use === 'articles' ? source.id : `${source.id} (${source.outlet})`;
}
