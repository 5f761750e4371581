import { expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { isDelivered } from '../../../src/delivery/monitor/heartbeat.ts';
import { countAllDeliveries, NO_DELIVERIES } from '../../../src/delivery/queue/queries.ts';
import { summariseEditions } from '../../../src/delivery/status/edition-status.ts';
import { formatEdition, formatEditions } from '../../../src/delivery/status/format-editions.ts';
import { TOO_FEW } from '../../../src/editions/copies/copy.ts';
import { findEdition } from '../../../src/editions/queries.ts';
import { openTestDesk } from '../../app/desk/test-desk.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { queryPlan, recordQueries } from '../../support/recorded-queries.ts';
import { readCounted } from '../desk/deliveries/read-counted.ts';
import { setDeliveries } from '../fixture.ts';

/** An edition of ten: seven submitted, one who left, two whose copy has too few stories. */
async function storeOutcomes(store: Store) {
  const { editionId, subscriberIds } = await queueEdition(store, 10);
  const insertCopy = (choice: string, suppressed: string | null) =>
    store.db
      .insertInto('edition_copies')
      .values({ edition_id: editionId, choice, stories: '[]', subject: 'A subject', suppressed })
      .returning('id')
      .executeTakeFirstOrThrow();
  const few = await insertCopy('{"sections":["world"]}', `${TOO_FEW}: 0 of at least 1`);
  const mailed = await insertCopy('{"sections":["trending"]}', null);
  const set = (n: number, values: Parameters<typeof setDeliveries>[1]) =>
    setDeliveries(store, values, { edition_id: editionId, subscriber_id: subscriberIds[n] as number });
  await setDeliveries(store, { state: 'submitted' }, { edition_id: editionId });
  await set(0, { state: 'suppressed', copy_id: mailed.id, reason: 'the subscription is no longer confirmed' });
  for (const n of [1, 2]) await set(n, { state: 'suppressed', copy_id: few.id, reason: `${TOO_FEW}: 0 of at least 1` });
  await store.db.updateTable('editions').set({ delivery_state: 'done', too_few: 2 }).execute();
  return editionId;
}

forEachDatabase((open) => {
  it('counts deliveries with too few chosen stories apart from those that were not sent', async () => {
    const store = await open();
    const id = await storeOutcomes(store);
    const { editionId: other } = await queueEdition(store, 1, { slot: '2026-11-25', number: 2, articleId: 'other' });
    const none = { pending: 0, submitting: 0, submitted: 0, failed: 0, suppressed: 0 };
    const counts = await countAllDeliveries(store.db, [id, other]);
    expect(counts.get(id)).toEqual({ ...none, submitted: 7, suppressed: 1, [TOO_FEW]: 2 });
    expect(counts.get(other)).toEqual({ ...none, pending: 1 });
    expect(await countAllDeliveries(store.db, [])).toEqual(new Map());
  });

  it('shows them on the pages of editions and deliveries, and in lists, without calling them a fault', async () => {
    const store = await open();
    const id = await storeOutcomes(store);
    const desk = await openTestDesk(store);
    const list = await desk.read('editor', '/editions');
    expect(list).toMatch(/:submitted">7<\/span> of 8</);
    const page = await readCounted(desk, 'editor', '/editions/daily-roundup/2026-11-24');
    expect(page).toMatch(/<dt>Queued<\/dt><dd><b>8</);
    expect(page).toMatch(/<dt>Not sent<\/dt><dd><b data-figure="[^"]*:suppressed">1</);
    expect(page).toMatch(/<dt>Too few stories<\/dt><dd><b>2</);
    expect(await readCounted(desk, 'operator', `/deliveries/${id}`)).toMatch(/<dt>Too few stories<\/dt><dd><b>2</);
    expect(await desk.read('operator', '/deliveries')).toContain(
      '7 of 7 accepted by mail servers, none failed, 1 not sent, 2 with too few chosen stories',
    );
    await desk.close();
    const edition = await findEdition(store.db, 'daily-roundup', '2026-11-24');
    const editions = await summariseEditions({ store }, edition === null ? [] : [edition]);
    const words = '7 submitted, 1 suppressed, 2 too few chosen stories';
    expect(editions.map(formatEdition)).toEqual([expect.stringContaining(`(${words})`)]);
    expect(formatEditions(editions)).toContain(words);
  });

  it('does not count them as missing in a cancelled edition', async () => {
    const store = await open();
    const id = await storeOutcomes(store);
    const counts = (await countAllDeliveries(store.db, [id])).get(id) ?? NO_DELIVERIES;
    expect(isDelivered({ ...counts, suppressed: 0 }, 'cancelled')).toBe(true);
    expect(isDelivered({ ...counts, suppressed: 2 }, 'cancelled')).toBe(false);
  });
});

it('reads how many have too few stories from an index: a row of editions has hundreds of kilobytes', async () => {
  const store = await openMigrated();
  const { store: recorded, takeQueries } = recordQueries(store);
  await countAllDeliveries(recorded.db, [1, 2]);
  const plans = await Promise.all(takeQueries().map((query) => queryPlan(store, query)));
  expect(plans.flat()).toContain('SEARCH editions USING COVERING INDEX editions_too_few (<expr>=? AND too_few>?)');
});
