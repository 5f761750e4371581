/**
 * Corrects stored instants after the clock was set back. What was due, leased or retried by the earlier clock would
 * otherwise wait until the clock has caught up. A row shows that the clock was set back if it was written later than
 * now, or if its lease lasts longer than any. So this is correct at any time, in several processes, and it leaves alone
 * what is planned by the calendar: deliveries at a time of day, articles to be published later.
 */
import { type RawBuilder, sql } from 'kysely';
import { CLOCK_DIFFERENCE, MINUTE, SECOND } from '../../lib/time.ts';
import { isInOpenState } from './delivery-states.ts';
import type { Db } from './store.ts';

/** The longest lease of each kind of work, in milliseconds. */
export const LONGEST_LEASES = {
  /** A claim of a delivery, a service message or a source. */
  claim: 2 * MINUTE,
  submission: 17 * MINUTE,
  run: 2 * MINUTE,
  hub: 30 * SECOND,
  remoteImage: 2 * MINUTE,
  longestBackOff: 10 * MINUTE,
  /** A request to a host of outlets. */
  host: MINUTE,
} as const;

/** A row may be later by what the clocks of two machines differ. @returns number of rows that were corrected */
export async function correctFutureInstants(db: Db, now: number): Promise<number> {
  const at = sql`cast(${now} as bigint)`;
  const latest = (lease: number): number => now + lease + CLOCK_DIFFERENCE;
  /** Whether the row was written by a clock that was set back since. */
  const isLater = (column: string): RawBuilder<boolean> => sql`${sql.ref(column)} > ${latest(0)}`;
  const { claim, submission, run, hub, remoteImage, longestBackOff, host } = LONGEST_LEASES;
  const statements: RawBuilder<unknown>[] = [];
  for (const table of ['deliveries', 'service_messages'] as const) {
    const open = sql`update ${sql.table(table)} set`;
    // A row without a reason is due at a time of day, unless it was due when it was queued.
    const isRetried = sql`(reason is not null or due_at <= changed_at)`;
    statements.push(
      sql`${open} due_at = ${at}
        where ${isInOpenState(table)} and due_at > ${now} and ${isLater('changed_at')} and ${isRetried}`,
      // The fence prevents that both claims are submitted.
      sql`${open} lease_until = null
        where ${isInOpenState(table)} and state = 'pending' and lease_until > ${latest(claim)}`,
      // Not ended: the submission may be in progress.
      sql`${open} lease_until = ${at} + ${sql.lit(submission)}
        where ${isInOpenState(table)} and state = 'submitting' and lease_until > ${latest(submission)}`,
    );
  }
  statements.push(
    sql`update pending_changes set due_at = ${at}
      where due_at > ${now} and ${isLater('changed_at')} and due_at <= changed_at`,
    // A running process renews its lease.
    sql`update runs set lease_until = ${at} + ${sql.lit(run)} where state = 'running' and lease_until > ${latest(run)}`,
    sql`update runs set lease_until = ${at}
      where state = 'failed' and lease_until > ${now} and ${isLater('finished_at')}`,
    sql`update back_off set retry_at = ${at}, since = case when since > ${now} then ${at} else since end
      where retry_at > ${latest(longestBackOff)}`,
    sql`update sources set due_at = ${at}, polled_at = ${at} where due_at > ${now} and ${isLater('polled_at')}`,
    sql`update processes set seen_at = ${at} where ${isLater('seen_at')}`,
    sql`update sources set requested_at = null where ${isLater('requested_at')}`,
    sql`update sources set swept_at = ${at} where ${isLater('swept_at')}`,
    sql`update sources set fully_swept_at = ${at} where ${isLater('fully_swept_at')}`,
    sql`update sources set failing_since = ${at} where ${isLater('failing_since')}`,
    sql`update sources set lease_until = null where lease_until > ${latest(claim)}`,
    sql`update source_hosts set busy_until = null where busy_until > ${latest(host)}`,
    sql`update source_hosts set free_at = ${at}, written_at = ${at}
      where free_at > ${now} and ${isLater('written_at')}`,
    sql`update remote_images set due_at = ${at}
      where state = 'pending' and due_at > ${now} and ${isLater('checked_at')}`,
    sql`update remote_images set lease_until = null
      where state = 'pending' and lease_until > ${latest(remoteImage)}`,
  );
  for (const [table, written] of [
    ['hub_subscriptions', sql`(${isLater('pending_since')} or ${isLater('failing_since')})`],
    ['hub_requests', isLater('created_at')],
  ] as const) {
    statements.push(
      sql`update ${sql.table(table)} set due_at = ${at} where due_at > ${now} and ${written}`,
      sql`update ${sql.table(table)} set lease_until = null where lease_until > ${latest(hub)}`,
    );
  }
  let corrected = 0n;
  for (const statement of statements) corrected += (await statement.execute(db)).numAffectedRows ?? 0n;
  return Number(corrected);
}
