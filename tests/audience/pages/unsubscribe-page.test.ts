import { beforeEach, describe, expect, it } from 'vitest';
import { revokeLinksOf } from '../../../src/audience/account-links.ts';
import { subscriptionStates } from '../../../src/audience/consent/changes.ts';
import { findSubscriber, findSubscriptionState, type Subscriber } from '../../../src/audience/subscriptions.ts';
import { unsubscribeToken } from '../../../src/audience/tokens.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { NOW, openTestSite, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';
import { addConfirmed, consentEvents } from '../fixtures.ts';

const FORM = new URLSearchParams({ unsubscribe: 'yes' });
const ONE_CLICK = 'List-Unsubscribe=One-Click';

describe('the unsubscribe page', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    let path: string;
    let key: { subscriberId: number; newsletter: string };
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
      const subscriberId = await addConfirmed(store, 'ada@example.com', ['daily-roundup'], NOW - HOUR);
      key = { subscriberId, newsletter: 'daily-roundup' };
      path = `/unsubscribe/${unsubscribeToken(SECRETS, key)}`;
    });
    /** Without a body of its own: the form of the page. */
    const post = async (init: RequestInit = {}): Promise<Response> =>
      site.app.request(path, { method: 'POST', body: FORM, ...init });
    const state = (): Promise<unknown> => findSubscriptionState(store.db, key);

    it('shows a button on GET, and changes nothing', async () => {
      const html = await site.read(path);
      expect(html).toContain('Unsubscribe from The Daily Roundup');
      const field = '<input type="hidden" name="unsubscribe" value="yes">';
      expect(html).toContain(`<form method="post">\n${field}\n<button type="submit">Unsubscribe</button>`);
      expect(html).not.toContain('ada@example.com');
      await site.app.request(path, { method: 'HEAD' });
      expect(await state()).toBe('confirmed');
    });

    it('unsubscribes when the button is pressed, and says so from then on', async () => {
      const response = await post();
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('You are unsubscribed');
      const { subscriptions } = (await findSubscriber(store.db, key.subscriberId)) as Subscriber;
      expect(subscriptions).toMatchObject([{ state: 'unsubscribed', changedAt: NOW }]);
      expect(await site.read(path)).toContain('You are unsubscribed');
      expect((await post()).status).toBe(200);
    });

    it('unsubscribes in one click without cookie and redirect, from webmail too, as RFC 8058 requires', async () => {
      const form = new FormData();
      form.set('List-Unsubscribe', 'One-Click');
      const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://mail.example' };
      const bodies = [new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }), form, ONE_CLICK, `${ONE_CLICK}\r\n`];
      for (const body of bodies) {
        await store.db.updateTable('subscriptions').set({ state: 'confirmed' }).execute();
        const response = await post({ headers, body });
        expect(response.status).toBe(200);
        expect(response.headers.get('Set-Cookie')).toBeNull();
        expect(await state()).toBe('unsubscribed');
      }
    });

    it('mails the subscriber a link to the preferences, and shows no link itself', async () => {
      const html = await site.read(path);
      expect(html).not.toContain('/preferences/');
      expect(html).toContain('Email me a link to my preferences');
      const body = new URLSearchParams({ preferences: 'mail' });
      const foreign = await post({ body, headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://mail.example' } });
      expect(foreign.status).toBe(403);
      const messages = (): Promise<unknown> => {
        return store.db.selectFrom('service_messages').select(['kind', 'subscriber_id']).orderBy('id').execute();
      };
      expect(await messages()).toEqual([]);
      const response = await post({ body });
      expect(response.status).toBe(200);
      const sent = await response.text();
      expect(sent).toContain('Check your inbox');
      expect(sent).not.toContain('/preferences/');
      expect(await messages()).toEqual([{ kind: 'preferences', subscriber_id: key.subscriberId }]);
      expect(await state()).toBe('confirmed');
      // No more than two in half a day, and the same answer.
      for (let round = 0; round < 3; round += 1) expect(await (await post({ body })).text()).toBe(sent);
      expect(await messages()).toHaveLength(2);
      const forged = await site.app.request('/unsubscribe/v2.forged', { method: 'POST', body });
      expect(forged.status).toBe(404);
    });

    describe('offers less', () => {
      const DAY_30 = Date.UTC(2026, 11, 23, 16);
      let weekly: TestSite;
      beforeEach(() => {
        const config = sampleConfig();
        const newsletters = config.newsletters.map((one) =>
          one.id === 'weekly-roundup' ? { ...one, weeklyOf: 'daily-roundup' } : one,
        );
        weekly = openTestSite(store, { ...config, newsletters });
      });
      const subscriber = async () => {
        const found = await findSubscriber(store.db, key.subscriberId);
        if (found === null) throw new Error('the subscriber is gone');
        const states = found.subscriptions.map((one) => `${one.newsletter} ${one.state}`);
        return { pausedUntil: found.pausedUntil, states };
      };
      const events = async () => (await consentEvents(store)).slice(1).map((event) => event.replace(/ at \d+$/, ''));

      it('after the button to unsubscribe, and the weekly only of its daily', async () => {
        const html = await weekly.read(path);
        const names = [...html.matchAll(/type="hidden" name="(\w+)"/g)].map(([, name]) => name);
        expect(names).toEqual(['unsubscribe', 'weekly', 'pause', 'preferences']);
        expect(html).toContain('Send me The Weekly Roundup instead');
        expect(html).toContain('If you have changed to The Weekly Roundup since, that ends, too.');
        const ofWeekly = `/unsubscribe/${unsubscribeToken(SECRETS, { ...key, newsletter: 'weekly-roundup' })}`;
        await addConfirmed(store, 'ada@example.com', ['weekly-roundup'], NOW);
        expect(await weekly.read(ofWeekly)).not.toContain('name="weekly"');
        expect(await site.read(path)).not.toContain('name="weekly"');
        expect((await site.post(path, [['weekly', 'yes']])).status).toBe(200);
        expect(await state()).toBe('confirmed');
      });

      it('changes to the weekly, whose link the old one then is', async () => {
        const response = await weekly.post(path, [['weekly', 'yes']]);
        const html = await response.text();
        expect(response.status).toBe(200);
        expect(html).toContain('From now on you receive The Weekly Roundup instead of');
        expect(html).toContain('Email me a link to my preferences');
        expect(html).not.toContain('/preferences/');
        expect((await subscriber()).states).toEqual(['daily-roundup unsubscribed', 'weekly-roundup confirmed']);
        expect(await events()).toEqual(['moved weekly-roundup by unsubscribe-page from 192.0.2.7 (daily-roundup)']);
        expect(await weekly.read(path)).toContain('name="unsubscribe"');
        await weekly.post(path, [['List-Unsubscribe', 'One-Click']]);
        expect((await subscriber()).states).toEqual(['daily-roundup unsubscribed', 'weekly-roundup unsubscribed']);
        // Whoever has the link learns nothing from the answer, and subscribes nobody.
        expect(await (await weekly.post(path, [['weekly', 'yes']])).text()).toBe(html);
        expect((await subscriber()).states).toEqual(['daily-roundup unsubscribed', 'weekly-roundup unsubscribed']);
      });

      it('pauses everything for thirty days, once a day at most, and shortens no pause', async () => {
        const paused = await (await weekly.post(path, [['pause', 'yes']])).text();
        expect(paused).toContain('We send you no newsletter for 30 days.');
        expect((await subscriber()).pausedUntil).toBe(DAY_30);
        await weekly.post(path, [['pause', 'yes']]);
        await store.db
          .updateTable('subscribers')
          .set({ paused_until: DAY_30 + DAY })
          .execute();
        expect(await (await weekly.post(path, [['pause', 'yes']])).text()).toBe(paused);
        expect(await events()).toEqual(['paused by unsubscribe-page from 192.0.2.7 (until 2026-12-23T16:00:00Z)']);
        await weekly.post(path, [['unsubscribe', 'yes']]);
        await store.db.updateTable('subscribers').set({ paused_until: null }).execute();
        // The link of a newsletter that was left does not pause another one.
        await addConfirmed(store, 'ada@example.com', ['weekly'], NOW);
        expect(await (await weekly.post(path, [['pause', 'yes']])).text()).toBe(paused);
        expect((await subscriber()).pausedUntil).toBeNull();
      });

      it('does nothing else in one click, and nothing for a form of another site', async () => {
        await weekly.post(path, [
          ['weekly', 'yes'],
          ['pause', 'yes'],
          ['List-Unsubscribe', 'One-Click'],
        ]);
        expect(await subscriber()).toEqual({ pausedUntil: null, states: ['daily-roundup unsubscribed'] });
        await store.db.updateTable('subscriptions').set({ state: 'confirmed' }).execute();
        const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://mail.example' };
        for (const field of ['weekly', 'pause']) {
          expect((await weekly.post(path, [[field, 'yes']], { headers })).status).toBe(403);
          expect((await weekly.post(path, [[field, 'no']])).status).toBe(400);
        }
        expect(await subscriber()).toEqual({ pausedUntil: null, states: ['daily-roundup confirmed'] });
      });
    });

    it('changes nothing by a POST that does not say so, and responds with 400 and the button', async () => {
      const other = new FormData();
      other.set('unsubscribe', 'no');
      const file = new FormData();
      file.set('List-Unsubscribe', new File(['One-Click'], 'One-Click'));
      const multipart = { 'Content-Type': 'multipart/form-data; boundary=x' };
      const requests: RequestInit[] = [
        { body: null },
        { body: '' },
        { body: new URLSearchParams({ 'List-Unsubscribe': 'one-click' }) },
        { body: new URLSearchParams({ 'List-Unsubscribe-Post': ONE_CLICK }) },
        { body: new URLSearchParams({ comment: ONE_CLICK }) },
        { body: `{"List-Unsubscribe": "One-Click"}`, headers: { 'Content-Type': 'application/json' } },
        { body: other },
        { body: file },
        { body: ONE_CLICK, headers: multipart },
        { body: `${ONE_CLICK}&x=${'x'.repeat(99_999)}` },
      ];
      for (const request of requests) {
        const response = await post(request);
        expect([request, response.status]).toEqual([request, 400]);
        expect(await response.text()).toContain('Nothing changes until you do.');
        expect(response.headers.get('Cache-Control')).toBe('no-store');
      }
      expect(await state()).toBe('confirmed');
      expect(site.logged).toEqual([]);
    });

    it('refuses the form of the page from another site', async () => {
      for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'https://mail.example' }]) {
        expect((await post({ headers })).status).toBe(403);
      }
      expect(await state()).toBe('confirmed');
      expect((await post({ headers: { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' } })).status).toBe(200);
    });

    it('records channel and source of the change', async () => {
      for (const body of [new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }), FORM]) {
        await store.db.updateTable('subscriptions').set({ state: 'confirmed' }).execute();
        const env = { incoming: { socket: { remoteAddress: '192.0.2.7' } } };
        await site.app.request(path, { method: 'POST', body }, env);
      }
      const left = store.db
        .selectFrom('consent_events')
        .select(['channel', 'source'])
        .where('change', '=', 'unsubscribed');
      expect(await left.orderBy('id').execute()).toEqual(
        ['one-click', 'unsubscribe-page'].map((channel) => ({ channel, source: '192.0.2.7' })),
      );
    });

    it('opens nothing else and names nobody, before and after, and works for ever', async () => {
      await addConfirmed(store, 'ada@example.com', ['weekly'], NOW);
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
  });
});
