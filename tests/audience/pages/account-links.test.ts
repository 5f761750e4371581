import { beforeEach, describe, expect, it } from 'vitest';
import { confirmRequest } from '../../../src/audience/consent/opt-in.ts';
import { readPreferences } from '../../../src/audience/preferences.ts';
import { suppressAddress } from '../../../src/audience/suppression.ts';
import { type LinkAct, messageToken, unsubscribeToken } from '../../../src/audience/tokens.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { SuppressionReason } from '../../../src/core/store/tables/subscriber-tables.ts';
import { claimServiceMessages, markServiceMessage } from '../../../src/delivery/queue/service-outbox.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { NOW, openTestSite, preferencesPath, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { addConfirmed, removeSubscriber, requestNewsletters } from '../fixtures.ts';

const ACTS: LinkAct[] = ['export', 'erase'];
const ADDRESS = 'Ada@example.com';

forEachDatabase((open) => {
  let store: Store;
  let site: TestSite;
  let id: number;
  beforeEach(async () => {
    store = await open();
    site = openTestSite(store);
    id = await addConfirmed(store, ADDRESS, ['daily-roundup'], NOW - HOUR);
  });

  const messages = () =>
    store.db.selectFrom('service_messages').select(['id', 'kind', 'expires_at', 'used_at']).orderBy('id').execute();
  /** Requests a link for an act. @returns the path that is mailed */
  async function mailedPath(act: LinkAct): Promise<string> {
    expect((await site.post(`${preferencesPath(id)}/${act}`)).status).toBe(200);
    const message = (await messages()).at(-1);
    expect(message).toMatchObject({ kind: act, used_at: null });
    return `/account/${act}/${messageToken(SECRETS, act, { messageId: message?.id ?? 0, subscriberId: id })}`;
  }

  describe('a link of an email, also of one that was forwarded,', () => {
    it('neither exports nor erases: it mails a link for that to the subscriber, and says so', async () => {
      for (const act of ACTS) {
        const response = await site.post(`${preferencesPath(id)}/${act}`);
        const html = await response.text();
        expect([act, response.status]).toEqual([act, 200]);
        expect(html).toContain('Check your inbox');
        expect(html).not.toMatch(/ada@example|\/account\//i);
      }
      expect(await messages()).toMatchObject([
        { kind: 'export', expires_at: NOW + HOUR },
        { kind: 'erase', expires_at: NOW + HOUR },
      ]);
      expect(await readPreferences(store.db, id)).not.toBeNull();
    });

    it('shows neither the address nor why email to it is stopped', async () => {
      await suppressAddress(store.db, SECRETS, id, 'complaint', { channel: 'complaint' }, NOW);
      const html = await site.read(preferencesPath(id, { version: 2 }));
      expect(html).toContain('<bdi lang="en">A…@e….com</bdi>');
      expect(html).toContain('Email is stopped');
      expect(html).not.toMatch(/ada@|unwanted|complain/i);
    });

    it('opens nothing after 30 days, and offers to mail a new one', async () => {
      const path = preferencesPath(id);
      site.at(NOW + 30 * DAY - 1);
      expect((await site.get(path)).status).toBe(200);
      site.at(NOW + 30 * DAY);
      for (const [method, rest] of [['GET', ''], ...['', '/export', '/erase', '/revoke'].map((one) => ['POST', one])]) {
        const response = await site.app.request(`${path}${rest}`, { method: method as string });
        const html = await response.text();
        expect([rest, response.status]).toEqual([rest, 410]);
        expect(html).toContain('This link has expired');
        expect(html).toContain(`<form method="post" action="${path}/link">`);
        expect(html).not.toMatch(/ada@|A…@/i);
      }
      expect(await messages()).toEqual([]);
      expect((await site.post(`${path}/link`)).status).toBe(200);
      expect(await messages()).toMatchObject([{ kind: 'preferences', expires_at: NOW + 60 * DAY }]);
    });

    it('opens nothing once the subscriber has ended all links, or has left and confirmed again', async () => {
      const path = preferencesPath(id);
      const erase = await mailedPath('erase');
      expect((await site.post(`${path}/revoke`)).status).toBe(200);
      for (const response of [await site.get(path), await site.post(path), await site.post(`${path}/revoke`)]) {
        expect(response.status).toBe(410);
      }
      expect((await site.post(erase)).status).toBe(410);
      expect((await site.get(preferencesPath(id, { version: 2 }))).status).toBe(200);

      const again = await requestNewsletters(store, ['weekly'], { email: ADDRESS, now: NOW });
      await confirmRequest(store.db, SECRETS, again, { channel: 'confirmation' }, NOW);
      expect((await site.get(preferencesPath(id, { version: 2 }))).status).toBe(200);
      await removeSubscriber(store.db, ADDRESS, { channel: 'operator' }, NOW);
      const back = await requestNewsletters(store, ['weekly'], { email: ADDRESS, now: NOW });
      await confirmRequest(store.db, SECRETS, back, { channel: 'confirmation' }, NOW);
      for (const version of [2, 3]) expect((await site.get(preferencesPath(id, { version }))).status).toBe(410);
      expect((await site.get(preferencesPath(id, { version: 4 }))).status).toBe(200);
    });

    it('subscribes nobody who has left since', async () => {
      const path = preferencesPath(id);
      const join: [string, string][] = [
        ['newsletter', 'daily-roundup'],
        ['zone', ''],
        ['paused', ''],
      ];
      const state = async () => (await readPreferences(store.db, id))?.subscriptions[0]?.state;
      expect((await site.post(path, join)).status).toBe(200);
      const unsubscribing = unsubscribeToken(SECRETS, { subscriberId: id, newsletter: 'daily-roundup' });
      await site.post(`/unsubscribe/${unsubscribing}`, [['List-Unsubscribe', 'One-Click']]);
      expect((await site.post(path, join)).status).toBe(410);
      expect(await state()).toBe('unsubscribed');
    });

    it('lets the subscriber who left by mistake come back from the same page, for an hour', async () => {
      const leave: [string, string][] = [
        ['zone', ''],
        ['paused', ''],
      ];
      const join: [string, string][] = [['newsletter', 'daily-roundup'], ...leave];
      const path = preferencesPath(id, { expiresAt: NOW + 90 * MINUTE });
      const next = async (from: string): Promise<string> =>
        /action="(\/preferences\/[^"/]+)"/.exec(await (await site.post(from, leave)).text())?.[1] ?? '';
      const first = await next(path);
      expect(first).not.toBe(path);
      expect((await site.get(path)).status).toBe(410);
      site.at(NOW + HOUR - 1);
      expect((await site.post(first, join)).status).toBe(200);
      expect(await readPreferences(store.db, id)).toMatchObject({ subscriptions: [{ state: 'confirmed' }] });
      // Leaving again and again prolongs no link.
      const second = await next(first);
      expect((await site.get(second)).status).toBe(200);
      site.at(NOW + HOUR);
      expect((await site.get(second)).status).toBe(410);
    });

    it('mails a few links of each kind a day only, and says the same whether it mails one or not', async () => {
      const links = ['link', 'export', 'erase'];
      for (const link of links) {
        const path = `${preferencesPath(id)}/${link}`;
        const expected = await (await site.post(path)).text();
        for (let n = 0; n < 5; n++) expect(await (await site.post(path)).text()).toBe(expected);
      }
      const kinds = async () => (await messages()).map(({ kind }) => kind);
      const twice = ['preferences', 'preferences', 'export', 'export', 'erase', 'erase'];
      expect(await kinds()).toEqual(twice);
      site.at(NOW + 12 * HOUR);
      for (let n = 0; n < 2; n++) await site.post(`${preferencesPath(id)}/link`);
      expect(await kinds()).toEqual([...twice, 'preferences']);
      // Nor whether the subscriber exists.
      const unknown = await site.post(`${preferencesPath(99)}/link`);
      expect(await unknown.text()).toContain('Check your inbox');
      expect(await messages()).toHaveLength(7);
    });

    it('mails a link to an address that bounced, and to no address that must not be mailed', async () => {
      const mailed: string[] = [];
      for (const reason of ['hard-bounce', 'soft-bounces', 'complaint', 'operator'] satisfies SuppressionReason[]) {
        await store.db.deleteFrom('service_messages').execute();
        await store.db.updateTable('subscribers').set({ suppressed_reason: reason }).execute();
        await store.db.deleteFrom('rate_limits').execute();
        expect((await site.post(`${preferencesPath(id)}/erase`)).status).toBe(200);
        const { messages: claimed } = await claimServiceMessages(store, { now: NOW, limit: 9, leaseMs: HOUR });
        for (const one of claimed) {
          if ((await markServiceMessage(store.db, one, NOW, HOUR)).kind === 'submitting') mailed.push(reason);
        }
      }
      expect(mailed).toEqual(['hard-bounce', 'soft-bounces']);
    });
  });

  describe('a link that was mailed for the export', () => {
    it('shows a page with a button on GET, and exports once on POST', async () => {
      const path = await mailedPath('export');
      const html = await site.read(path);
      expect(html).toMatch(/<form method="post">\s*<button type="submit">Download my data<\/button>/);
      expect(html).not.toMatch(/ada@/i);
      const response = await site.post(path);
      expect(response.status).toBe(200);
      expect(response.headers.get('Content-Disposition')).toBe('attachment; filename="my-data-2026-11-24.json"');
      expect(response.headers.get('Content-Type')).toBe('application/json; charset=utf-8');
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(await response.json()).toMatchObject({
        address: ADDRESS,
        serviceMessages: [{ kind: 'export', usedAt: '2026-11-24T12:43:00Z' }],
      });
      const events = store.db
        .selectFrom('consent_events')
        .select(['channel', 'source'])
        .where('change', '=', 'exported');
      expect(await events.execute()).toEqual([{ channel: 'preferences', source: '192.0.2.7' }]);
      for (const again of [await site.post(path), await site.get(path)]) {
        expect(again.status).toBe(410);
        expect(await again.text()).toContain('This link has expired or was used');
      }
      expect(await events.execute()).toHaveLength(1);
    });

    it('exports once if it is used several times at the same time', async () => {
      const path = await mailedPath('export');
      const statuses = (await Promise.all([1, 2, 3].map(() => site.post(path)))).map(({ status }) => status);
      expect(statuses.sort()).toEqual([200, 410, 410]);
    });
  });

  describe('a link that was mailed for the erasure', () => {
    it('asks on GET, then deletes the data, and no earlier link opens anything', async () => {
      const exporting = await mailedPath('export');
      const path = await mailedPath('erase');
      const html = await site.read(path);
      expect(html).toMatch(/<form method="post">\s*<button type="submit">Delete all my data<\/button>/);
      expect(html).not.toMatch(/ada@/i);
      expect(await readPreferences(store.db, id)).not.toBeNull();
      const response = await site.post(path);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('Your data has been deleted');
      expect(await readPreferences(store.db, id)).toBeNull();
      for (const over of [await site.post(path), await site.get(path), await site.post(exporting)]) {
        expect(over.status).toBe(410);
        expect(await over.text()).toContain('Your data has been deleted');
      }
      const preferences = await site.get(preferencesPath(id));
      expect([preferences.status, await preferences.text()]).toEqual([
        410,
        expect.stringContaining('Your data has been deleted'),
      ]);
      expect(await store.db.selectFrom('service_messages').selectAll().execute()).toEqual([]);
      expect(await store.db.selectFrom('rate_limits').selectAll().execute()).toEqual([]);
    });
  });

  it.each(ACTS)('a link for the %s ends after an hour', async (act) => {
    const path = await mailedPath(act);
    site.at(NOW + HOUR - 1);
    expect((await site.get(path)).status).toBe(200);
    site.at(NOW + HOUR);
    for (const response of [await site.get(path), await site.post(path)]) expect(response.status).toBe(410);
    expect(await readPreferences(store.db, id)).not.toBeNull();
  });

  it('the token of any link or act opens no page but its own', async () => {
    const [exporting, erasing] = [await mailedPath('export'), await mailedPath('erase')];
    const { messageId, subscriberId } = await requestNewsletters(store, ['weekly'], { email: ADDRESS, now: NOW });
    const paths = {
      unsubscribe: `/unsubscribe/${unsubscribeToken(SECRETS, { subscriberId: id, newsletter: 'daily-roundup' })}`,
      confirm: `/confirm/${messageToken(SECRETS, 'confirm', { messageId, subscriberId })}`,
      preferences: preferencesPath(id),
      export: exporting,
      erase: erasing,
    };
    const pages = Object.values(paths).map((path) => path.slice(0, path.lastIndexOf('/')));
    expect(new Set(pages).size).toBe(5);
    const before = await store.db.selectFrom('consent_events').selectAll().execute();
    let pairs = 0;
    for (const path of Object.values(paths)) {
      const [page, token] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];
      expect([path, (await site.get(path)).status]).toEqual([path, 200]);
      for (const other of pages.filter((one) => one !== page)) {
        const rests = other === '/preferences' ? ['', '/link', '/export', '/erase', '/revoke'] : [''];
        for (const rest of rests)
          expect([other, (await site.post(`${other}/${token}${rest}`)).status]).toEqual([other, 404]);
        expect([other, (await site.get(`${other}/${token}`)).status]).toEqual([other, 404]);
        pairs += 1;
      }
    }
    expect(pairs).toBe(20);
    expect(await store.db.selectFrom('consent_events').selectAll().execute()).toEqual(before);
    expect(await messages()).toHaveLength(3);
  });

  it('a link for an act does not work with the message of another act or subscriber', async () => {
    const other = await addConfirmed(store, 'bob@example.com', ['daily-roundup'], NOW);
    await mailedPath('export');
    const messageId = (await messages())[0]?.id as number;
    for (const path of [
      `/account/erase/${messageToken(SECRETS, 'erase', { messageId, subscriberId: id })}`,
      `/account/export/${messageToken(SECRETS, 'export', { messageId, subscriberId: other })}`,
    ]) {
      expect((await site.get(path)).status).toBe(410);
      expect((await site.post(path)).status).toBe(410);
    }
    expect(await readPreferences(store.db, id)).not.toBeNull();
  });
});
