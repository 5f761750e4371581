import { expect, it } from 'vitest';
import { importBatch } from '../../src/audience/csv/import-batch.ts';
import { eraseSubscriber } from '../../src/audience/erasure.ts';
import { growthPeriods, readGrowth } from '../../src/audience/growth.ts';
import { endSubscriptions } from '../../src/audience/subscriptions.ts';
import { foldCountSlots } from '../../src/core/store/counts.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { addConfirmed, NOW, OPERATOR, requestNewsletters, unsubscribe } from './fixtures.ts';

const ZONE = 'Asia/Kathmandu';

/** `2026-11-24 +2 -1` for each period in which something changed. */
async function growthOf({ db }: Store, newsletter: string): Promise<string[]> {
  const growth = await readGrowth(db, growthPeriods('day', 3, NOW + DAY, ZONE));
  const periods = (growth.get(newsletter) ?? []).filter(({ joined, left }) => joined + left > 0);
  return periods.map(({ date, joined, left }) => `${date} +${joined} -${left}`);
}

const row = (email: string, line: number) => ({
  ...{ email, key: email, zone: null, newsletters: ['daily'], unsubscribed: [], pausedUntil: null, line },
  ...{ since: null, status: 'subscribed' as const, suppressed: null },
});

forEachDatabase((open) => {
  it('counts who joined and who left on each day of the zone', async () => {
    const store = await open();
    // In Kathmandu a day begins at 18:15 UTC.
    const midnight = Date.UTC(2026, 10, 24, 18, 15);
    const ada = await addConfirmed(store, 'ada@example.com', ['daily', 'weekly'], midnight - MINUTE);
    const grace = await addConfirmed(store, 'grace@example.com', ['daily'], midnight);
    await unsubscribe(store.db, { subscriberId: ada, newsletter: 'daily' }, OPERATOR, midnight + HOUR);
    await eraseSubscriber(store.db, SECRETS, grace, midnight + 2 * HOUR);
    expect(await growthOf(store, 'daily')).toEqual(['2026-11-24 +1 -0', '2026-11-25 +1 -2']);
    expect(await growthOf(store, 'weekly')).toEqual(['2026-11-24 +1 -0']);
    await foldCountSlots(store.db);
    expect(await growthOf(store, 'daily')).toEqual(['2026-11-24 +1 -0', '2026-11-25 +1 -2']);
  });

  it('counts nobody who has not confirmed, and an import once', async () => {
    const store = await open();
    const { subscriberId } = await requestNewsletters(store, ['daily']);
    await endSubscriptions(store.db, subscriberId, 'all', OPERATOR, NOW);
    expect(await growthOf(store, 'daily')).toEqual([]);
    const rows = ['grace@example.com', 'kay@example.com'].map((email, index) => row(email, index + 2));
    for (let time = 0; time < 2; time++) {
      await importBatch(store, SECRETS, rows, { source: 'list.csv', now: NOW });
    }
    expect(await growthOf(store, 'daily')).toEqual(['2026-11-24 +2 -0']);
  });
});

it('has days of 23 and 25 hours, and weeks that begin on Monday', () => {
  const after = Date.UTC(2026, 10, 2, 12);
  const days = growthPeriods('day', 3, after, 'America/New_York');
  expect(days.map(({ date, from, until }) => [date, (until - from) / HOUR])).toEqual([
    ['2026-10-31', 24],
    ['2026-11-01', 25],
    ['2026-11-02', 24],
  ]);
  const weeks = growthPeriods('week', 2, NOW, 'UTC');
  expect(weeks.map(({ date }) => date)).toEqual(['2026-11-16', '2026-11-23']);
  expect(weeks[0]?.until).toBe(weeks[1]?.from);
});
