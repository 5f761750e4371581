import type { KyselyPlugin, RootOperationNode } from 'kysely';
import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { confirmRequest, findRequest, requestSubscription } from '../../src/subscribers/consent/opt-in.ts';
import { eraseSubscriber } from '../../src/subscribers/erasure.ts';
import { exportSubscriberData } from '../../src/subscribers/export-data.ts';
import { subscriberHistory } from '../../src/subscribers/history.ts';
import { changePreferences, readPreferences } from '../../src/subscribers/preferences.ts';
import {
  addSubscriber,
  findSubscriberByAddress,
  listSubscribers,
  removeSubscriber,
} from '../../src/subscribers/subscriptions.ts';
import {
  findSuppressed,
  suppressAddress,
  suppressByOperator,
  unsuppressByOperator,
} from '../../src/subscribers/suppression.ts';
import { openMigrated } from '../support/databases.ts';
import { ADA, addConfirmed, FORM, MAIL, NOW, OPERATOR, OPTIONS, requestNewsletters, SECRETS } from './fixtures.ts';

/** The same store, which notes down every query. */
function watch(store: Store): { store: Store; statements(): string[] } {
  const nodes: RootOperationNode[] = [];
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      nodes.push(node);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const compile = (node: RootOperationNode) => store.db.getExecutor().compileQuery(node, { queryId: 'plan' }).sql;
  return {
    store: { ...store, db: store.db.withPlugin(plugin) },
    statements: () => nodes.splice(0).map(compile),
  };
}

it('nothing that concerns one address reads a table from end to end', async () => {
  const store = await openMigrated();
  const { store: watched, statements } = watch(store);
  const { db } = watched;
  await addSubscriber(db, SECRETS, { email: ADA, newsletters: ['daily'], zone: 'Asia/Tokyo' }, OPERATOR, NOW);
  const key = await requestNewsletters(store, ['daily', 'weekly']);
  await requestSubscription(db, SECRETS, { email: ADA, newsletters: ['daily', 'weekly'] }, FORM, OPTIONS, NOW);
  await suppressAddress(db, SECRETS, key.subscriberId, 'complaint', { channel: 'complaint' }, NOW);
  const fresh = await requestNewsletters(store, ['daily', 'weekly']);
  await findRequest(db, fresh, NOW);
  expect(await confirmRequest(db, SECRETS, fresh, MAIL, NOW)).toMatchObject({ kind: 'confirmed' });
  await readPreferences(db, key.subscriberId);
  await changePreferences(
    db,
    key.subscriberId,
    { newsletters: { offered: ['daily', 'monthly'], wanted: ['monthly'] }, pausedUntil: NOW + 9 },
    MAIL,
    NOW,
  );
  await removeSubscriber(db, ADA, OPERATOR, NOW);
  await findSuppressed(db, SECRETS, [ADA, 'eve@example.com']);
  await suppressByOperator(db, SECRETS, ADA, NOW);
  await unsuppressByOperator(db, SECRETS, ADA, NOW);
  await findSubscriberByAddress(db, ADA);
  await subscriberHistory(db, key.subscriberId, 50);
  await exportSubscriberData(db, key.subscriberId);
  await eraseSubscriber(db, SECRETS, key.subscriberId, NOW);

  const seen = statements();
  expect(seen.length).toBeGreaterThan(60);
  const scans: string[] = [];
  for (const text of new Set(seen)) {
    const plan = await store.db.executeQuery<{ detail: string }>({
      sql: `explain query plan ${text}`,
      parameters: Array.from({ length: text.split('?').length - 1 }, () => null),
      query: { kind: 'RawNode' } as RootOperationNode as never,
      queryId: { queryId: 'plan' },
    });
    for (const { detail } of plan.rows) {
      // Editions are few: deliveries are looked up by them.
      if (detail.startsWith('SCAN ') && !/CONSTANT ROW|VALUES CLAUSE|SCAN editions/.test(detail))
        scans.push(`${detail}: ${text}`);
    }
  }
  expect(scans).toEqual([]);
  await store.close();
});

it('a page of the list is read in the order of the key, that of one newsletter too', async () => {
  const store = await openMigrated();
  const { store: watched, statements } = watch(store);
  await addConfirmed(store);
  await listSubscribers(watched.db, { newsletter: 'daily', limit: 2 });
  const [first = ''] = statements();
  const plan = await store.db.executeQuery<{ detail: string }>({
    sql: `explain query plan ${first}`,
    parameters: [0, 'daily', 2],
    query: { kind: 'RawNode' } as RootOperationNode as never,
    queryId: { queryId: 'plan' },
  });
  const details = plan.rows.map((row) => row.detail).join('\n');
  expect(details).toMatch(/SEARCH subscribers USING INTEGER PRIMARY KEY/);
  expect(details).toMatch(
    /SEARCH subscriptions (EXISTS )?USING .*subscriptions_1 \(subscriber_id=\? AND newsletter=\?\)/,
  );
  expect(details).not.toMatch(/TEMP B-TREE|LIST SUBQUERY/);
  await store.close();
});

it('asking costs the same statements, whatever is known of the address', async () => {
  const store = await openMigrated();
  const { store: watched, statements } = watch(store);
  await addConfirmed(store, 'known@example.com', ['daily', 'weekly']);
  await suppressAddress(store.db, SECRETS, await addConfirmed(store, 'bounced@example.com'), 'hard-bounce', MAIL, NOW);
  await eraseSubscriber(store.db, SECRETS, await addConfirmed(store, 'erased@example.com'), NOW);
  await suppressByOperator(store.db, SECRETS, 'barred@example.com', NOW);
  await requestNewsletters(store, ['daily'], { email: 'asked@example.com' });
  const costs: string[] = [];
  for (const name of ['new', 'known', 'bounced', 'erased', 'barred', 'asked']) {
    const request = { email: `${name}@example.com`, newsletters: ['daily', 'weekly'] };
    await requestSubscription(watched.db, SECRETS, request, FORM, OPTIONS, NOW);
    const cost = statements();
    expect(cost.length).toBeGreaterThan(6);
    costs.push(cost.join(';\n'));
  }
  expect(new Set(costs).size).toBe(1);
  await store.close();
});
