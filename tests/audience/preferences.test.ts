import { describe, expect, it } from 'vitest';
import { confirmRequest } from '../../src/audience/consent/opt-in.ts';
import { changePreferences, readPreferences } from '../../src/audience/preferences.ts';
import { suppressAddress } from '../../src/audience/suppression.ts';
import { DAY } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { ADA, addConfirmed, consentEvents, MAIL, NOW, requestNewsletters, subscriptionStates } from './fixtures.ts';

const ALL = ['daily', 'weekly', 'monthly'];
const PAGE = { channel: 'preferences', source: '192.0.2.9' } as const;

describe('the preferences of a subscriber', () => {
  forEachDatabase((open) => {
    it('include all subscriptions', async () => {
      const store = await open();
      const id = await addConfirmed(store, ADA, ['weekly', 'daily']);
      expect(await readPreferences(store.db, id)).toEqual({
        ...{ id, email: ADA, zone: null, createdAt: NOW, pausedUntil: null, tokenVersion: 1, suppressedReason: null },
        subscriptions: ['daily', 'weekly'].map((newsletter) => ({
          ...{ newsletter, state: 'confirmed', changedAt: NOW, choice: null, feedSince: null, movedTo: null },
        })),
      });
      expect(await readPreferences(store.db, id + 1)).toBeNull();
      expect(await changePreferences(store.db, id + 1, { zone: 'Asia/Tokyo' }, PAGE, NOW)).toEqual({ kind: 'unknown' });
    });

    it('can subscribe and unsubscribe in one change', async () => {
      const store = await open();
      const id = await addConfirmed(store, ADA, ['daily', 'weekly']);
      const wanted = { newsletters: { offered: ALL, wanted: ['weekly', 'monthly'] } };
      expect(await changePreferences(store.db, id, wanted, PAGE, NOW + 1)).toEqual({ kind: 'changed' });
      expect(await subscriptionStates(store, id)).toEqual({
        daily: 'unsubscribed',
        monthly: 'confirmed',
        weekly: 'confirmed',
      });
      expect((await consentEvents(store)).slice(2)).toEqual([
        'confirmed monthly by preferences from 192.0.2.9 at 1',
        'unsubscribed daily by preferences from 192.0.2.9 at 1',
      ]);
      expect(await changePreferences(store.db, id, wanted, PAGE, NOW + 2)).toEqual({ kind: 'unchanged' });
      expect(await consentEvents(store)).toHaveLength(4);
      // Changing from one to another is not leaving, which would end all links.
      await changePreferences(store.db, id, { newsletters: { offered: ALL, wanted: ['daily'] } }, PAGE, NOW + 2);
      expect((await readPreferences(store.db, id))?.tokenVersion).toBe(1);
    });

    it('confirm an unconfirmed newsletter if it is chosen, and otherwise do not change it', async () => {
      const store = await open();
      const id = await addConfirmed(store);
      const key = await requestNewsletters(store, ['weekly', 'monthly']);
      await changePreferences(store.db, id, { newsletters: { offered: ALL, wanted: ['monthly'] } }, PAGE, NOW);
      expect(await subscriptionStates(store, id)).toEqual({
        daily: 'unsubscribed',
        monthly: 'confirmed',
        weekly: 'unconfirmed',
      });
      expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW)).toMatchObject({
        newsletters: ['monthly', 'weekly'],
      });
    });

    it('set a zone, and reset it to the publication’s', async () => {
      const store = await open();
      const id = await addConfirmed(store);
      const set = (zone: string | null) => changePreferences(store.db, id, { zone }, PAGE, NOW);
      expect(await set('Asia/Shanghai')).toMatchObject({ kind: 'changed' });
      expect(await set('Asia/Shanghai')).toEqual({ kind: 'unchanged' });
      expect(await set('Mars/Olympus')).toMatchObject({
        kind: 'refused',
        reason: expect.stringMatching(/Mars\/Olympus/),
      });
      expect(await readPreferences(store.db, id)).toMatchObject({ zone: 'Asia/Shanghai' });
      expect(await set(null)).toMatchObject({ kind: 'changed' });
      expect(await readPreferences(store.db, id)).toMatchObject({ zone: null });
      expect((await consentEvents(store)).slice(1)).toEqual([
        'zone by preferences from 192.0.2.9 (Asia/Shanghai)',
        'zone by preferences from 192.0.2.9',
      ]);
      expect(await subscriptionStates(store, id)).toEqual({ daily: 'confirmed' });
    });

    it('set and end a pause', async () => {
      const store = await open();
      const id = await addConfirmed(store);
      const pause = (pausedUntil: number | null, now = NOW) =>
        changePreferences(store.db, id, { pausedUntil }, PAGE, now);
      expect(await pause(NOW)).toEqual({ kind: 'unchanged' });
      expect(await pause(NOW + DAY)).toMatchObject({ kind: 'changed' });
      expect(await pause(NOW + DAY)).toEqual({ kind: 'unchanged' });
      expect(await readPreferences(store.db, id)).toMatchObject({ pausedUntil: NOW + DAY });
      // A pause that has ended needs no resumption.
      expect(await pause(null, NOW + DAY)).toEqual({ kind: 'unchanged' });
      expect(await pause(null)).toMatchObject({ kind: 'changed' });
      expect(await readPreferences(store.db, id)).toMatchObject({ pausedUntil: null });
      expect((await consentEvents(store)).slice(1)).toEqual([
        'paused by preferences from 192.0.2.9 (until 2026-11-25T07:30:00Z)',
        'resumed by preferences from 192.0.2.9',
      ]);
    });

    it('show a suppression, and do not lift it', async () => {
      const store = await open();
      const id = await addConfirmed(store);
      await suppressAddress(store.db, SECRETS, id, 'soft-bounces', { channel: 'bounce' }, NOW);
      await changePreferences(store.db, id, { newsletters: { offered: ALL, wanted: ['daily', 'weekly'] } }, PAGE, NOW);
      expect(await readPreferences(store.db, id)).toMatchObject({ suppressedReason: 'soft-bounces' });
    });
  });
});
