/**
 * Errands to strangers' servers, many at once and never too many: a slow one holds up neither the others nor whoever sends them.
 */

import { type RawBuilder, sql } from 'kysely';
import { SECOND } from '../lib/time.ts';
import { isClaimable } from '../store/lease.ts';
import type { Db } from '../store/store.ts';

/** Something to do at a host. It records its outcome itself. */
interface Errand {
  host: string;
  run(signal: AbortSignal): Promise<void>;
}

/** Where errands come from. Those named first go first. */
export interface Lane {
  /** So many of its errands at once, at most. */
  most: number;
  /** Claims errands that are due. */
  claim(room: Room): Promise<Errand[]>;
}

/** What may be claimed now. */
export interface Room {
  /** Hosts that are busy already: nothing more of theirs. */
  busyHosts: readonly string[];
  /** Of those that are due, in their order, the ones that there is room for. */
  pick<T extends { host: string }>(due: readonly T[]): T[];
}

/** Enough to find room among: whoever has more of them at one host waits for the next turn. */
const LOOKED_AT = 200;

/**
 * Looks for rows that are due, longest due first, and picks those that there is room for. Before a claim, because most of the time
 * none is due, and a write would wait for other writers.
 * @param options.due a further condition
 */
export async function findDueKeys(
  db: Db,
  table: 'hub_subscriptions' | 'hub_requests',
  { room, now, due = sql<boolean>`1 = 1` }: { room: Room; now: number; due?: RawBuilder<boolean> },
): Promise<string[]> {
  const rows = await db
    .selectFrom(table)
    .select(['key', 'host'])
    .where(isClaimable(table, now))
    .where(due)
    .$if(room.busyHosts.length > 0, (q) => q.where('host', 'not in', room.busyHosts))
    .orderBy('due_at')
    .orderBy('key')
    .limit(LOOKED_AT)
    .execute();
  return room.pick(rows).map(({ key }) => key);
}

export interface Pool {
  /** Claims what is due as far as there is room, and begins it. Returns without waiting for its end. @throws what claiming throws */
  turn(): Promise<void>;
  /** Takes turns until nothing is due and nothing under way. */
  settle(): Promise<void>;
  /** Begins nothing new, waits a little for what is under way, then cuts it short. */
  stop(): Promise<void>;
}

export interface PoolOptions {
  /** So many errands at once. */
  most: number;
  /** So many of them at one host. */
  perHost: number;
  /** An errand could not be recorded; its lease will lapse, and it is claimed again. */
  onError(error: unknown): void;
}

/** How long what is under way may go on when we are told to end. */
const PATIENCE = 2 * SECOND;

export function openPool(lanes: readonly Lane[], { most, perHost, onError }: PoolOptions): Pool {
  const underWay = new Map<Promise<void>, { lane: Lane; host: string }>();
  const ending = new AbortController();
  let stopped = false;
  let turning: Promise<number> | null = null;
  let next: Promise<number> | null = null;
  // Whether the last turn found more than there was room for.
  let isMore = false;

  const begin = (lane: Lane, { host, run }: Errand): void => {
    const errand: Promise<void> = run(ending.signal)
      .catch(onError)
      .finally(() => {
        underWay.delete(errand);
        // At once, where others wait for its place; what goes wrong then is told by the next turn.
        if (isMore && !stopped) oneTurn().catch(() => {});
      });
    underWay.set(errand, { lane, host });
  };
  const roomOf = (lane: Lane): Room & { limit: number } => {
    const inLane = [...underWay.values()].filter((one) => one.lane === lane).length;
    const counts = new Map<string, number>();
    for (const { host } of underWay.values()) counts.set(host, (counts.get(host) ?? 0) + 1);
    const limit = Math.min(most - underWay.size, lane.most - inLane);
    return {
      limit,
      busyHosts: [...counts].filter(([, count]) => count >= perHost).map(([host]) => host),
      pick(due) {
        const picked = due.filter(({ host }) => {
          const count = counts.get(host) ?? 0;
          if (count >= perHost) return false;
          counts.set(host, count + 1);
          return true;
        });
        if (due.length > Math.min(picked.length, limit)) isMore = true;
        return picked.slice(0, limit);
      },
    };
  };
  const claimAll = async (): Promise<number> => {
    let begun = 0;
    isMore = false;
    for (const lane of lanes) {
      const room = roomOf(lane);
      if (room.limit <= 0) {
        isMore = true;
        continue;
      }
      const errands = await lane.claim(room);
      for (const errand of errands) begin(lane, errand);
      begun += errands.length;
    }
    return begun;
  };
  const beginTurn = (): Promise<number> => {
    next = null;
    if (stopped) return Promise.resolve(0);
    turning = claimAll().finally(() => {
      turning = null;
    });
    return turning;
  };
  /** A turn that begins now, or after the one under way, which may have looked before there was room. */
  const oneTurn = (): Promise<number> => {
    if (stopped || turning === null) return beginTurn();
    next ??= turning.then(beginTurn, beginTurn);
    return next;
  };

  return {
    async turn() {
      await oneTurn();
    },
    async settle() {
      while (!stopped) {
        // A turn that begins while something is under way does not see what that leaves to do.
        const isIdle = underWay.size === 0 && turning === null;
        const begun = await oneTurn();
        // With more than it took, another process was quicker: there is more to look at.
        if (isIdle && begun === 0 && underWay.size === 0 && !isMore) return;
        await Promise.all(underWay.keys());
      }
    },
    async stop() {
      stopped = true;
      await turning?.catch(() => {});
      const impatience = setTimeout(() => ending.abort(), PATIENCE);
      await Promise.all(underWay.keys());
      clearTimeout(impatience);
    },
  };
}
