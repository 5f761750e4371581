/** Random walks over all operations on one address, compared with a simple model. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { confirmRequest, findRequest, requestSubscription } from '../../../src/audience/consent/opt-in.ts';
import { nextState, type SubscriptionState } from '../../../src/audience/consent/states.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import { changePreferences } from '../../../src/audience/preferences.ts';
import { addSubscriber, findSubscriberByAddress } from '../../../src/audience/subscriptions.ts';
import {
  findSuppression,
  isLiftedByOptIn,
  suppressAddress,
  suppressByOperator,
  unsuppressByOperator,
} from '../../../src/audience/suppression.ts';
import type { SigningSecrets } from '../../../src/core/config/signing-secrets.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { SuppressionReason } from '../../../src/core/store/tables/subscriber-tables.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { runs } from '../../support/run-scope.ts';
import { SECRETS } from '../../support/sample.ts';
import { FORM, MAIL, NOW, OPERATOR, removeSubscriber, unsubscribe } from '../fixtures.ts';

const NEWSLETTERS = ['daily', 'weekly', 'monthly'];
const WEEKLIES = [['daily', 'weekly']] as const;
const OPTIONS = { confirmMs: 3 * HOUR, perAddressPerDay: 1_000_000, perDomainPerHour: 1_000_000, perHour: 1_000_000 };

type Step =
  | { do: 'request' | 'add' | 'set-preferences'; newsletters: string[] }
  | { do: 'confirm'; which: number }
  | { do: 'unsubscribe'; newsletter: string }
  | { do: 'remove' | 'erase' | 'suppress-by-operator' | 'unsuppress' | 'wait' | 'rotate' }
  | { do: 'suppress'; reason: 'hard-bounce' | 'soft-bounces' | 'complaint' };

const newsletterList = fc.subarray(NEWSLETTERS, { minLength: 1 });
const stepOf = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('request' as const), newsletters: newsletterList }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('confirm' as const), which: fc.nat({ max: 3 }) }) },
  fc.record({ do: fc.constantFrom('add' as const, 'set-preferences' as const), newsletters: newsletterList }),
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), newsletter: fc.constantFrom(...NEWSLETTERS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('remove', 'erase', 'suppress-by-operator', 'unsuppress', 'wait', 'rotate'),
    }),
  },
  fc.record({
    do: fc.constant('suppress' as const),
    reason: fc.constantFrom('hard-bounce' as const, 'soft-bounces' as const, 'complaint' as const),
  }),
) as fc.Arbitrary<Step>;

interface Mail {
  key: { messageId: number; subscriberId: number };
  requested: string[];
  /** Not superseded by a later change. */
  remaining: Set<string>;
  expiresAt: number;
}

/** One address in the store and in the model. */
class Walk {
  now = NOW;
  secrets: SigningSecrets = SECRETS;
  /** Null if the address has no subscriber. */
  states: Map<string, SubscriptionState> | null = null;
  suppressed: SuppressionReason | null = null;
  /** Of the links: it grows when the last subscription ends, and when there was none before a confirmation. */
  version = 1;
  mails: Mail[] = [];
  /** To which newsletter a subscription was moved. */
  moved = new Map<string, [string]>();
  readonly #store: Store;
  readonly #email: string;

  constructor(store: Store, email: string) {
    this.#store = store;
    this.#email = email;
  }

