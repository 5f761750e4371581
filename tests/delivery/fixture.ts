/**
 * Configuration, service messages and stored rows for tests of delivery.
 */
import { NOW, storeSubscribers } from '../../scripts/test-edition.ts';
import type { Config } from '../../src/core/config/config.ts';
import type { Store, Tx } from '../../src/core/store/store.ts';
import type { Tables } from '../../src/core/store/tables.ts';
import {
  type ClaimKeyRow,
  type DeliveryClaim,
  type MarkResult,
  markQuery,
  matchClaims,
  recordIneligible,
} from '../../src/delivery/queue/outbox.ts';
import { HOUR } from '../../src/lib/time.ts';
import { sampleConfig } from '../support/sample.ts';

/** The sample configuration, with https://news.example as URL. */
export function testConfig(
  changes: { url?: string; delivery?: Partial<Config['delivery']>; cwd?: string } = {},
): Config {
  const config = sampleConfig(undefined, { cwd: changes.cwd ?? '/nowhere' });
  const url = changes.url ?? 'https://news.example';
  return {
    ...config,
    publication: { ...config.publication, url },
    delivery: { ...config.delivery, ...changes.delivery },
  };
}

/** Queues a service message for a subscriber, who is stored if missing. @returns the ids of both */
export async function queueConfirmation(
  store: Store,
  email: string,
  changes: { kind?: 'confirm' | 'already'; expiresAt?: number; dueAt?: number } = {},
): Promise<{ messageId: number; subscriberId: number }> {
  const { kind = 'confirm', expiresAt = NOW + 72 * HOUR, dueAt = NOW } = changes;
  const [subscriberId] = (await storeSubscribers(store, [email], 'weekly')) as [number];
  const { id } = await store.db
    .insertInto('service_messages')
    .values({
      kind,
      subscriber_id: subscriberId,
      newsletters: JSON.stringify(['daily-roundup']),
      state: 'pending',
      attempts: 0,
      due_at: dueAt,
      expires_at: expiresAt,
      fence: 0,
      created_at: NOW,
      changed_at: NOW,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { messageId: id, subscriberId };
}

/** All service messages. */
export function serviceMessagesOf(store: Store) {
  return store.db.selectFrom('service_messages').selectAll().orderBy('id').execute();
}

/** All deliveries, by edition and subscriber. */
export function deliveriesOf(store: Store) {
  return store.db.selectFrom('deliveries').selectAll().orderBy('edition_id').orderBy('subscriber_id').execute();
}

/** Changes deliveries: all, or those of an edition or a subscriber. */
export function setDeliveries(
  store: Store,
  set: Partial<Tables['deliveries']>,
  which: Partial<Pick<Tables['deliveries'], 'edition_id' | 'subscriber_id'>> = {},
) {
  return store.db
    .updateTable('deliveries')
    .set(set)
    .where((e) => e.and(which))
    .execute();
}

/** Marks claims as submitting, as a group commit does. */
export async function markSubmitting(
  tx: Tx,
  claims: readonly (DeliveryClaim & { newsletter: string })[],
  now: number,
  leaseMs: number,
): Promise<MarkResult[]> {
  const { rows } = await tx.executeQuery<ClaimKeyRow>(markQuery(tx, claims, now, leaseMs));
  const marked = matchClaims(claims, rows);
  const results: MarkResult[] = [];
  for (const [n, claim] of claims.entries()) {
    results.push(marked[n] ? { kind: 'submitting' } : await recordIneligible(tx, claim, now));
  }
  return results;
}
