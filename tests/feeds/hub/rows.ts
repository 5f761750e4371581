/** Rows of the hub, each of another reader. */
import type { Insertable } from 'kysely';
import type { Tables } from '../../../src/core/store/tables.ts';
import { HOUR } from '../../../src/lib/time.ts';

type Row = Insertable<Tables['hub_subscriptions']>;

const task = (key: string) => {
  const host = `${key}.example.com`;
  return { key, topic: 'latest.atom', callback: `https://${host}/`, host, attempts: 0, fence: 0 };
};

/** A confirmed subscription, to which nothing is to be delivered unless `change` says otherwise. */
export const subscriptionRow = (key: string, now: number, change: Partial<Row> = {}): Row => ({
  ...{ ...task(key), verified_at: now, expires_at: now + HOUR, version: 1 },
  ...{ pending: 0, pending_since: now, due_at: now, ...change },
});

/** A request to subscribe that waits for its verification. */
export const requestRow = (key: string, now: number): Insertable<Tables['hub_requests']> => ({
  ...{ ...task(key), mode: 'subscribe', secret: null, lease_seconds: 3_600, lease_until: null },
  ...{ created_at: now, due_at: now },
});
