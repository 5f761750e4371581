import { beforeEach, describe, expect, it } from 'vitest';
import { mailboxToken } from '../../../src/audience/tokens.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf, queueConfirmation, testConfig } from '../fixture.ts';
import {
  type About,
  bounceMessage,
  handleMail,
  returnToken,
  submitEditions,
  subscriberState,
} from './bounce-fixture.ts';

const config = testConfig();

/** A delivery report about a full mailbox. */
function softBounce(about: About): Buffer {
  return bounceMessage('gmail-over-quota', about);
}

forEachDatabase((open) => {
  let store: Store;
  let about: About;
  beforeEach(async () => {
    store = await open();
    [about] = (await submitEditions(store, 1)) as [About];
  });

  describe('a hard bounce', () => {
    it('suppresses the address at once and describes it without the address', async () => {
      const outcome = await handleMail(store, bounceMessage('postfix-unknown-user', about));
      expect(outcome.description).toBe('hard bounce (5.1.1) of subscriber 1; the address is suppressed: hard-bounce');
      expect(await subscriberState(store, about)).toEqual({
        suppressed: 'hard-bounce',
        listed: ['hard-bounce'],
        bounces: ['hard 5.1.1'],
        subscription: 'confirmed',
        events: ['suppressed bounce'],
      });
    });

    it('is recorded once when it is handled four times concurrently', async () => {
      const message = bounceMessage('postfix-unknown-user', about);
      const outcomes = await Promise.all([1, 2, 3, 4].map(() => handleMail(store, message)));
      expect(outcomes.filter((one) => one.kind === 'bounced')).toHaveLength(1);
      expect((await subscriberState(store, about)).bounces).toEqual(['hard 5.1.1']);
    });

    it('of a service message suppresses the address, too', async () => {
      const token = mailboxToken(SECRETS, {
        purpose: 'service-bounce',
        messageId: 3,
        subscriberId: about.subscriberId,
      });
      const message = bounceMessage('amazon-like', about).toString().replaceAll(returnToken(about), token);
      expect(await handleMail(store, Buffer.from(message))).toMatchObject({
        kind: 'bounced',
        suppressed: 'hard-bounce',
      });
      const row = await store.db.selectFrom('bounces').selectAll().executeTakeFirstOrThrow();
      expect(row).toMatchObject({ edition_id: null, service_message_id: 3, subscriber_id: about.subscriberId });
    });

    it('of an erased subscriber changes nothing', async () => {
      await store.db.deleteFrom('subscribers').execute();
      expect((await handleMail(store, bounceMessage('postfix-unknown-user', about))).description).toBe(
        'ignored: the subscriber no longer exists',
      );
      expect(await store.db.selectFrom('bounces').selectAll().execute()).toEqual([]);
      expect(await store.db.selectFrom('suppressions').selectAll().execute()).toEqual([]);
    });

    it('is stored without characters that a database cannot hold', async () => {
      const message = bounceMessage('amazon-like', about)
        .toString()
        .replace('user unknown', 'user unknown \u0000\u0007');
      expect((await handleMail(store, Buffer.from(message))).kind).toBe('bounced');
      const { detail } = await store.db.selectFrom('bounces').select('detail').executeTakeFirstOrThrow();
      expect(detail).toBe('550 5.1.1 user unknown');
    });
  });

  describe('a token', () => {
    it('is accepted from the envelope alone, in any case', async () => {
      const blind = bounceMessage('amazon-like', about)
        .toString()
        .replace(/^To: .*$/m, 'To: undisclosed:;');
      expect((await handleMail(store, Buffer.from(blind))).kind).toBe('unclear');
      const envelopeTo = `BOUNCES+${returnToken(about).toUpperCase()}@NEWS.EXAMPLE`;
      expect((await handleMail(store, Buffer.from(blind), envelopeTo)).kind).toBe('bounced');
    });

    it('is found in the quoted message when the report was sent to another address', async () => {
      const elsewhere = bounceMessage('exchange-not-found', about)
        .toString()
        .replace(/^To: .*$/m, 'To: desk@news.example')
        .replace('List-ID:', `Return-Path: <bounces+${returnToken(about)}@news.example>\nList-ID:`);
      expect((await handleMail(store, Buffer.from(elsewhere))).kind).toBe('bounced');
    });

    it('has no effect when any of its characters was changed', async () => {
      const token = returnToken(about);
      // Not the first character, which names the purpose, and not the last, some of whose bits are unused.
      for (let place = 1; place < token.length - 1; place++) {
        const other = token[place] === 'a' ? 'b' : 'a';
        const forged = token.slice(0, place) + other + token.slice(place + 1);
        const message = bounceMessage('amazon-like', about).toString().replaceAll(token, forged);
        expect((await handleMail(store, Buffer.from(message))).kind).toBe('forged');
      }
      expect(await subscriberState(store, about)).toMatchObject({ suppressed: null, bounces: [] });
    });

    it('has no effect when it is for another purpose or signed with another secret', async () => {
      const token = returnToken(about);
      const others = [
        `s${token.slice(1)}`,
        mailboxToken(['another secret, of thirty-two characters at least'], { purpose: 'bounce', ...about }),
      ];
      for (const other of others) {
        const message = bounceMessage('amazon-like', about).toString().replaceAll(token, other);
        expect((await handleMail(store, Buffer.from(message))).description).toBe(
          'forged: its token is not ours, so nothing was changed',
        );
      }
      expect((await subscriberState(store, about)).bounces).toEqual([]);
    });
  });
});

