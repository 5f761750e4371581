import { beforeEach, describe, expect, it } from 'vitest';
import { readPreferences } from '../../../src/audience/preferences.ts';
import { addSubscriber } from '../../../src/audience/subscriptions.ts';
import { suppressAddress } from '../../../src/audience/suppression.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { SuppressionReason } from '../../../src/core/store/tables/subscriber-tables.ts';
import { claimServiceMessages, markServiceMessage } from '../../../src/delivery/queue/service-outbox.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { closedConfig, NOW, openTestSite, preferencesPath, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';
import { addConfirmed, requestNewsletters } from '../fixtures.ts';

type Fields = [string, string][];
const STAY: Fields = [['newsletter', 'daily-roundup']];

function withTwo(config: Config): Config {
  const newsletters = config.newsletters.flatMap((one) => [one, { ...one, id: 'weekly', title: 'The Weekly Review' }]);
  return { ...config, newsletters };
}

/** Subscribes again, and returns whether the confirmation email is submitted. */
async function submissionOf(store: Store): Promise<string> {
  await requestNewsletters(store, ['daily-roundup'], { now: NOW });
  const { messages } = await claimServiceMessages(store, { now: NOW, limit: 9, leaseMs: HOUR });
  const [message] = messages;
  // A message to an address that the operator suppressed is not claimed.
  if (message === undefined) return 'withheld';
  const { kind } = await markServiceMessage(store.db, message, NOW, HOUR);
  return kind;
}

