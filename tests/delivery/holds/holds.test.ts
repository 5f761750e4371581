import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, startScripted } from '../../../scripts/smtp-servers.ts';
import { queueEdition } from '../../../scripts/test-edition.ts';
import { suppressAddress } from '../../../src/audience/suppression.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { recordBounce } from '../../../src/delivery/bounces/record.ts';
import { retry } from '../../../src/delivery/control/operator-control.ts';
import { deliverDue } from '../../../src/delivery/deliver-due.ts';
import { closeHold, readHolds, tryHold } from '../../../src/delivery/holds/control-holds.ts';
import { holdSubscriber } from '../../../src/delivery/holds/provider-holds.ts';
import { holdsProvider, type TriedDelivery, trialStep } from '../../../src/delivery/holds/watch-holds.ts';
import { RateWatch } from '../../../src/delivery/rates/watch-rates.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { NOW } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { openTestApp } from '../../support/test-app.ts';
import { setDeliveries } from '../fixture.ts';

afterEach(closeServers);

describe('holdsProvider', () => {
  it.each([
    // Bounces, messages, whether the list is small, percent; whether the provider is held.
    [9, 200, false, 2, false],
    [10, 500, false, 2, true],
    [10, 501, false, 2, false],
    [39, 200, false, 20, false],
    [40, 200, false, 20, true],
    [2, 2, true, 2, false],
    [3, 6, true, 20, true],
    [3, 7, true, 2, false],
    [30, 60, true, 20, true],
  ])('%d of %d bounces in a small list %s, at %d %%: %s', (bounces, messages, isSmall, percent, isHeld) => {
    expect(holdsProvider(bounces, messages, isSmall, percent)).toBe(isHeld);
  });
});

describe('trialStep', () => {
  const tried: TriedDelivery = {
    ...{ state: 'submitted', reply: null, changedAt: NOW, bounce: null, status: null, detail: null },
  };
  it.each([
    ['wait', { state: 'pending' }, 9 * DAY],
    ['wait', {}, DAY - 1],
    ['release', {}, DAY],
    ['refused', { bounce: 'soft', status: '5.7.26', detail: 'no SPF' }, DAY],
    ['refused', { state: 'failed', reply: '550 5.7.1 blocked' }, 0],
    ['suppress', { bounce: 'hard', status: '5.1.1', detail: 'unknown' }, 0],
    ['suppress', { state: 'failed', reply: '550 5.1.1 no such user' }, 0],
    ['next', { bounce: 'soft', status: '4.2.2', detail: 'mailbox full' }, DAY],
    ['next', { state: 'failed', reply: '451 later' }, 0],
    ['next', { state: 'suppressed' }, 0],
  ] as const)('says %s of %j', (step, change, after) => {
    expect(trialStep({ ...tried, ...change }, NOW + after)).toBe(step);
  });
});

const EMAILS = Array.from({ length: 10 }, (_, n) => `r${n}@${n < 6 ? 'gmail.com' : 'other.example'}`);
const SENDER = { status: '5.7.26', detail: '550-5.7.26 r0@gmail.com: SPF did not pass' };
const UNKNOWN = { status: '5.1.1', detail: '550 5.1.1 no such user' };

