/** Moves between a daily newsletter and its weekly. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countLeft } from '../../../src/audience/consent/left.ts';
import { confirmRequest, findRequest } from '../../../src/audience/consent/opt-in.ts';
import { growthPeriods, readGrowth } from '../../../src/audience/growth.ts';
import { changePreferences, changeToWeekly, readPreferences } from '../../../src/audience/preferences.ts';
import { findSubscriptionState } from '../../../src/audience/subscriptions.ts';
import { unsubscribeAddressToken } from '../../../src/audience/tokens.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { readTargetToken, recordUnsubscribe } from '../../../src/delivery/bounces/record.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { runs } from '../../support/run-scope.ts';
import { SECRETS } from '../../support/sample.ts';
import {
  addConfirmed,
  consentEvents,
  MAIL,
  NOW,
  requestNewsletters,
  subscriptionStates,
  unsubscribe,
} from '../fixtures.ts';

const OFFERED = ['daily', 'monthly', 'weekly'];
const WEEKLIES = [['daily', 'weekly']] as const;
const PAGE = { channel: 'preferences' } as const;
const FINANCE = '{"sections":["finance"]}';
const CHIPS = '{"tags":["chips"]}';
const WORLD = '{"sections":["world"]}';

function save({ db }: Store, id: number, wanted: string[], choices = {}, now = NOW) {
  const newsletters = { offered: OFFERED, wanted };
  return changePreferences(db, id, { newsletters, weeklies: WEEKLIES, choices }, PAGE, now);
}

async function choices({ db }: Store, id: number): Promise<object> {
  const own = (await readPreferences(db, id))?.subscriptions ?? [];
  return Object.fromEntries(own.map(({ newsletter, choice }) => [newsletter, choice]));
}

const unsubscribeFrom = ({ db }: Store, subscriberId: number, newsletter: string) =>
  unsubscribe(db, { subscriberId, newsletter }, { channel: 'one-click' }, NOW);

describe('a move between a newsletter and its weekly', () => {
  forEachDatabase((open) => {
    it('is one event of consent, is not counted as leaving, and keeps the links to the preferences', async () => {
      const store = await open();
      const id = await addConfirmed(store);
      expect(await save(store, id, ['weekly'])).toEqual({ kind: 'changed' });
      expect(await save(store, id, ['weekly'])).toEqual({ kind: 'unchanged' });
      await save(store, id, ['daily', 'monthly']);
      expect((await consentEvents(store)).slice(1)).toEqual([
        'moved weekly by preferences (daily)',
        'moved daily by preferences (weekly)',
        'confirmed monthly by preferences',
      ]);
      expect((await readPreferences(store.db, id))?.tokenVersion).toBe(1);
      expect(await countLeft(store.db, 'daily', NOW, null)).toBe(0);
      // The growth of each newsletter has it.
      const growth = await readGrowth(store.db, growthPeriods('day', 1, NOW, 'UTC'));
      expect(growth.get('daily')).toMatchObject([{ joined: 2, left: 1 }]);
      expect(growth.get('weekly')).toMatchObject([{ joined: 1, left: 1 }]);
      expect(await subscriptionStates(store, id)).toEqual({
        daily: 'confirmed',
        monthly: 'confirmed',
        weekly: 'unsubscribed',
      });
    });

    it('is none if the other one is confirmed, or not offered', async () => {
      const store = await open();
      const id = await addConfirmed(store, 'ada@example.com', ['daily', 'weekly']);
      await save(store, id, ['weekly']);
      expect((await consentEvents(store)).at(-1)).toBe('unsubscribed daily by preferences');
      const newsletters = { offered: ['daily'], wanted: ['daily'] };
      await changePreferences(store.db, id, { newsletters, weeklies: WEEKLIES }, PAGE, NOW);
      expect((await consentEvents(store)).at(-1)).toBe('confirmed daily by preferences');
    });

    it('takes the choice along, unless another is made with it, and leaves a private feed where it is', async () => {
      const store = await open();
      const id = await addConfirmed(store);
      await save(store, id, ['daily'], { daily: FINANCE, weekly: FINANCE });
      expect(await choices(store, id)).toEqual({ daily: FINANCE });
      await store.db.updateTable('subscriptions').set({ feed_since: NOW }).execute();
      await save(store, id, ['weekly'], { daily: WORLD, weekly: null });
      expect(await choices(store, id)).toEqual({ daily: WORLD, weekly: WORLD });
      const feeds = await store.db.selectFrom('subscriptions').select('feed_since').orderBy('newsletter').execute();
      expect(feeds.map(({ feed_since }) => feed_since)).toEqual([NOW, null]);
      await save(store, id, ['daily'], { daily: CHIPS, weekly: WORLD });
      expect(await choices(store, id)).toEqual({ daily: CHIPS, weekly: WORLD });
      expect((await consentEvents(store)).slice(1)).toEqual([
        `choice daily by preferences (${FINANCE})`,
        'moved weekly by preferences (daily)',
        `choice daily by preferences (${WORLD})`,
        `choice weekly by preferences (${WORLD})`,
        'moved daily by preferences (weekly)',
        `choice daily by preferences (${CHIPS})`,
      ]);
    });

    it('from the unsubscribe page subscribes nobody whose subscription has ended', async () => {
      const store = await open();
      const subscriberId = await addConfirmed(store, 'ada@example.com', ['daily', 'monthly']);
      const key = { subscriberId, newsletter: 'daily' };
      const change = () => changeToWeekly(store.db, key, 'weekly', { channel: 'unsubscribe-page' }, NOW);
      await change();
      expect((await consentEvents(store)).at(-1)).toBe('moved weekly by unsubscribe-page (daily)');
      expect(await findSubscriptionState(store.db, key)).toBe('confirmed');
      await unsubscribeFrom(store, subscriberId, 'weekly');
      expect(await findSubscriptionState(store.db, key)).toBe('unsubscribed');
      const before = await consentEvents(store);
      await change();
      expect(await consentEvents(store)).toEqual(before);
    });

    it('ends with the old newsletter’s link and address for unsubscribing by mail', async () => {
      const store = await open();
      const subscriberId = await addConfirmed(store);
      const key = { subscriberId, newsletter: 'daily' };
      await save(store, subscriberId, ['weekly']);
      expect(await unsubscribeFrom(store, subscriberId, 'daily')).toBe('unsubscribed');
      expect(await unsubscribeFrom(store, subscriberId, 'daily')).toBe('already');
      await save(store, subscriberId, ['weekly']);
      // Resubscribed on its own: the daily's link has nothing to do with it.
      expect(await unsubscribeFrom(store, subscriberId, 'daily')).toBe('already');
      await save(store, subscriberId, ['daily']);
      await save(store, subscriberId, ['weekly']);
      const target = readTargetToken(SECRETS, unsubscribeAddressToken(SECRETS, key));
      if (target === null) throw new Error('the token is invalid');
      const result = await recordUnsubscribe(store.db, target, { channel: 'mailto' }, NOW);
      expect(result).toEqual({ kind: 'unsubscribed', newsletters: ['weekly'] });
    });

    it('is not undone by an older confirmation link, and a request does not cut it from its old links', async () => {
      const store = await open();
      const id = await addConfirmed(store, 'ada@example.com', ['monthly']);
      const key = await requestNewsletters(store, ['daily']);
      await save(store, id, ['monthly', 'daily']);
      await save(store, id, ['monthly', 'weekly']);
      expect(await findRequest(store.db, key, NOW)).toMatchObject({ kind: 'expired' });
      expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW)).toEqual({ kind: 'expired' });
      await requestNewsletters(store, ['daily']);
      await unsubscribeFrom(store, id, 'daily');
      expect(await subscriptionStates(store, id)).toEqual({
        daily: 'unsubscribed',
        monthly: 'confirmed',
        weekly: 'unsubscribed',
      });
    });
  });
});

/** Mostly one of the two, so that most changes are moves. */
const wanted = fc.constantFrom(['daily'], ['weekly'], ['daily', 'monthly'], ['monthly', 'weekly'], OFFERED, []);
type Step = { do: 'save'; wanted: string[] } | { do: 'mail' } | { do: 'press'; which: number };
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('save' as const), wanted }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mail' as const) }) },
  fc.record({ do: fc.constant('press' as const), which: fc.nat({ max: 5 }) }),
) as fc.Arbitrary<Step>;

