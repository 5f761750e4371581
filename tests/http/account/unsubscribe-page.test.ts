import { beforeEach, describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import type { Store } from '../../../src/store/store.ts';
import { revokeLinksOf } from '../../../src/subscribers/account-links.ts';
import { subscriptionStates } from '../../../src/subscribers/consent/changes.ts';
import { addSubscriber, findSubscription } from '../../../src/subscribers/subscriptions.ts';
import { unsubscribeToken } from '../../../src/subscribers/tokens.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { NOW, openTestSite, type TestSite } from '../test-site.ts';

describe('the unsubscribe page', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    let path: string;
    let key: { subscriberId: number; newsletter: string };
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
      const added = await addSubscriber(
        store.db,
        SECRETS,
        { email: 'ada@example.com', newsletters: ['daily-roundup'] },
        { channel: 'operator' },
        NOW - HOUR,
      );
      if (added.kind !== 'stored') throw new Error(added.reason);
      key = { subscriberId: added.subscriberId, newsletter: 'daily-roundup' };
      path = `/unsubscribe/${unsubscribeToken(SECRETS, key)}`;
    });
    const post = async (init: RequestInit = {}): Promise<Response> =>
      site.app.request(path, { method: 'POST', ...init });
    const state = async (): Promise<unknown> => (await findSubscription(store.db, key))?.state;

    it('shows a button on GET, and changes nothing', async () => {
      const html = await site.read(path);
      expect(html).toContain('Unsubscribe from The Daily Roundup');
      expect(html).toMatch(/<form method="post">\s*<button type="submit">Unsubscribe<\/button>/);
      expect(html).not.toContain('ada@example.com');
      await site.app.request(path, { method: 'HEAD' });
      expect(await state()).toBe('confirmed');
    });

    it('unsubscribes when the button is pressed', async () => {
      const response = await post({ headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: '' });
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('You are unsubscribed');
      expect(await findSubscription(store.db, key)).toMatchObject({ state: 'unsubscribed', changedAt: NOW });
    });

    it('unsubscribes in one click without cookie and redirect, as RFC 8058 requires', async () => {
      const form = new FormData();
      form.set('List-Unsubscribe', 'One-Click');
      for (const body of [new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }), form]) {
        const response = await post({ body });
        expect(response.status).toBe(200);
        expect(response.headers.get('Set-Cookie')).toBeNull();
        expect(await state()).toBe('unsubscribed');
      }
    });

    it('records channel and source of the change', async () => {
      const oneClick = new FormData();
      oneClick.set('List-Unsubscribe', 'One-Click');
      const bodies = [
        new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
        oneClick,
        new URLSearchParams(),
        'x'.repeat(99_999),
      ];
      for (const body of bodies) {
        await store.db.updateTable('subscriptions').set({ state: 'confirmed' }).execute();
        const env = { incoming: { socket: { remoteAddress: '192.0.2.7' } } };
        await site.app.request(path, { method: 'POST', body }, env);
      }
      const left = store.db
        .selectFrom('consent_events')
        .select(['channel', 'source'])
        .where('change', '=', 'unsubscribed');
      expect(await left.orderBy('id').execute()).toEqual(
        ['one-click', 'one-click', 'unsubscribe-page', 'unsubscribe-page'].map((channel) => ({
          channel,
          source: '192.0.2.7',
        })),
      );
    });

    it('accepts requests from other sites, which webmail sends', async () => {
      expect((await post({ headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://mail.example' } })).status).toBe(
        200,
      );
      expect(await state()).toBe('unsubscribed');
    });

    it('opens nothing else and names nobody, before and after, and works for ever', async () => {
      await addSubscriber(
        store.db,
        SECRETS,
        { email: 'ada@example.com', newsletters: ['weekly'] },
        { channel: 'operator' },
        NOW,
      );
      await revokeLinksOf(store.db, key.subscriberId, NOW);
      site.at(NOW + 3_650 * DAY);
      const rotated = openTestSite(store, undefined, {
        secrets: ['another secret, as long as the first one', ...SECRETS],
      });
      for (const html of [await site.read(path), await rotated.read(path), await (await post()).text()]) {
        expect(html).not.toMatch(/\/preferences\/|\/account\/|ada@|weekly/);
      }
      expect(await subscriptionStates(store.db, key.subscriberId)).toEqual(
        new Map([
          ['daily-roundup', 'unsubscribed'],
          ['weekly', 'confirmed'],
        ]),
      );
    });

    it('changes nothing the second time', async () => {
      await post();
      site.at(NOW + HOUR);
      expect((await post()).status).toBe(200);
      expect(await findSubscription(store.db, key)).toMatchObject({ changedAt: NOW });
      expect(await site.read(path)).toContain('You are unsubscribed');
    });

    it('is not cached, not listed by search engines, and sends no referrer', async () => {
      for (const response of [await site.get(path), await post(), await site.get('/unsubscribe/forged')]) {
        expect(response.headers.get('Cache-Control')).toBe('no-store');
        expect(response.headers.get('Referrer-Policy')).toBe('no-referrer');
        expect(response.headers.get('X-Robots-Tag')).toBe('noindex');
        expect(response.headers.get('ETag')).toBeNull();
      }
    });

    it('responds to an invalid token as to an unknown address', async () => {
      const notFound = await (await site.get('/no-such-page')).text();
      const token = path.slice('/unsubscribe/'.length);
      const forged = [
        'x',
        token.slice(0, -1),
        `${token}A`,
        token.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
        unsubscribeToken(['another secret, as long as the first one'], key),
        '%00',
      ];
      for (const bad of forged) {
        for (const method of ['GET', 'POST']) {
          const response = await site.app.request(`/unsubscribe/${bad}`, { method });
          expect([bad, response.status]).toEqual([bad, 404]);
          expect(await response.text()).toBe(notFound);
        }
      }
      expect(await state()).toBe('confirmed');
      expect(site.logged).toEqual([]);
    });

    it('treats a deleted subscriber as unsubscribed', async () => {
      await store.db.deleteFrom('subscriptions').execute();
      expect(await site.read(path)).toContain('You are unsubscribed');
      expect((await post()).status).toBe(200);
      expect(await store.db.selectFrom('subscriptions').selectAll().execute()).toEqual([]);
    });
  });
});