describe('the preferences page', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    let path: string;
    let id: number;
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store, withTwo(sampleConfig()));
      const who = { email: 'Ada@example.com', newsletters: ['daily-roundup'], zone: 'Asia/Tokyo' };
      const added = await addSubscriber(store.db, SECRETS, who, { channel: 'operator' }, NOW - HOUR);
      if (added.kind !== 'stored') throw new Error(added.reason);
      id = added.subscriberId;
      path = preferencesPath(id);
    });
    /** Posts the form with some fields; the others are empty. */
    const submit = (fields: Fields, to = site): Promise<Response> => {
      const names = fields.map(([name]) => name);
      const empty = ['zone', 'paused'].filter((name) => !names.includes(name));
      return to.post(path, [...fields, ...empty.map((name): Fields[number] => [name, ''])]);
    };
    const stored = async (): Promise<object> => {
      const preferences = await readPreferences(store.db, id);
      if (preferences === null) throw new Error('the subscriber is gone');
      const { zone, pausedUntil, subscriptions } = preferences;
      const confirmed = subscriptions.filter(({ state }) => state === 'confirmed').map(({ newsletter }) => newsletter);
      return { zone, pausedUntil, confirmed };
    };
    const events = (): Promise<object[]> =>
      store.db
        .selectFrom('consent_events')
        .select(['change', 'newsletter', 'channel', 'source'])
        .where('channel', '=', 'preferences')
        .orderBy('id')
        .execute();

    it('shows the stored preferences on GET, and changes nothing', async () => {
      const html = await site.read(path);
      await site.app.request(path, { method: 'HEAD' });
      expect(html).toContain('<bdi lang="en">A…@e….com</bdi>');
      expect(html).not.toContain('Ada@');
      expect(html).toMatch(/value="daily-roundup" checked /);
      expect(html).toMatch(/value="weekly" aria/);
      expect(html).toContain('<option value="Asia/Tokyo" selected>Tokyo</option>');
      expect(html).toMatch(/type="date" min="2026-11-25" max="2027-11-24" value=""/);
      expect(html).not.toContain('role="status"');
      expect(await events()).toEqual([]);
    });

    it('saves newsletters, zone and pause, records the proof, and says so', async () => {
      const fields: Fields = [
        ['newsletter', 'weekly'],
        ['zone', 'America/New_York'],
        ['paused', '2026-12-01'],
      ];
      const response = await submit(fields);
      const html = await response.text();
      expect(response.status).toBe(200);
      expect(html).toMatch(/<title>Saved: Your preferences — /);
      expect(html).toMatch(/role="status"><p class="saved">Your preferences have been saved\./);
      expect(html).toMatch(/value="weekly" checked /);
      expect(html).toMatch(/value="2026-12-01"/);
      // Midnight in New York.
      const pausedUntil = Date.UTC(2026, 11, 1, 5);
      expect(await stored()).toEqual({ zone: 'America/New_York', pausedUntil, confirmed: ['weekly'] });
      const source = '192.0.2.7';
      const noted = await events();
      for (const one of [
        { change: 'unsubscribed', newsletter: 'daily-roundup' },
        { change: 'confirmed', newsletter: 'weekly' },
        { change: 'zone', newsletter: null },
        { change: 'paused', newsletter: null },
      ]) {
        expect(noted).toContainEqual({ ...one, channel: 'preferences', source });
      }
    });

    it('unsubscribes without a newsletter, and resets an empty zone and an empty pause', async () => {
      await submit([...STAY, ['paused', '2026-12-01']]);
      await submit([]);
      expect(await stored()).toEqual({ zone: null, pausedUntil: null, confirmed: [] });
    });

    it('ends no subscription to a newsletter that the form did not offer', async () => {
      const gone = openTestSite(store, {
        ...sampleConfig(),
        newsletters: withTwo(sampleConfig()).newsletters.slice(1),
      });
      expect((await submit([['newsletter', 'weekly']], gone)).status).toBe(200);
      expect(await stored()).toMatchObject({ confirmed: ['daily-roundup', 'weekly'] });
    });

    it('ends a pause by the subscriber’s own calendar, across a change of clocks', async () => {
      // 08:43 PM on the 24th in Shanghai is 01:43 AM on the 25th in Auckland.
      const auckland: Fields = [...STAY, ['zone', 'Pacific/Auckland']];
      expect((await submit([...auckland, ['paused', '2026-11-25']])).status).toBe(422);
      expect((await submit([...auckland, ['paused', '2026-11-26']])).status).toBe(200);
      expect(await stored()).toMatchObject({ pausedUntil: Date.UTC(2026, 10, 25, 11) });
      await submit([...STAY, ['zone', 'Europe/Paris'], ['paused', '2027-06-01']]);
      expect(await stored()).toMatchObject({ pausedUntil: Date.UTC(2027, 4, 31, 22) });
    });

    it('rejects a day that is not in the coming year and an unknown zone, and keeps the other fields', async () => {
      for (const day of ['2026-11-24', '2027-11-25', '2026-02-30', '2026-13-01', 'tomorrow', '9'.repeat(5_000)]) {
        const response = await submit([
          ['newsletter', 'weekly'],
          ['paused', day],
        ]);
        const html = await response.text();
        expect([day, response.status]).toEqual([day, 422]);
        expect(html).toContain('<title>Error: Your preferences');
        expect(html).toContain(
          'Choose a day from November 25, 2026 to November 24, 2027, such as <bdi>2026-11-25</bdi>.',
        );
        expect(html).toMatch(/aria-describedby="paused-hint paused-wrong" aria-invalid="true"/);
        expect(html).toMatch(/value="weekly" checked /);
      }
      for (const zone of ['Mars/Olympus', '+08:00', 'asia/shanghai', '\u0000']) {
        const response = await submit([...STAY, ['zone', zone]]);
        expect([zone, response.status]).toEqual([zone, 422]);
        expect(await response.text()).toContain('aria-describedby="zone-hint zone-wrong" aria-invalid="true"');
      }
      expect(await stored()).toEqual({ zone: 'Asia/Tokyo', pausedUntil: null, confirmed: ['daily-roundup'] });
    });

    it('keeps a zone that the list does not offer', async () => {
      await store.db.updateTable('subscribers').set({ zone: 'Etc/GMT+5' }).execute();
      expect(await site.read(path)).toContain('<option value="Etc/GMT+5" selected>Etc/GMT+5</option>');
      expect((await submit([...STAY, ['zone', 'Etc/GMT+5']])).status).toBe(200);
      expect(await stored()).toMatchObject({ zone: 'Etc/GMT+5' });
    });

    it('says that email is stopped, and to subscribe again only if a confirmation email is sent', async () => {
      const reasons: SuppressionReason[] = ['hard-bounce', 'soft-bounces', 'erased', 'complaint', 'operator'];
      for (const reason of reasons) {
        await store.db.updateTable('subscribers').set({ suppressed_reason: null, suppressed_at: null }).execute();
        await suppressAddress(store.db, SECRETS, id, reason, { channel: 'bounce' }, NOW);
        const version = (await readPreferences(store.db, id))?.tokenVersion ?? 0;
        const html = await site.read(preferencesPath(id, { version }));
        expect(html).toContain('Email is stopped');
        const promises = html.includes('<a href="/newsletters">subscribe again</a>');
        const sendsToNewsroom = html.includes(
          'To receive email again, write to <a href="mailto:newsroom@example.com">',
        );
        // The page must not promise an email that is withheld.
        const mailed = (await submissionOf(store)) === 'submitting';
        expect([reason, promises, sendsToNewsroom]).toEqual([reason, mailed, !mailed]);
      }
    });

    it('refers a suppressed subscriber to the newsroom while signup is closed', async () => {
      await suppressAddress(store.db, SECRETS, id, 'hard-bounce', { channel: 'bounce' }, NOW);
      const html = await openTestSite(store, closedConfig()).read(path);
      expect(html).not.toMatch(/subscribe again/i);
      expect(html).toContain('To receive email again, write to <a href="mailto:newsroom@example.com">');
    });

    it('changes nothing without the fields of the form: an empty one would end all subscriptions', async () => {
      for (const fields of [
        [],
        STAY,
        [['zone', '']],
        [['paused', '']],
        [['List-Unsubscribe', 'One-Click']],
      ] as Fields[]) {
        const response = await site.post(path, fields);
        expect([fields, response.status]).toEqual([fields, 400]);
        expect(await response.text()).toContain('The request is not a form of this site.');
      }
      expect(await stored()).toEqual({ zone: 'Asia/Tokyo', pausedUntil: null, confirmed: ['daily-roundup'] });
      expect(await events()).toEqual([]);
    });

    it('redirects from the addresses of its other forms, which a browser keeps in its address bar', async () => {
      for (const rest of ['link', 'export', 'erase', 'revoke']) {
        const response = await site.get(`${path}/${rest}`);
        expect([rest, response.status, response.headers.get('Location')]).toEqual([rest, 303, path]);
        expect((await site.get(`/preferences/forged/${rest}`)).status).toBe(404);
      }
    });

    it('can be saved thirty times at once, so that nobody fills the record of consent', async () => {
      const other = await addConfirmed(store, 'ben@example.com', ['daily-roundup']);
      const save = (n: number) => submit([...STAY, ['zone', n % 2 === 0 ? 'Asia/Tokyo' : 'Europe/Paris']]);
      for (let n = 1; n <= 30; n++) expect([n, (await save(n)).status]).toEqual([n, 200]);
      const recorded = (await events()).length;
      expect(recorded).toBe(30);
      const refused = await save(31);
      expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '120']);
      expect(await events()).toHaveLength(recorded);
      const fields: Fields = [...STAY, ['zone', ''], ['paused', '']];
      expect((await site.post(preferencesPath(other), fields)).status).toBe(200);
      site.at(NOW + 2 * MINUTE);
      expect((await save(31)).status).toBe(200);
    });

    it('accepts only a short form', async () => {
      const post = async (body: string, type: string): Promise<number> =>
        (await site.app.request(path, { method: 'POST', body, headers: { 'Content-Type': type } })).status;
      expect(await post('{}', 'application/json')).toBe(415);
      expect(await post(`zone=${'x'.repeat(70_000)}`, 'application/x-www-form-urlencoded')).toBe(413);
      expect(await stored()).toMatchObject({ confirmed: ['daily-roundup'] });
    });
  });
});