/** Follows subscriptions from their confirmation, through moves, to their end. */
class Ledger {
  /** The subscription behind each confirmed newsletter. */
  live = new Map<string, number>();
  mails: { newsletter: string; subscription: number }[] = [];
  #last = 0;
  /** The latest subscription to each newsletter. */
  readonly latest = new Map<string, number>();

  save(wanted: readonly string[]): void {
    const before = new Map(this.live);
    for (const [from, to] of [
      ['daily', 'weekly'],
      ['weekly', 'daily'],
    ] as const) {
      if (before.has(from) && !wanted.includes(from) && wanted.includes(to) && !before.has(to)) {
        this.live.set(to, before.get(from) as number);
      }
    }
    for (const newsletter of OFFERED) {
      if (!wanted.includes(newsletter)) this.live.delete(newsletter);
      else if (!this.live.has(newsletter)) this.live.set(newsletter, ++this.#last);
      const one = this.live.get(newsletter);
      if (one !== undefined) this.latest.set(newsletter, one);
    }
  }

  /** A link names the newsletter: it is the same in emails of all subscriptions to that. */
  press(newsletter: string): void {
    const latest = this.latest.get(newsletter);
    if (this.live.delete(newsletter)) return;
    for (const [other, one] of this.live) if (one === latest) this.live.delete(other);
  }
}

forEachDatabase((open, dialect) => {
  it('an unsubscribe link of any email ends what the latest subscription to its newsletter has become', {
    timeout: 60_000,
  }, async () => {
    const store = await open();
    let walks = 0;
    let followed = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 30 }), async (steps) => {
        walks += 1;
        const id = await addConfirmed(store, `walk${walks}@example.com`, ['monthly']);
        const ledger = new Ledger();
        ledger.save(['monthly']);
        for (const one of steps) {
          if (one.do === 'save') {
            await save(store, id, one.wanted);
            ledger.save(one.wanted);
          } else if (one.do === 'mail') {
            for (const [newsletter, subscription] of ledger.live) ledger.mails.push({ newsletter, subscription });
          } else {
            const mail = ledger.mails.at(-1 - one.which);
            if (mail === undefined) continue;
            const isMoved = !ledger.live.has(mail.newsletter) && [...ledger.live.values()].includes(mail.subscription);
            const isLatest = ledger.latest.get(mail.newsletter) === mail.subscription;
            if (isMoved && isLatest) followed += 1;
            await unsubscribeFrom(store, id, mail.newsletter);
            ledger.press(mail.newsletter);
            if (isLatest) expect([...ledger.live.values()]).not.toContain(mail.subscription);
          }
          const states = Object.entries(await subscriptionStates(store, id));
          const confirmed = states.filter(([, state]) => state === 'confirmed').map(([newsletter]) => newsletter);
          expect(confirmed).toEqual([...ledger.live.keys()].sort());
        }
      }),
      { numRuns: runs(dialect === 'sqlite' ? 300 : 20) },
    );
    if (dialect === 'sqlite') expect(followed).toBeGreaterThan(0);
  });
});