  async take(step: Step): Promise<void> {
    const { db } = this.#store;
    const { now, secrets } = this;
    const email = this.#email;
    const id = (await findSubscriberByAddress(db, email))?.id ?? 0;
    switch (step.do) {
      case 'request':
        await requestSubscription(db, secrets, { email, newsletters: step.newsletters }, FORM, OPTIONS, now);
        return this.#requested(step.newsletters);
      case 'confirm':
        return this.#confirm(this.mails.at(-1 - step.which));
      case 'add': {
        const added = await addSubscriber(db, secrets, { email, newsletters: step.newsletters }, OPERATOR, now);
        expect(added.kind).toBe(this.suppressed === null ? 'stored' : 'refused');
        if (added.kind === 'stored') this.#change(step.newsletters, 'confirmed');
        return;
      }
      case 'set-preferences': {
        const { newsletters } = step;
        const changes = { newsletters: { offered: NEWSLETTERS, wanted: newsletters }, weeklies: WEEKLIES };
        await changePreferences(db, id, changes, { channel: 'preferences' }, now);
        if (this.states === null) return;
        for (const [from, to] of [...WEEKLIES, ...WEEKLIES.map(([daily, weekly]) => [weekly, daily] as const)]) {
          if (newsletters.includes(from) || !newsletters.includes(to)) continue;
          if (this.states.get(from) === 'confirmed' && this.states.get(to) !== 'confirmed') this.#move(from, to);
        }
        this.#change(newsletters, 'confirmed');
        return this.#unsubscribe(
          NEWSLETTERS.filter((n) => !newsletters.includes(n) && this.states?.get(n) === 'confirmed'),
        );
      }
      case 'unsubscribe':
        await unsubscribe(db, { subscriberId: id, newsletter: step.newsletter }, { channel: 'one-click' }, now);
        return this.#unsubscribe([step.newsletter, ...(this.moved.get(step.newsletter) ?? [])]);
      case 'remove':
        await removeSubscriber(db, email, OPERATOR, now);
        return this.#unsubscribe(NEWSLETTERS);
      case 'suppress': {
        await suppressAddress(db, secrets, id, step.reason, { channel: 'bounce' }, now);
        if (this.states === null) return;
        if (step.reason === 'complaint') this.#unsubscribe(NEWSLETTERS);
        if (this.suppressed === null || (step.reason === 'complaint' && isLiftedByOptIn(this.suppressed))) {
          this.#suppress(step.reason);
        }
        return;
      }
      case 'suppress-by-operator':
        await suppressByOperator(db, secrets, email, now);
        if (this.suppressed !== 'operator') this.#suppress('operator');
        return;
      case 'unsuppress':
        await unsuppressByOperator(db, secrets, email, now);
        this.suppressed = null;
        return;
      case 'erase':
        await eraseSubscriber(db, secrets, id, now);
        if (this.states !== null && (this.suppressed === null || isLiftedByOptIn(this.suppressed))) {
          this.suppressed = 'erased';
        }
        this.states = null;
        this.version = 1;
        this.mails = [];
        this.moved.clear();
        return;
      case 'wait':
        this.now += HOUR;
        return;
      case 'rotate':
        this.secrets = [`secret number ${secrets.length} of these tests, and long enough`, ...secrets];
    }
  }

  /** Compares the store with the model, and with the replayed events. */
  async check(): Promise<void> {
    const { db } = this.#store;
    const subscriber = await findSubscriberByAddress(db, this.#email);
    const stored = subscriber?.subscriptions.map((one) => [one.newsletter, one.state]) ?? null;
    expect(stored).toEqual(this.states === null ? null : [...this.states].sort());
    expect((await findSuppression(db, this.secrets, this.#email))?.reason ?? null).toBe(this.suppressed);
    if (subscriber === null) return;
    expect(subscriber.suppressedReason).toBe(this.suppressed);
    const events = await db
      .selectFrom('consent_events')
      .select(['newsletter', 'change', 'detail'])
      .where('subscriber_id', '=', subscriber.id)
      .where('newsletter', 'is not', null)
      .orderBy('id')
      .execute();
    const replayed = new Map<string, SubscriptionState | null>();
    for (const { newsletter, change, detail } of events as {
      newsletter: string;
      change: 'requested';
      detail: string;
    }[]) {
      const isMove = (change as string) === 'moved';
      if (isMove) replayed.set(detail, 'unsubscribed');
      replayed.set(newsletter, isMove ? 'confirmed' : nextState(replayed.get(newsletter) ?? null, change));
    }
    expect([...replayed].sort()).toEqual(stored);
  }

  async #requested(newsletters: string[]): Promise<void> {
    this.#change(newsletters, 'requested');
    const requested = newsletters.filter((n) => this.suppressed !== null || this.states?.get(n) !== 'confirmed').sort();
    const kind = requested.length === 0 ? 'already' : 'confirm';
    // A request that repeats one of the last minute has the message of that one.
    const message = await this.#store.db
      .selectFrom('service_messages')
      .select(['id', 'subscriber_id'])
      .where('kind', '=', kind)
      .where('newsletters', '=', JSON.stringify(kind === 'already' ? [...new Set(newsletters)].sort() : requested))
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    if (requested.length === 0) return;
    const key = { messageId: message.id, subscriberId: message.subscriber_id };
    this.mails.push({ key, requested, remaining: new Set(requested), expiresAt: this.now + OPTIONS.confirmMs });
  }

  async #confirm(mail: Mail | undefined): Promise<void> {
    if (mail === undefined) return;
    const { db } = this.#store;
    const remaining = mail.requested.filter((n) => mail.remaining.has(n));
    const done = this.suppressed === null && remaining.every((n) => this.states?.get(n) === 'confirmed');
    const expired = remaining.length === 0 || this.suppressed === 'operator' || (this.now >= mail.expiresAt && !done);
    const state = await findRequest(db, mail.key, this.now);
    expect(state).toEqual(
      expired
        ? { kind: 'expired', newsletters: mail.requested }
        : done
          ? { kind: 'done', newsletters: remaining }
          : { kind: 'open', newsletters: remaining, consent: null },
    );
    const confirmed = await confirmRequest(db, this.secrets, mail.key, MAIL, this.now);
    const { subscriberId } = mail.key;
    if (!expired && !done && !this.#isSubscribed()) this.version += 1;
    const kind = done ? 'done' : 'confirmed';
    const details = done ? {} : { subscriberId, version: this.version };
    expect(confirmed).toEqual(expired ? { kind: 'expired' } : { kind, newsletters: remaining, ...details });
    if (expired) return;
    this.#change(remaining, 'confirmed');
    this.suppressed = null;
  }

  #change(newsletters: string[], change: 'requested' | 'confirmed'): void {
    this.states ??= new Map();
    for (const newsletter of newsletters) {
      const before = this.states.get(newsletter) ?? null;
      const state = nextState(before, change);
      if (state !== null) this.states.set(newsletter, state);
      if (change === 'confirmed' && before !== 'confirmed') this.#forgetMoves(newsletter);
    }
  }

  #move(from: string, to: string): void {
    this.#forgetMoves(to);
    this.moved.set(from, [to]);
    this.states?.set(from, 'unsubscribed').set(to, 'confirmed');
    for (const mail of this.mails) mail.remaining.delete(from);
  }

  #forgetMoves(newsletter: string): void {
    for (const [from, [to]] of this.moved) if (from === newsletter || to === newsletter) this.moved.delete(from);
  }

  #isSubscribed(): boolean {
    return [...(this.states?.values() ?? [])].includes('confirmed');
  }

  #unsubscribe(newsletters: string[]): void {
    const wasSubscribed = this.#isSubscribed();
    for (const newsletter of newsletters) {
      const state = this.states?.get(newsletter);
      if (state === undefined || state === 'unsubscribed') continue;
      this.states?.set(newsletter, 'unsubscribed');
      this.#forgetMoves(newsletter);
      for (const mail of this.mails) mail.remaining.delete(newsletter);
    }
    if (wasSubscribed && !this.#isSubscribed()) this.version += 1;
  }

  #suppress(reason: SuppressionReason): void {
    this.suppressed = reason;
    for (const mail of this.mails) mail.remaining.clear();
  }
}

