/**
 * One request to a host at a time, from all processes, and two seconds between the end of one and the next. A process
 * that dies during a request leaves a lease, which expires.
 */
import { sql } from 'kysely';
import { LONGEST_LEASES } from '../core/store/future-instants.ts';
import type { Db } from '../core/store/store.ts';
import type { RequestGate } from '../lib/guarded-fetch/fetch-client.ts';
import { type Clock, DAY, MINUTE, rfc3339, SECOND } from '../lib/time.ts';
import { hostOf, PollError, placeOf } from './request.ts';

/** Between the end of a request and the next one to the same host. */
export const HOST_PAUSE = 2 * SECOND;
/** A host that asks for a longer pause is not waited for: `PollError`. */
const LONGEST_WAIT = MINUTE;
/** How often a host is looked at that another process uses. */
const STEP = SECOND;

/** Waits. @throws the reason of `signal` */
export type Wait = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

export interface HostGateDeps {
  db: Db;
  clock: Clock;
  wait: Wait;
  /** Called before each look at a host, as long as a request waits: a lease of the caller is renewed there. */
  onWait: () => Promise<void>;
}

export function openHostGate({ db, clock, wait, onWait }: HostGateDeps): RequestGate {
  return {
    async enter(url, signal) {
      const host = hostOf(url);
      for (;;) {
        signal.throwIfAborted();
        await onWait();
        const now = clock();
        const lease = await claimHost(db, host, now);
        if (lease !== null) return { [Symbol.asyncDispose]: () => releaseHost(db, host, lease, clock()) };
        const milliseconds = await timeUntilFree(db, host, now);
        if (milliseconds > LONGEST_WAIT) {
          const until = now + milliseconds;
          const problem = `${placeOf(url.href)} was not asked: its host asks for a pause until ${rfc3339(until)}`;
          throw new PollError(problem, { kind: 'busy', retryAt: until });
        }
        await wait(milliseconds, signal);
      }
    },
  };
}

/** @returns when the lease ends, which identifies it; null while the host is in use, or has its pause */
async function claimHost(db: Db, host: string, now: number): Promise<number | null> {
  const until = now + LONGEST_LEASES.host;
  const row = await db
    .insertInto('source_hosts')
    .values({ host, busy_until: until, free_at: now, written_at: now })
    .onConflict((conflict) =>
      conflict
        .column('host')
        .doUpdateSet({ busy_until: until })
        .where('source_hosts.free_at', '<=', now)
        .where((e) => e.or([e('source_hosts.busy_until', 'is', null), e('source_hosts.busy_until', '<=', now)])),
    )
    .returning('host')
    .executeTakeFirst();
  return row === undefined ? null : until;
}

/** Ends a request, unless its lease has expired and another one has begun. */
async function releaseHost(db: Db, host: string, lease: number, now: number): Promise<void> {
  await db
    .updateTable('source_hosts')
    .set({ busy_until: null, free_at: later(now + HOST_PAUSE), written_at: now })
    .where('host', '=', host)
    .where('busy_until', '=', lease)
    .execute();
}

/** Sends no request to a host before an instant, as it asked (RFC 6585 §4). */
export async function holdHost(db: Db, host: string, until: number, now: number): Promise<void> {
  // A request of a trial has no row.
  await db
    .insertInto('source_hosts')
    .values({ host, busy_until: null, free_at: until, written_at: now })
    .onConflict((conflict) => conflict.column('host').doUpdateSet({ free_at: later(until), written_at: now }))
    .execute();
}

/** Both databases name the greater of two values otherwise. */
function later(instant: number) {
  const freeAt = sql.ref('source_hosts.free_at');
  return sql<number>`case when ${freeAt} > ${instant} then ${freeAt} else cast(${instant} as bigint) end`;
}

/** Milliseconds until it is worth another look. */
async function timeUntilFree(db: Db, host: string, now: number): Promise<number> {
  const row = await db
    .selectFrom('source_hosts')
    .select(['busy_until', 'free_at'])
    .where('host', '=', host)
    .executeTakeFirst();
  if (row === undefined) return 0;
  const busy = Math.max(0, (row.busy_until ?? 0) - now);
  return Math.max(row.free_at - now, Math.min(busy, STEP), 1);
}

/** Until when a host asked for a pause that is not worth waiting for; null if it did not. */
export async function findHold(db: Db, host: string, now: number): Promise<number | null> {
  const row = await db
    .selectFrom('source_hosts')
    .select('free_at')
    .where('host', '=', host)
    .where('free_at', '>', now + LONGEST_WAIT)
    .executeTakeFirst();
  return row?.free_at ?? null;
}

/** Deletes hosts that no request went to for a day: redirects may lead to any number of them. */
export async function deleteIdleHosts(db: Db, now: number): Promise<void> {
  await db
    .deleteFrom('source_hosts')
    .where('free_at', '<', now - DAY)
    .where((e) => e.or([e('busy_until', 'is', null), e('busy_until', '<', now - DAY)]))
    .execute();
}
