import { expect, it } from 'vitest';
import { storeDeliveries } from '../../../scripts/complaints/deliver-rows.ts';
import { RateWatch } from '../../../src/delivery/rates/watch-rates.ts';
import { NOW } from '../../support/clock.ts';
import { openMigrated } from '../../support/databases.ts';
import { queryPlan, recordQueries } from '../../support/recorded-queries.ts';
import { openTestApp } from '../../support/test-app.ts';

it('the rates of an edition are counted by indexes, and one query finds that nothing is new', async () => {
  const store = await openMigrated();
  const rows = [
    { domain: 'gmail.com', state: 'submitted' as const, count: 30 },
    { domain: 'gone.example', state: 'failed' as const, count: 12, reply: '550 5.1.1 no such user' },
  ];
  const edition_id = await storeDeliveries(store, rows, { closedAt: NOW });
  const complaint = { edition_id, kind: 'complaint' as const, at: NOW };
  const complain = (ids: number[]) =>
    store.db
      .insertInto('bounces')
      .values(ids.map((subscriber_id) => ({ ...complaint, subscriber_id })))
      .execute();
  await complain([1, 2, 3]);
  const { store: recorded, takeQueries } = recordQueries(store);
  const watch = new RateWatch(openTestApp({ ...recorded, reports: recorded.db }));
  await watch.look();
  await complain([4, 5, 6]);
  await watch.look();
  const queries = takeQueries();
  expect(queries.length).toBeGreaterThan(20);
  const scans: string[] = [];
  for (const query of queries) {
    const steps = (await queryPlan(store, query)).filter((step) => step.startsWith('SCAN '));
    // Alerts are few, and so are editions in delivery, which have an index of their own.
    const few =
      /SCAN (alerts|provider_holds|counted|CONSTANT ROW|2-ROW VALUES|editions USING (COVERING )?INDEX editions_in_delivery)/;
    scans.push(...steps.filter((step) => !few.test(step)).map((step) => `${step}: ${query.sql}`));
  }
  expect(scans).toEqual([]);
  await watch.look();
  expect(takeQueries()).toHaveLength(1);
  await store.close();
});
