import { beforeEach, describe, expect, it } from 'vitest';
import { messageToken } from '../../../src/audience/tokens.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { closedConfig, NOW, openTestSite, preferencesPath, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { requestNewsletters } from '../fixtures.ts';

describe('the page behind a confirmation link', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    let path: string;
    let subscriberId: number;
    const ask = async (newsletters = ['daily-roundup']): Promise<void> => {
      const key = await requestNewsletters(store, newsletters, { zone: 'Europe/Paris', now: NOW - HOUR });
      subscriberId = key.subscriberId;
      path = `/confirm/${messageToken(SECRETS, 'confirm', key)}`;
    };
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
      await ask();
    });
    const subscriptions = (): Promise<object[]> =>
      store.db.selectFrom('subscriptions').select(['newsletter', 'state', 'changed_at']).execute();

    it('shows the newsletters and a button on GET, and changes nothing', async () => {
      const html = await site.read(path);
      await site.app.request(path, { method: 'HEAD' });
      expect(html).toMatch(/<strong>The Daily Roundup<\/strong>/);
      expect(html).toMatch(/<form class="form" method="post">[^§]*<button type="submit">Confirm<\/button>/);
      expect(html).not.toContain('ada@example.com');
      expect(await subscriptions()).toMatchObject([{ state: 'unconfirmed' }]);
    });

    it('confirms when the button is pressed, records the proof, and links to the preferences', async () => {
      const response = await site.post(path, [], { from: '192.0.2.9' });
      const html = await response.text();
      expect(response.status).toBe(200);
      expect(html).toContain('You are subscribed');
      const link = /href="(\/preferences\/[^"]+)"/.exec(html)?.[1] ?? '';
      expect(link).toBe(preferencesPath(subscriberId, { version: 2, expiresAt: NOW + HOUR }));
      expect((await site.get(link)).status).toBe(200);
      expect(await subscriptions()).toEqual([{ newsletter: 'daily-roundup', state: 'confirmed', changed_at: NOW }]);
      const proof = await store.db
        .selectFrom('consent_events')
        .select(['newsletter', 'channel', 'source', 'at'])
        .where('change', '=', 'confirmed')
        .execute();
      expect(proof).toEqual([{ newsletter: 'daily-roundup', channel: 'confirmation', source: '192.0.2.9', at: NOW }]);
    });

    it('says so again the second time, but opens nothing and changes nothing', async () => {
      await site.post(path);
      for (const later of [1, 5 * DAY]) {
        site.at(NOW + later);
        for (const response of [await site.post(path), await site.get(path)]) {
          const html = await response.text();
          expect(response.status).toBe(200);
          expect(html).toContain('You are subscribed');
          expect(html).not.toMatch(/\/preferences\/|\/account\/|ada@/);
        }
      }
      expect(await subscriptions()).toMatchObject([{ state: 'confirmed', changed_at: NOW }]);
    });

    it('offers a new link to a subscriber who is late, to the millisecond', async () => {
      site.at(NOW + 71 * HOUR - 1);
      expect(await site.read(path)).toContain('>Confirm</button>');
      site.at(NOW + 71 * HOUR);
      for (const response of [await site.get(path), await site.post(path)]) {
        const html = await response.text();
        expect(response.status).toBe(410);
        expect(html).toContain('This link has expired');
        expect(html).toContain('<a href="/newsletters">Request a new link</a>');
      }
      expect(await subscriptions()).toMatchObject([{ state: 'unconfirmed' }]);
    });

    it('says that there is nothing to confirm if the request was deleted', async () => {
      await store.db.deleteFrom('service_messages').execute();
      for (const response of [await site.get(path), await site.post(path)]) {
        expect(response.status).toBe(410);
        expect(await response.text()).toContain('Nothing to confirm');
      }
    });

    it('offers no form if signup has been closed since', async () => {
      const closed = openTestSite(store, closedConfig());
      expect((await closed.post(path)).status).toBe(200);
      closed.at(NOW + 5 * DAY);
      await ask(['gone-letter']);
      const html = await (await closed.get(path)).text();
      expect(html).toContain('mailto:newsroom@example.com');
      expect(html).not.toContain('Request a new link');
    });

    it('shows the id of a newsletter that is no longer in the configuration', async () => {
      await ask(['gone-letter']);
      expect(await site.read(path)).toContain('<strong>gone-letter</strong>');
    });
  });
});
