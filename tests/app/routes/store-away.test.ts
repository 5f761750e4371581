import { expect, it } from 'vitest';
import { noFaults } from '../../../src/core/store/sqlite-thread.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { until } from '../../support/until.ts';
import { openTestSite } from '../test-site.ts';

/** A store whose queries end as `answer` says. */
async function openSite(answer: () => Promise<never>, isSilent: boolean) {
  const store = await openMigrated();
  const db: Store['db'] = store.db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: answer,
  });
  return openTestSite({ ...store, db, reports: db, faults: { ...noFaults(), isSilent } }, sampleConfig());
}

it('answers a page with 503 while the database leaves questions unanswered', async () => {
  const query = Promise.withResolvers<never>();
  const site = await openSite(() => query.promise, true);
  const response = await site.get('/');
  expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '30']);
  // The page is still being served: work in the background would wait for it in other tests.
  query.reject(new Error('the connection is lost'));
  await until(() => site.logged.length > 0);
});

it('answers with 503 while the store is locked, and logs the failure as one line', async () => {
  const locked = Object.assign(new Error('/srv/daywire.db: database is locked'), { errcode: 5 });
  const site = await openSite(() => Promise.reject(locked), false);
  expect((await site.get('/')).status).toBe(503);
  expect(site.logged).toEqual([expect.objectContaining({ error: '/srv/daywire.db: database is locked' })]);
});
