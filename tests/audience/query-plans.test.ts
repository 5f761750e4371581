import type { CompiledQuery } from 'kysely';
import { expect, it } from 'vitest';
import { confirmRequest, findRequest, requestSubscription } from '../../src/audience/consent/opt-in.ts';
import { eraseSubscriber } from '../../src/audience/erasure.ts';
import { exportSubscriberData } from '../../src/audience/export-data.ts';
import { subscriberHistory } from '../../src/audience/history.ts';
import { changePreferences, readPreferences } from '../../src/audience/preferences.ts';
import { addSubscriber, findSubscriberByAddress, listSubscribers } from '../../src/audience/subscriptions.ts';
import {
  findSuppressed,
  suppressAddress,
  suppressByOperator,
  unsuppressByOperator,
} from '../../src/audience/suppression.ts';
import { openMigrated } from '../support/databases.ts';
import { queryPlan, recordQueries } from '../support/recorded-queries.ts';
import { SECRETS } from '../support/sample.ts';
import {
  ADA,
  addConfirmed,
  FORM,
  MAIL,
  NOW,
  OPERATOR,
  OPTIONS,
  removeSubscriber,
  requestNewsletters,
} from './fixtures.ts';

it('operations on one address scan no table', async () => {
  const store = await openMigrated();
  const { store: recorded, takeQueries } = recordQueries(store);
  const { db } = recorded;
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

  const queries = takeQueries();
  expect(queries.length).toBeGreaterThan(60);
  const scans: string[] = [];
  for (const query of queries) {
    const steps = (await queryPlan(store, query)).filter((step) => step.startsWith('SCAN '));
    // There are few editions, by which deliveries are searched, and few domains of them are paused; and few refusals
    // since a service message was accepted.
    const few = /CONSTANT ROW|VALUES CLAUSE|SCAN (editions|pragma_)/;
    const harmful = steps.filter((step) => !few.test(step));
    scans.push(...harmful.map((step) => `${step}: ${query.sql}`));
  }
  expect(scans).toEqual([]);
});

it('a page of subscribers is read in the order of the primary key, also for one newsletter', async () => {
  const store = await openMigrated();
  const { store: recorded, takeQueries } = recordQueries(store);
  await addConfirmed(store);
  await listSubscribers(recorded.db, { newsletter: 'daily', limit: 2 });
  const [first] = takeQueries();
  const details = (await queryPlan(store, first as CompiledQuery)).join('\n');
  expect(details).toMatch(/SEARCH subscribers USING INTEGER PRIMARY KEY/);
  expect(details).toMatch(
    /SEARCH subscriptions (EXISTS )?USING .*subscriptions_1 \(subscriber_id=\? AND newsletter=\?\)/,
  );
  expect(details).not.toMatch(/TEMP B-TREE|LIST SUBQUERY/);
});

it('a request runs the same statements for every address', async () => {
  const store = await openMigrated();
  const { store: recorded, takeQueries } = recordQueries(store);
  await addConfirmed(store, 'known@example.com', ['daily', 'weekly']);
  await suppressAddress(store.db, SECRETS, await addConfirmed(store, 'bounced@example.com'), 'hard-bounce', MAIL, NOW);
  await eraseSubscriber(store.db, SECRETS, await addConfirmed(store, 'erased@example.com'), NOW);
  await suppressByOperator(store.db, SECRETS, 'operator@example.com', NOW);
  await requestNewsletters(store, ['daily'], { email: 'requested@example.com' });
  const costs: string[] = [];
  for (const name of ['new', 'known', 'bounced', 'erased', 'operator', 'requested']) {
    const request = { email: `${name}@example.com`, newsletters: ['daily', 'weekly'] };
    await requestSubscription(recorded.db, SECRETS, request, FORM, OPTIONS, NOW);
    const statements = takeQueries().map((query) => query.sql);
    expect(statements.length).toBeGreaterThan(6);
    costs.push(statements.join(';\n'));
  }
  expect(new Set(costs).size).toBe(1);
});