forEachDatabase((open) => {
  describe('soft bounces', () => {
    it('suppress the address when bounces.softLimit is reached, and not before', async () => {
      const store = await open();
      const submitted = await submitEditions(store, config.bounces.softLimit);
      const last = submitted.at(-1) as About;
      for (const about of submitted.slice(0, -1)) await handleMail(store, softBounce(about));
      expect(await subscriberState(store, last)).toMatchObject({ suppressed: null, listed: [] });
      expect(await handleMail(store, softBounce(last))).toMatchObject({ bounce: 'soft', suppressed: 'soft-bounces' });
      expect(await subscriberState(store, last)).toMatchObject({
        suppressed: 'soft-bounces',
        listed: ['soft-bounces'],
      });
    });

    it('do not add up when an edition between them did not bounce', async () => {
      const store = await open();
      const submitted = await submitEditions(store, config.bounces.softLimit + 1);
      // The second one did not bounce.
      for (const about of submitted.filter((_, index) => index !== 1)) await handleMail(store, softBounce(about));
      const state = await subscriberState(store, submitted[0] as About);
      expect(state.bounces).toHaveLength(config.bounces.softLimit);
      expect(state.suppressed).toBeNull();
    });

    it('do not add up when a service message between them did not bounce', async () => {
      const store = await open();
      const submitted = await submitEditions(store, config.bounces.softLimit);
      const [first, second] = submitted as [About, About];
      await queueConfirmation(store, 'subscriber1@example.com');
      const rows = (await deliveriesOf(store)).filter((row) => row.edition_id === second.editionId);
      const submittedAt = rows[0]!.changed_at - 1;
      await store.db.updateTable('service_messages').set({ state: 'submitted', changed_at: submittedAt }).execute();
      for (const about of submitted) await handleMail(store, softBounce(about));
      expect((await subscriberState(store, first)).suppressed).toBeNull();
    });

    it('may be reported in any order', async () => {
      const store = await open();
      const submitted = await submitEditions(store, config.bounces.softLimit);
      const outcomes = [];
      for (const about of submitted.toReversed()) outcomes.push(await handleMail(store, softBounce(about)));
      expect(outcomes.map((one) => one.kind === 'bounced' && one.suppressed)).toEqual([
        ...Array.from({ length: config.bounces.softLimit - 1 }, () => null),
        'soft-bounces',
      ]);
    });
  });
});