/** Six of ten subscribers are at Gmail. Each message is accepted; `bounce` reports those of an edition to Gmail. */
async function simulate(store: Store) {
  const server = await startScripted(() => undefined);
  const app = openTestApp(store, {
    edit: (yaml) => yaml.replace('transport: file', `transport: smtp\n  smtpUrl: ${server.url}`),
  });
  const secrets = await app.keys.signingSecrets();
  const watch = new RateWatch(app);
  let number = 0;
  const look = async (): Promise<void> => {
    await watch.look();
    app.now += 60_001;
    await watch.look();
  };
  const recordBounces = async (id: number, ids: number[], refusal: typeof SENDER, kind: 'hard' | 'soft') => {
    for (const subscriberId of ids) {
      const named = { editionId: id, serviceMessageId: null, newsletter: null, isUnsubscribe: false };
      const about = { target: { ...named, subscriberId }, bounce: { kind, ...refusal }, source: null };
      await recordBounce(store.db, app.config, secrets, about, app.now);
    }
  };
  return {
    ...{ app, look },
    async edition(): Promise<{ id: number; newsletter: string; slot: string; subscriberIds: number[] }> {
      number += 1;
      const slot = `slot-${number}`;
      const changes = { slot, number, articleId: slot, closedAt: app.now };
      const { editionId: id, subscriberIds } = await queueEdition(store, EMAILS, changes);
      const terms = { due_at: app.now, changed_at: app.now, expires_at: app.now + 20 * HOUR };
      await setDeliveries(store, terms, { edition_id: id });
      await deliverDue(app);
      app.now += HOUR;
      return { id, newsletter: 'daily-roundup', slot, subscriberIds };
    },
    recordBounces,
    async bounce(...bounces: Parameters<typeof recordBounces>) {
      await recordBounces(...bounces);
      await look();
    },
    suppressed: async () => {
      const held = store.db.selectFrom('subscribers').select('id').where('suppressed_reason', 'is not', null);
      return (await held.orderBy('id').execute()).map(({ id }) => id);
    },
    count: async (editionId: number, state: 'submitted' | 'pending') =>
      (
        await store.db
          .selectFrom('deliveries')
          .select('subscriber_id')
          .where('edition_id', '=', editionId)
          .where('state', '=', state)
          .execute()
      ).length,
    holdAlerts: async () => (await openAlerts(store.db)).filter(({ kind }) => kind === 'provider-held'),
  };
}

