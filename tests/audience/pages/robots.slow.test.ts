import { describe, expect, it } from 'vitest';
import { openTestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { type Fields, listed, ROBOTS, TIMES } from './robots.ts';

const formOf = (n: number): Fields => [
  ['email', `victim${n}@gmail.com`],
  ['newsletter', 'daily-roundup'],
];
/** Each from a network of its own. */
const addressOf = (n: number): string => `203.${n >> 8}.${n & 255}.1`;

describe('1,000 robots', () => {
  forEachDatabase((open) => {
    it('that are trapped, too fast, or of no listed origin cause no mail', async () => {
      const store = await open();
      const site = openTestSite(store, listed());
      for (let n = 0; n < 1_000; n++) {
        const [fields, headers, status] = ROBOTS[n % ROBOTS.length] as (typeof ROBOTS)[number];
        const options = { headers, from: addressOf(n) };
        const response = await site.post('/api/subscribe', [...formOf(n), ...fields], options);
        expect([headers, fields, response.status]).toEqual([headers, fields, status]);
      }
      expect(await store.db.selectFrom('service_messages').selectAll().execute()).toEqual([]);
      expect(await store.db.selectFrom('subscribers').selectAll().execute()).toEqual([]);
    });

    it('that imitate a browser cause no mail beyond signup.perHour', async () => {
      const store = await open();
      const site = openTestSite(store, listed({ perHour: 20 }));
      const headers = { Origin: TIMES, Accept: 'application/json' };
      const statuses = { 200: 0, 429: 0 };
      for (let n = 0; n < 1_000; n++) {
        const form: Fields = [...formOf(n), ['elapsed', '9000']];
        statuses[(await site.post('/api/subscribe', form, { headers, from: addressOf(n) })).status as 200 | 429]++;
      }
      expect(statuses).toEqual({ 200: 20, 429: 980 });
      expect(await store.db.selectFrom('service_messages').select('id').execute()).toHaveLength(20);
    });
  });
});
