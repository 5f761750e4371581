import { describe, expect, it } from 'vitest';
import { handleIncomingMail } from '../../../src/delivery/bounces/mail.ts';
import { mailboxToken } from '../../../src/subscribers/tokens/tokens.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { NOW, SECRETS, testConfig } from '../fixture.ts';
import { standingOf, submitEditions, take } from './bounce-fixture.ts';
import { type About, bounceMessage, returnToken } from './bounce-messages.ts';

const config = testConfig();

/** A DSN of a full mailbox about that delivery. */
function softBounce(about: About): Buffer {
  return bounceMessage('gmail-over-quota', about);
}

forEachDatabase((open) => {
  describe('a hard bounce', () => {
    it('suppresses the address at once, and says so without naming it', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const outcome = await take(store, bounceMessage('postfix-unknown-user', about));
      expect(outcome.description).toBe('hard bounce (5.1.1) of subscriber 1; the address is suppressed: hard-bounce');
      expect(await standingOf(store, about)).toEqual({
        suppressed: 'hard-bounce',
        listed: ['hard-bounce'],
        bounces: ['hard 5.1.1'],
        subscription: 'confirmed',
        events: ['suppressed bounce'],
      });
    });

    it('changes nothing more when it comes again', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      await take(store, bounceMessage('postfix-unknown-user', about));
      const before = await standingOf(store, about);
      expect((await take(store, bounceMessage('postfix-unknown-user', about))).description).toBe(
        'ignored: this hard bounce was recorded before',
      );
      expect(await standingOf(store, about)).toEqual(before);
    });

    it('is recorded once where it is taken in twice at the same time', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const message = bounceMessage('postfix-unknown-user', about);
      const outcomes = await Promise.all([1, 2, 3, 4].map(() => take(store, message)));
      expect(outcomes.filter((one) => one.kind === 'bounced')).toHaveLength(1);
      expect((await standingOf(store, about)).bounces).toEqual(['hard 5.1.1']);
    });

    it('of mail of the service counts as well', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const token = mailboxToken(SECRETS, {
        purpose: 'service-bounce',
        messageId: 3,
        subscriberId: about.subscriberId,
      });
      const message = bounceMessage('amazon-like', about).toString().replaceAll(returnToken(about), token);
      expect(await take(store, Buffer.from(message))).toMatchObject({ kind: 'bounced', suppressed: 'hard-bounce' });
      const row = await store.db.selectFrom('bounces').selectAll().executeTakeFirstOrThrow();
      expect(row).toMatchObject({ edition_id: null, service_message_id: 3, subscriber_id: about.subscriberId });
    });

    it('of an erased subscriber changes nothing', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      await store.db.deleteFrom('subscribers').execute();
      expect((await take(store, bounceMessage('postfix-unknown-user', about))).description).toBe(
        'ignored: the subscriber is no longer known',
      );
      expect(await store.db.selectFrom('bounces').selectAll().execute()).toEqual([]);
      expect(await store.db.selectFrom('suppressions').selectAll().execute()).toEqual([]);
    });

    it('that holds what a database cannot keep is kept without it', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const message = bounceMessage('amazon-like', about)
        .toString()
        .replace('user unknown', 'user unknown \u0000\u0007');
      expect((await take(store, Buffer.from(message))).kind).toBe('bounced');
      const { detail } = await store.db.selectFrom('bounces').select('detail').executeTakeFirstOrThrow();
      expect(detail).toBe('550 5.1.1 user unknown');
    });
  });

  describe('the token', () => {
    it('of the envelope is enough, however it was cased', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const blind = bounceMessage('amazon-like', about)
        .toString()
        .replace(/^To: .*$/m, 'To: undisclosed:;');
      expect((await take(store, Buffer.from(blind))).kind).toBe('unclear');
      const envelopeTo = `BOUNCES+${returnToken(about).toUpperCase()}@NEWS.EXAMPLE`;
      expect((await take(store, Buffer.from(blind), envelopeTo)).kind).toBe('bounced');
    });

    it('of the returned message is found where the report came elsewhere', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const elsewhere = bounceMessage('exchange-not-found', about)
        .toString()
        .replace(/^To: .*$/m, 'To: desk@news.example');
      expect((await take(store, Buffer.from(elsewhere))).kind).toBe('bounced');
    });

    it('that was changed in any place changes nothing', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const token = returnToken(about);
      // Every place but the first letter, which tells the purpose, and the last, some of whose bits are not used.
      for (let place = 1; place < token.length - 1; place++) {
        const other = token[place] === 'a' ? 'b' : 'a';
        const forged = token.slice(0, place) + other + token.slice(place + 1);
        const message = bounceMessage('amazon-like', about).toString().replaceAll(token, forged);
        expect((await take(store, Buffer.from(message))).kind).toBe('forged');
      }
      expect(await standingOf(store, about)).toMatchObject({ suppressed: null, bounces: [] });
    });

    it('of another purpose, or made with another secret, changes nothing', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const token = returnToken(about);
      const others = [
        `s${token.slice(1)}`,
        mailboxToken(['another secret, of thirty-two characters at least'], { purpose: 'bounce', ...about }),
      ];
      for (const other of others) {
        const message = bounceMessage('amazon-like', about).toString().replaceAll(token, other);
        expect((await take(store, Buffer.from(message))).description).toBe(
          'forged: its token was not made here, so nothing was changed',
        );
      }
      expect((await standingOf(store, about)).bounces).toEqual([]);
    });

    it('made with the secret before the current one is still good', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const rotated = ['the next secret, of thirty-two characters at least', ...SECRETS] as const;
      const raw = bounceMessage('postfix-unknown-user', about);
      expect((await handleIncomingMail(store, config, rotated, raw, {}, NOW)).kind).toBe('bounced');
    });
  });

  describe('soft bounces', () => {
    it('suppress the address after a run of as many as are allowed, and not before', async () => {
      const store = await open();
      const sent = await submitEditions(store, config.bounces.softLimit);
      const last = sent.at(-1) as About;
      for (const about of sent.slice(0, -1)) await take(store, softBounce(about));
      expect(await standingOf(store, last)).toMatchObject({ suppressed: null, listed: [] });
      expect(await take(store, softBounce(last))).toMatchObject({ kind: 'soft', suppressed: 'soft-bounces' });
      expect(await standingOf(store, last)).toMatchObject({ suppressed: 'soft-bounces', listed: ['soft-bounces'] });
    });

    it('do not add up over a message that was taken', async () => {
      const store = await open();
      const sent = await submitEditions(store, config.bounces.softLimit + 1);
      // The second one of them came through.
      for (const about of sent.filter((_, index) => index !== 1)) await take(store, softBounce(about));
      const standing = await standingOf(store, sent[0] as About);
      expect(standing.bounces).toHaveLength(config.bounces.softLimit);
      expect(standing.suppressed).toBeNull();
    });

    it('do not add up over a message of the service that was taken', async () => {
      const store = await open();
      const sent = await submitEditions(store, config.bounces.softLimit);
      const [first, second] = sent as [About, About];
      await store.db
        .insertInto('service_messages')
        .values({
          kind: 'confirm',
          subscriber_id: first.subscriberId,
          newsletters: '[]',
          state: 'submitted',
          attempts: 1,
          due_at: NOW,
          expires_at: NOW,
          fence: 1,
          created_at: NOW,
          changed_at: await store.db
            .selectFrom('deliveries')
            .select('changed_at')
            .where('edition_id', '=', second.editionId)
            .executeTakeFirstOrThrow()
            .then((row) => row.changed_at - 1),
        })
        .execute();
      for (const about of sent) await take(store, softBounce(about));
      expect((await standingOf(store, first)).suppressed).toBeNull();
    });

    it('may be told in any order', async () => {
      const store = await open();
      const sent = await submitEditions(store, config.bounces.softLimit);
      const outcomes = [];
      for (const about of sent.toReversed()) outcomes.push(await take(store, softBounce(about)));
      expect(outcomes.map((one) => one.kind === 'bounced' && one.suppressed)).toEqual([
        ...Array.from({ length: config.bounces.softLimit - 1 }, () => null),
        'soft-bounces',
      ]);
    });

    it('of the same delivery count once', async () => {
      const store = await open();
      const sent = await submitEditions(store, config.bounces.softLimit);
      const last = sent.at(-1) as About;
      for (let n = 0; n < 2 * config.bounces.softLimit; n++) await take(store, softBounce(last));
      expect(await standingOf(store, last)).toMatchObject({ suppressed: null, bounces: ['soft 5.2.2'] });
    });
  });
});