describe('a mailbox provider at which most messages bounce', () => {
  forBothDatabases((open) => {
    it('is held for a mistake of the sender, also if a report calls it hard; the edition is sent again', async () => {
      const one = await simulate(await open());
      const first = await one.edition();
      const gmail = first.subscriberIds.slice(0, 6);
      await one.bounce(first.id, gmail, SENDER, 'hard');
      const [alert] = await one.holdAlerts();
      expect(alert).toMatchObject({ key: `provider-held:gmail:${first.id}`, count: 1 });
      expect(alert?.message).toContain('6 of 6 messages to Gmail bounced because of the sender (6 × 5.7.26), such as');
      expect(alert?.message).not.toContain('r0@');
      const second = await one.edition();
      expect(await one.count(second.id, 'submitted')).toBe(4);
      expect(await readHolds(one.app.store)).toMatchObject([{ provider: 'gmail', waiting: 6, bounced: 0 }]);
      // Later bounces at Gmail suppress nobody; others do, and so does a complaint.
      await one.bounce(first.id, [gmail[0] as number], UNKNOWN, 'hard');
      await one.bounce(second.id, [second.subscriberIds[9] as number], UNKNOWN, 'hard');
      expect(await one.suppressed()).toEqual([second.subscriberIds[9]]);

      expect(await closeHold(one.app, 'release', { provider: 'gmail', isDryRun: true })).toMatchObject({ bounced: 1 });
      await closeHold(one.app, 'release', { provider: 'gmail' });
      await deliverDue(one.app);
      expect(await one.count(second.id, 'submitted')).toBe(10);
      // What bounced before the decision does not hold it again.
      await new RateWatch(one.app).look();
      expect(await one.holdAlerts()).toEqual([]);
      const request = { kinds: ['bounced'] as const, provider: 'gmail', isDryRun: false };
      expect(await retry(one.app, first, request)).toMatchObject({ reopened: 6, ineligible: 0 });
      expect(await retry(one.app, first, request)).toMatchObject({ reopened: 0 });
      await deliverDue(one.app);
      expect(await one.count(first.id, 'submitted')).toBe(10);
      expect(await one.holdAlerts()).toEqual([]);
      // A bounce of the copy that was sent again counts.
      one.app.now += HOUR;
      await one.bounce(first.id, gmail, SENDER, 'soft');
      expect(await one.holdAlerts()).toHaveLength(1);
    });

    it('is held where it calls all unknown: they wait, and after seven days one is tried, then the next', async () => {
      const one = await simulate(await open());
      const first = await one.edition();
      const gmail = first.subscriberIds.slice(0, 6);
      await one.bounce(first.id, gmail, UNKNOWN, 'hard');
      expect(await one.suppressed()).toEqual([]);
      expect(await readHolds(one.app.store)).toMatchObject([{ waiting: 0, bounced: 6 }]);
      one.app.now += 7 * DAY;
      const later = await one.edition();
      expect(await one.count(later.id, 'submitted')).toBe(4);
      await one.look();
      await deliverDue(one.app);
      expect(await one.count(later.id, 'submitted')).toBe(5);
      // Unknown again: that address alone is suppressed, and the next one is tried a day later.
      await one.bounce(later.id, [gmail[0] as number], UNKNOWN, 'hard');
      expect(await one.suppressed()).toEqual([gmail[0]]);
      one.app.now += DAY;
      await one.look();
      await deliverDue(one.app);
      // Refused for the sender's reason: all go on waiting, and the alert is raised again.
      const [before] = await one.holdAlerts();
      await one.bounce(later.id, [gmail[1] as number], SENDER, 'soft');
      expect((await one.holdAlerts())[0]?.firstAt).toBeGreaterThan(before?.firstAt ?? 0);
      expect(await one.suppressed()).toEqual([gmail[0]]);
      one.app.now += 7 * DAY;
      await one.look();
      await deliverDue(one.app);
      one.app.now += DAY;
      await one.look();
      // Accepted, with no report for a day.
      expect(await readHolds(one.app.store)).toEqual([]);
      expect(await one.holdAlerts()).toEqual([]);
      expect(await one.suppressed()).toEqual([gmail[0]]);
      const last = await one.edition();
      expect(await one.count(last.id, 'submitted')).toBe(9);
    });

    it('is tried by an operator, and those who wait with a hard bounce are suppressed on demand', async () => {
      const one = await simulate(await open());
      const first = await one.edition();
      await one.bounce(first.id, first.subscriberIds.slice(0, 6), UNKNOWN, 'hard');
      const dry = await tryHold(one.app, { provider: 'gmail', isDryRun: true });
      expect(dry).toMatchObject({ subscriberId: first.subscriberIds[0], editionId: first.id });
      expect(await tryHold(one.app, { provider: 'gmail' })).toMatchObject({ email: 'r0@gmail.com' });
      expect((await deliverDue(one.app)).submitted).toBe(1);
      expect(await closeHold(one.app, 'suppress', { provider: 'gmail' })).toMatchObject({ bounced: 5 });
      expect(await one.suppressed()).toEqual(first.subscriberIds.slice(1, 6));
      await expect(tryHold(one.app, { provider: 'gmail' })).rejects.toThrow('do not wait for a decision');
    });

    it('gets a message for one of those who wait with a hard bounce, not for a person who paused or left', async () => {
      const one = await simulate(await open());
      const { db } = one.app.store;
      const { id, subscriberIds } = await one.edition();
      const [, , paused, left, next] = subscriberIds as [number, number, number, number, number];
      await one.recordBounces(id, subscriberIds.slice(0, 2), SENDER, 'soft');
      await one.bounce(id, subscriberIds.slice(2, 6), UNKNOWN, 'hard');
      const until = { paused_until: one.app.now + DAY };
      await db.updateTable('subscribers').set(until).where('id', '=', paused).execute();
      const ended = db.updateTable('subscriptions').set({ state: 'unsubscribed' });
      await ended.where('subscriber_id', '=', left).execute();
      expect(await tryHold(one.app, { provider: 'gmail' })).toMatchObject({ subscriberId: next });
    });

    it('is not held by a few bounces of a large list whose delivery has begun', async () => {
      const one = await simulate(await open());
      const emails = Array.from({ length: 110 }, (_, n) => `r${n}@gmail.com`);
      const { editionId, subscriberIds } = await queueEdition(one.app.store, emails, { closedAt: one.app.now });
      const sent = subscriberIds.slice(0, 12);
      for (const id of sent) await setDeliveries(one.app.store, { state: 'submitted' }, { subscriber_id: id });
      await one.bounce(editionId, sent.slice(0, 9), SENDER, 'soft');
      expect(await readHolds(one.app.store)).toEqual([]);
      await one.bounce(editionId, sent.slice(9, 10), SENDER, 'soft');
      expect(await readHolds(one.app.store)).toMatchObject([{ waiting: 98 }]);
    });

    it('is not held in an outage of four days; at the fifth, those whom soft bounces would suppress wait', async () => {
      const one = await simulate(await open());
      for (let day = 1; day <= 5; day++) {
        const edition = await one.edition();
        const down = { status: '4.4.1', detail: 'connection timed out' };
        await one.bounce(edition.id, edition.subscriberIds.slice(0, 6), down, 'soft');
        expect(await one.suppressed()).toEqual([]);
        expect((await readHolds(one.app.store)).map(({ bounced }) => bounced)).toEqual(day < 5 ? [] : [6]);
        one.app.now += DAY;
      }
    });

    it('does not bring back whom an edition without trouble has suppressed', async () => {
      const one = await simulate(await open());
      const first = await one.edition();
      const gmail = first.subscriberIds.slice(0, 6);
      await one.bounce(first.id, gmail.slice(0, 1), UNKNOWN, 'hard');
      const second = await one.edition();
      await one.bounce(second.id, gmail.slice(1), SENDER, 'soft');
      expect(await readHolds(one.app.store)).toMatchObject([{ provider: 'gmail' }]);
      // Another process looks at all editions of the last days.
      await new RateWatch(one.app).look();
      expect(await one.suppressed()).toEqual(gmail.slice(0, 1));
    });

    it('lets nobody wait who complained, or whose hold was closed, since the bounces were read', async () => {
      const one = await simulate(await open());
      const { id, subscriberIds } = await one.edition();
      const { app } = one;
      const { db } = app.store;
      const secrets = await app.keys.signingSecrets();
      const heldBy = db.selectFrom('subscribers').select('id').where('held_by', 'is not', null);
      const [complainer, ...others] = subscriberIds.slice(0, 6) as [number];
      await one.recordBounces(id, [complainer, ...others], UNKNOWN, 'hard');
      const { signingSecrets } = app.keys;
      const lookAnd = async (meanwhile: () => Promise<unknown>): Promise<void> => {
        app.keys.signingSecrets = () => {
          app.keys.signingSecrets = signingSecrets;
          return meanwhile().then(() => secrets);
        };
        await new RateWatch(app).look();
      };
      await lookAnd(() => closeHold(app, 'release', { provider: 'gmail' }));
      expect(await heldBy.execute()).toEqual([]);
      await db.deleteFrom('provider_holds').execute();
      const via = { channel: 'complaint' as const, source: null };
      await lookAnd(() => suppressAddress(db, secrets, complainer, 'complaint', via, app.now));
      expect(await one.suppressed()).toEqual([complainer]);
      expect(await heldBy.execute()).toHaveLength(5);
    });

    it('lets nobody wait for ever whose bounce is recorded while the hold is closed', async () => {
      const one = await simulate(await open());
      const { db } = one.app.store;
      const { id, subscriberIds } = await one.edition();
      const [late, ...gmail] = subscriberIds.slice(0, 6) as [number];
      await one.bounce(id, gmail, UNKNOWN, 'hard');
      const { closing } = await db.transaction().execute(async (tx) => {
        await holdSubscriber(tx, { id: late, email_key: 'r0@gmail.com', suppressed_reason: null });
        const closing = closeHold(one.app, 'release', { provider: 'gmail' });
        await Promise.race([closing, sleep(300)]);
        return { closing };
      });
      await closing;
      expect(await db.selectFrom('subscribers').select('id').where('held_by', 'is not', null).execute()).toEqual([]);
    });
  });
});