forEachDatabase((open, dialect) => {
  it('states and events agree after any sequence of operations', { timeout: 60_000 }, async () => {
    const store = await open();
    let walks = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(stepOf, { maxLength: 25 }), async (steps) => {
        walks += 1;
        // The clock goes back to the first step, which rate limits do not expect.
        await store.db.deleteFrom('rate_limits').execute();
        const walk = new Walk(store, `walk${walks}@example.com`);
        for (const step of steps) {
          await walk.take(step);
          await walk.check();
        }
      }),
      { numRuns: runs(dialect === 'sqlite' ? 100 : 8) },
    );
  });
});

/** Operations that can run at the same time for one address. */
const OPERATIONS: ((db: Store['db'], id: number, email: string) => Promise<unknown>)[] = [
  (db, _, email) => requestSubscription(db, SECRETS, { email, newsletters: NEWSLETTERS }, FORM, OPTIONS, NOW),
  (db, subscriberId) => unsubscribe(db, { subscriberId, newsletter: 'daily' }, { channel: 'one-click' }, NOW),
  (db, id) =>
    changePreferences(
      db,
      id,
      { newsletters: { offered: ['daily'], wanted: ['daily'] }, zone: 'Asia/Tokyo' },
      { channel: 'preferences' },
      NOW,
    ),
  (db, id) => suppressAddress(db, SECRETS, id, 'complaint', { channel: 'complaint' }, NOW),
  (db, _, email) => suppressByOperator(db, SECRETS, email, NOW),
  (db, _, email) => unsuppressByOperator(db, SECRETS, email, NOW),
  (db, _, email) => addSubscriber(db, SECRETS, { email, newsletters: ['weekly'] }, OPERATOR, NOW),
  (db, _, email) => removeSubscriber(db, email, OPERATOR, NOW),
  (db, id) => eraseSubscriber(db, SECRETS, id, NOW),
];

forEachDatabase((open, dialect) => {
  it('simultaneous operations are serialized', { timeout: 60_000 }, async () => {
    const store = await open();
    const operation = fc.nat({ max: OPERATIONS.length - 1 });
    let walks = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 4, maxLength: 12 }), async (operations) => {
        walks += 1;
        const email = `crowd${walks}@example.com`;
        const added = await addSubscriber(store.db, SECRETS, { email, newsletters: NEWSLETTERS }, OPERATOR, NOW);
        const id = added.kind === 'stored' ? added.subscriberId : 0;
        await Promise.all(operations.map((n) => OPERATIONS[n]?.(store.db, id, email)));

        const walk = new Walk(store, email);
        const subscriber = await findSubscriberByAddress(store.db, email);
        // The order of operations is unknown, so the model takes its state from the rows: only the events are checked.
        walk.states =
          subscriber === null ? null : new Map(subscriber.subscriptions.map((one) => [one.newsletter, one.state]));
        walk.suppressed = (await findSuppression(store.db, SECRETS, email))?.reason ?? null;
        await walk.check();
      }),
      { numRuns: runs(dialect === 'sqlite' ? 20 : 25) },
    );
  });
});
