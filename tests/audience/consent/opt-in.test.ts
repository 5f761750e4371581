import { describe, expect, it } from 'vitest';
import { confirmRequest, findRequest, requestSubscription } from '../../../src/audience/consent/opt-in.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import { changePreferences, readPreferences } from '../../../src/audience/preferences.ts';
import { findSuppression, suppressAddress, suppressByOperator } from '../../../src/audience/suppression.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import {
  ADA,
  addConfirmed,
  consentEvents,
  FORM,
  MAIL,
  NOW,
  OPERATOR,
  OPTIONS,
  requestNewsletters,
  serviceMessages,
  subscriptionStates,
  unsubscribe,
} from '../fixtures.ts';

const LINK = { channel: 'one-click' } as const;
const BOUNCE = { channel: 'bounce' } as const;

describe('a request for newsletters', () => {
  forBothDatabases((open) => {
    it('subscribes to nothing before it is confirmed', async () => {
      const store = await open();
      const key = await requestNewsletters(store, ['weekly', 'daily', 'daily']);
      expect(await subscriptionStates(store, key.subscriberId)).toEqual({
        daily: 'unconfirmed',
        weekly: 'unconfirmed',
      });
      expect(await serviceMessages(store)).toEqual([
        { kind: 'confirm', newsletters: ['daily', 'weekly'], state: 'pending' },
      ]);
      expect(await findRequest(store.db, key, NOW)).toMatchObject({ kind: 'open', newsletters: ['daily', 'weekly'] });

      expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW + HOUR)).toEqual({
        kind: 'confirmed',
        newsletters: ['daily', 'weekly'],
        subscriberId: key.subscriberId,
        version: 2,
      });
      expect(await subscriptionStates(store, key.subscriberId)).toEqual({ daily: 'confirmed', weekly: 'confirmed' });
      expect(await consentEvents(store)).toEqual([
        'requested daily by form from 192.0.2.7',
        'requested weekly by form from 192.0.2.7',
        `confirmed daily by confirmation from 192.0.2.8 at ${HOUR}`,
        `confirmed weekly by confirmation from 192.0.2.8 at ${HOUR}`,
      ]);
    });

    it('can be confirmed again at any time without effect', async () => {
      const store = await open();
      const key = await requestNewsletters(store);
      await confirmRequest(store.db, SECRETS, key, MAIL, NOW);
      const events = await consentEvents(store);
      for (const now of [NOW + HOUR, NOW + 100 * DAY]) {
        const done = { kind: 'done', newsletters: ['daily'] };
        expect(await confirmRequest(store.db, SECRETS, key, MAIL, now)).toEqual(done);
        expect(await findRequest(store.db, key, now)).toEqual(done);
      }
      expect(await consentEvents(store)).toEqual(events);
    });

    it('cannot be confirmed after its link has expired', async () => {
      const store = await open();
      const key = await requestNewsletters(store);
      const late = NOW + OPTIONS.confirmMs;
      expect(await findRequest(store.db, key, late - 1)).toMatchObject({ kind: 'open' });
      expect(await findRequest(store.db, key, late)).toMatchObject({ kind: 'expired' });
      expect(await confirmRequest(store.db, SECRETS, key, MAIL, late)).toEqual({ kind: 'expired' });
      expect(await subscriptionStates(store, key.subscriberId)).toEqual({ daily: 'unconfirmed' });
    });

    it('does not undo a later unsubscription, even in the same millisecond', async () => {
      const store = await open();
      const key = await requestNewsletters(store, ['daily', 'weekly']);
      await confirmRequest(store.db, SECRETS, key, MAIL, NOW);
      await unsubscribe(store.db, { subscriberId: key.subscriberId, newsletter: 'daily' }, LINK, NOW);
      expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW)).toMatchObject({ newsletters: ['weekly'] });
      expect(await subscriptionStates(store, key.subscriberId)).toEqual({ daily: 'unsubscribed', weekly: 'confirmed' });
      await unsubscribe(store.db, { subscriberId: key.subscriberId, newsletter: 'weekly' }, LINK, NOW);
      expect(await findRequest(store.db, key, NOW)).toMatchObject({ kind: 'expired' });
      expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW)).toEqual({ kind: 'expired' });

      const again = await requestNewsletters(store, ['daily']);
      expect(await subscriptionStates(store, key.subscriberId)).toEqual({
        daily: 'unconfirmed',
        weekly: 'unsubscribed',
      });
      expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW)).toEqual({ kind: 'expired' });
      expect(await confirmRequest(store.db, SECRETS, again, MAIL, NOW)).toMatchObject({ newsletters: ['daily'] });
    });

    it('does not change zone and subscriptions of an existing subscriber before it is confirmed', async () => {
      const store = await open();
      const id = await addConfirmed(store, ADA, ['daily']);
      await changePreferences(store.db, id, { zone: 'Europe/Berlin' }, OPERATOR, NOW);
      const key = await requestNewsletters(store, ['daily', 'weekly'], {
        email: 'ADA@Example.com',
        zone: 'Asia/Tokyo',
      });
      expect(key.subscriberId).toBe(id);
      expect(await readPreferences(store.db, id)).toMatchObject({ email: ADA, zone: 'Europe/Berlin' });
      expect(await subscriptionStates(store, id)).toEqual({ daily: 'confirmed', weekly: 'unconfirmed' });
      expect(await serviceMessages(store)).toMatchObject([{ kind: 'confirm', newsletters: ['weekly'] }]);

      await confirmRequest(store.db, SECRETS, key, MAIL, NOW);
      expect(await readPreferences(store.db, id)).toMatchObject({ zone: 'Asia/Tokyo' });
      expect((await consentEvents(store)).at(-1)).toBe('zone by confirmation from 192.0.2.8 (Asia/Tokyo)');
    });

    it('for confirmed newsletters queues a message that says so, and records no event', async () => {
      const store = await open();
      await addConfirmed(store, ADA, ['daily', 'weekly']);
      const events = await consentEvents(store);
      const key = await requestNewsletters(store, ['daily']);
      expect(await serviceMessages(store)).toEqual([{ kind: 'already', newsletters: ['daily'], state: 'pending' }]);
      expect(await consentEvents(store)).toEqual(events);
      expect(await findRequest(store.db, key, NOW)).toBeNull();
      expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW)).toEqual({ kind: 'unknown' });
    });

    it('has the same result for every address', async () => {
      const store = await open();
      await addConfirmed(store, 'known@example.com');
      await suppressAddress(
        store.db,
        SECRETS,
        await addConfirmed(store, 'bounced@example.com'),
        'hard-bounce',
        BOUNCE,
        NOW,
      );
      await eraseSubscriber(store.db, SECRETS, await addConfirmed(store, 'erased@example.com'), NOW);
      await suppressByOperator(store.db, SECRETS, 'operator@example.com', NOW);
      for (const name of ['new', 'known', 'bounced', 'erased', 'operator']) {
        const request = { email: `${name}@example.com`, newsletters: ['daily'] };
        expect(await requestSubscription(store.db, SECRETS, request, FORM, OPTIONS, NOW)).toEqual({
          kind: 'requested',
        });
      }
      expect((await serviceMessages(store)).map((one) => `${one.kind} ${one.state}`)).toEqual([
        'confirm pending',
        'already pending',
        'confirm pending',
        'confirm pending',
        'confirm suppressed',
      ]);
    });

    it('has the same result but queues no message above the rate limit', async () => {
      const store = await open();
      const request = { email: ADA, newsletters: ['daily'] };
      for (let time = 1; time <= OPTIONS.perAddressPerDay + 2; time++) {
        const now = NOW + (time - OPTIONS.perAddressPerDay - 2) * MINUTE;
        expect(await requestSubscription(store.db, SECRETS, request, FORM, OPTIONS, now)).toEqual({
          kind: 'requested',
        });
      }
      expect(await serviceMessages(store)).toHaveLength(OPTIONS.perAddressPerDay);
      await requestNewsletters(store, ['daily'], { email: 'Ada@EXAMPLE.com' });
      await requestNewsletters(store, ['daily'], { email: 'ada+2@example.com' });
      await requestNewsletters(store, ['daily'], { email: 'ada2@example.com' });
      expect(await serviceMessages(store)).toHaveLength(OPTIONS.perAddressPerDay + 1);
      const keys = await store.db.selectFrom('rate_limits').select('key').orderBy('key').execute();
      expect(keys.map(({ key }) => key.replace(/[0-9a-f]{64}$/, 'HASH'))).toEqual([
        'address:HASH',
        'address:HASH',
        'signup all',
        'signup domain:HASH',
      ]);
      await requestNewsletters(store, ['daily'], { now: NOW + DAY });
      expect(await serviceMessages(store)).toHaveLength(OPTIONS.perAddressPerDay + 2);
    });

    it('queues at most three messages a day for a mailbox of Gmail, however its address is spelled', async () => {
      const store = await open();
      for (const email of [
        'ada.l@gmail.com',
        'A.D.A.L@Gmail.com',
        'adal+x@googlemail.com',
        'adal@gmail.com',
        'ad.al+@gmail.com',
      ]) {
        await requestNewsletters(store, ['daily'], { email });
      }
      expect(await serviceMessages(store)).toHaveLength(OPTIONS.perAddressPerDay);
      await eraseSubscriber(store.db, SECRETS, 1, NOW);
      const keys = await store.db.selectFrom('rate_limits').select('key').execute();
      expect(keys).toEqual([{ key: 'signup all' }]);
    });

    it('is limited by domain, unless that is a large provider, and then in all', async () => {
      const store = await open();
      const options = { ...OPTIONS, perDomainPerHour: 2, perHour: 5 };
      const ask = (email: string, now = NOW) =>
        requestSubscription(store.db, SECRETS, { email, newsletters: ['daily'] }, FORM, options, now);
      const results = [];
      for (let n = 1; n <= 3; n++) results.push(await ask(`a${n}@small.example`));
      expect(results).toEqual([
        { kind: 'requested' },
        { kind: 'requested' },
        { kind: 'limited', scope: 'domain', retryAt: NOW + HOUR / 2 },
      ]);
      // A refusal by the domain does not count in all: three more are left.
      for (let n = 1; n <= 3; n++) expect(await ask(`a${n}@gmail.com`)).toEqual({ kind: 'requested' });
      const refused = { kind: 'limited', scope: 'all', retryAt: NOW + HOUR / 5 };
      for (const email of ['a4@gmail.com', 'a1@gmail.com', 'a@other.example'])
        expect(await ask(email)).toEqual(refused);
      expect(await serviceMessages(store)).toHaveLength(5);
      // Nor does a refusal in all count for the domain.
      expect(await ask('a@other.example', NOW + HOUR / 5)).toEqual({ kind: 'requested' });
      expect(await ask('b@other.example', NOW + (2 * HOUR) / 5)).toEqual({ kind: 'requested' });
    });

    it('is refused with a reason, and stores nothing, if address, zone or newsletters are invalid', async () => {
      const store = await open();
      const refusal = async (email: string, newsletters: string[], zone?: string): Promise<string> => {
        const result = await requestSubscription(store.db, SECRETS, { email, newsletters, zone }, FORM, OPTIONS, NOW);
        return result.kind === 'refused' ? result.reason : result.kind;
      };
      expect(await refusal('ada', ['daily'])).toBe('it has no @');
      expect(await refusal('ædа@example.com', ['daily'])).toMatch(/SMTPUTF8/);
      expect(await refusal(ADA, ['daily'], 'Mars/Olympus')).toMatch(/^Mars\/Olympus: it must be an IANA time zone/);
      expect(await refusal(ADA, ['daily'], '+08:00')).toMatch(/IANA/);
      expect(await refusal(ADA, [])).toMatch(/at least one/);
      for (const table of ['subscribers', 'consent_events', 'service_messages', 'rate_limits'] as const) {
        expect(await store.db.selectFrom(table).selectAll().execute()).toEqual([]);
      }
    });

    it('adds one subscriber if made several times at the same time', async () => {
      const store = await open();
      const requests = ['daily', 'weekly', 'daily'].map((newsletter) =>
        requestSubscription(store.db, SECRETS, { email: ADA, newsletters: [newsletter] }, FORM, OPTIONS, NOW),
      );
      expect(await Promise.all(requests)).toEqual([
        { kind: 'requested' },
        { kind: 'requested' },
        { kind: 'requested' },
      ]);
      expect(await store.db.selectFrom('subscribers').select('email').execute()).toEqual([{ email: ADA }]);
      expect(await serviceMessages(store)).toHaveLength(2);
    });

    it('queues no second message if it is repeated within a minute, unless it differs or was undone', async () => {
      const store = await open();
      const ask = async (now: number, request: object = {}): Promise<number> => {
        const whole = { email: ADA, newsletters: ['daily'], ...request };
        await requestSubscription(store.db, SECRETS, whole, FORM, { ...OPTIONS, perAddressPerDay: 20 }, now);
        return (await serviceMessages(store)).length;
      };
      expect(await ask(NOW)).toBe(1);
      expect(await ask(NOW + 50 * SECOND)).toBe(1);
      expect(await ask(NOW + 50 * SECOND, { zone: 'Europe/Berlin' })).toBe(2);
      expect(await ask(NOW + 50 * SECOND, { newsletters: ['daily', 'weekly'] })).toBe(3);
      expect(await ask(NOW + MINUTE)).toBe(4);
      const { id } = await store.db.selectFrom('subscribers').select('id').executeTakeFirstOrThrow();
      await suppressAddress(store.db, SECRETS, id, 'hard-bounce', BOUNCE, NOW + MINUTE);
      expect(await ask(NOW + MINUTE + SECOND)).toBe(5);
      expect(await ask(NOW + MINUTE + SECOND)).toBe(5);
    });

    it('is confirmed once if its link is used several times at the same time', async () => {
      const store = await open();
      const key = await requestNewsletters(store);
      const confirm = () => confirmRequest(store.db, SECRETS, key, MAIL, NOW);
      const results = await Promise.all([confirm(), confirm(), confirm()]);
      expect(results.map((result) => result.kind).sort()).toEqual(['confirmed', 'done', 'done']);
      expect((await consentEvents(store)).filter((event) => event.startsWith('confirmed'))).toHaveLength(1);
    });

    it('lifts a suppression when confirmed, and restores earlier subscriptions', async () => {
      const store = await open();
      const id = await addConfirmed(store, ADA, ['daily', 'weekly']);
      await suppressAddress(store.db, SECRETS, id, 'hard-bounce', BOUNCE, NOW);
      const key = await requestNewsletters(store, ['daily']);
      expect(await findSuppression(store.db, SECRETS, ADA)).not.toBeNull();
      expect(await findRequest(store.db, key, NOW)).toMatchObject({ kind: 'open', newsletters: ['daily'] });
      expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW)).toMatchObject({ kind: 'confirmed' });
      expect(await findSuppression(store.db, SECRETS, ADA)).toBeNull();
      expect(await readPreferences(store.db, id)).toMatchObject({ suppressedReason: null });
      expect(await subscriptionStates(store, id)).toEqual({ daily: 'confirmed', weekly: 'confirmed' });
      expect((await consentEvents(store)).slice(-3)).toEqual([
        'suppressed by bounce (hard-bounce)',
        'requested daily by form from 192.0.2.7',
        'unsuppressed by confirmation from 192.0.2.8 (hard-bounce)',
      ]);
    });

    it('after a complaint restores only the requested newsletters', async () => {
      const store = await open();
      const id = await addConfirmed(store, ADA, ['daily', 'weekly']);
      await suppressAddress(store.db, SECRETS, id, 'complaint', { channel: 'complaint' }, NOW);
      const key = await requestNewsletters(store, ['daily']);
      await confirmRequest(store.db, SECRETS, key, MAIL, NOW);
      expect(await subscriptionStates(store, id)).toEqual({ daily: 'confirmed', weekly: 'unsubscribed' });
      expect(await findSuppression(store.db, SECRETS, ADA)).toBeNull();
    });

    it('does not lift a suppression by the operator, and is not mailed', async () => {
      const store = await open();
      const before = await requestNewsletters(store);
      await suppressByOperator(store.db, SECRETS, ADA, NOW);
      const after = await requestNewsletters(store);
      expect((await serviceMessages(store)).map((one) => one.state)).toEqual(['suppressed', 'suppressed']);
      for (const key of [before, after]) {
        expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW)).toEqual({ kind: 'expired' });
      }
      expect(await findSuppression(store.db, SECRETS, ADA)).not.toBeNull();
    });

    it('cannot be confirmed after an erasure, unless it is made again', async () => {
      const store = await open();
      const old = await requestNewsletters(store);
      await eraseSubscriber(store.db, SECRETS, old.subscriberId, NOW);
      expect(await findRequest(store.db, old, NOW)).toBeNull();
      expect(await confirmRequest(store.db, SECRETS, old, MAIL, NOW)).toEqual({ kind: 'unknown' });
      const fresh = await requestNewsletters(store);
      expect(fresh.subscriberId).not.toBe(old.subscriberId);
      expect(await readPreferences(store.db, fresh.subscriberId)).toMatchObject({ suppressedReason: 'erased' });
      expect(await confirmRequest(store.db, SECRETS, fresh, MAIL, NOW)).toMatchObject({ kind: 'confirmed' });
      expect(await findSuppression(store.db, SECRETS, ADA)).toBeNull();
      expect(await readPreferences(store.db, fresh.subscriberId)).toMatchObject({ suppressedReason: null });
    });

    it('with the link of another subscriber finds nothing', async () => {
      const store = await open();
      const ada = await requestNewsletters(store);
      const eve = await requestNewsletters(store, ['daily'], { email: 'eve@example.com' });
      const mixed = { messageId: ada.messageId, subscriberId: eve.subscriberId };
      expect(await findRequest(store.db, mixed, NOW)).toBeNull();
      expect(await confirmRequest(store.db, SECRETS, mixed, MAIL, NOW)).toEqual({ kind: 'unknown' });
    });
  });
});
