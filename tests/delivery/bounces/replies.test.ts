import { describe, expect, it } from 'vitest';
import { liftSuppression } from '../../../src/subscribers/suppression.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { NOW, SECRETS } from '../fixture.ts';
import { standingOf, submitEditions, take } from './bounce-fixture.ts';
import { type About, bounceMessage, leaveToken, returnToken } from './bounce-messages.ts';

forEachDatabase((open) => {
  describe('a complaint', () => {
    it.each(['yahoo-like-complaint', 'complaint-redacted-header'])(
      'suppresses the reader whose link stands in the message, and ends the subscription: %s',
      async (name) => {
        const store = await open();
        const [about] = (await submitEditions(store, 1)) as [About];
        expect(await take(store, bounceMessage(name, about))).toMatchObject({
          kind: 'complaint',
          suppressed: 'complaint',
        });
        expect(await standingOf(store, about)).toMatchObject({
          suppressed: 'complaint',
          listed: ['complaint'],
          bounces: ['complaint -'],
          subscription: 'unsubscribed',
        });
      },
    );

    it('without any token of ours is left to a person', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const bare = bounceMessage('complaint-redacted-header', about).toString().replace('/unsubscribe/', '/x/');
      expect((await take(store, Buffer.from(bare))).description).toBe('not understood: it names no message of ours');
    });

    it('that names no message counts again after a fresh opt-in, and only then', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const message = bounceMessage('complaint-redacted-header', about);
      await take(store, message);
      expect((await take(store, message)).description).toBe('ignored: this complaint was recorded before');
      await liftSuppression(store.db, SECRETS, about.subscriberId, { channel: 'confirmation' }, NOW);
      expect(await take(store, message)).toMatchObject({ kind: 'complaint', suppressed: 'complaint' });
      expect((await standingOf(store, about)).suppressed).toBe('complaint');
    });

    it('about a message that was complained of before does not', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const message = bounceMessage('yahoo-like-complaint', about);
      await take(store, message);
      await liftSuppression(store.db, SECRETS, about.subscriberId, { channel: 'confirmation' }, NOW);
      expect((await take(store, message)).description).toBe('ignored: this complaint was recorded before');
      expect((await standingOf(store, about)).suppressed).toBeNull();
    });

    it('ends subscriptions even where the address was suppressed before', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      await take(store, bounceMessage('postfix-unknown-user', about));
      await take(store, bounceMessage('yahoo-like-complaint', about));
      expect(await standingOf(store, about)).toMatchObject({
        suppressed: 'hard-bounce',
        bounces: ['hard 5.1.1', 'complaint -'],
        subscription: 'unsubscribed',
      });
    });
  });

  describe('a letter', () => {
    it.each(['mailto-unsubscribe', 'mailto-unsubscribe-by-provider'])(
      'to the address of a reader who wants to leave unsubscribes, twice as well as once: %s',
      async (name) => {
        const store = await open();
        const [about] = (await submitEditions(store, 1)) as [About];
        const message = bounceMessage(name, about);
        expect((await take(store, message)).description).toBe('subscriber 1 unsubscribed from daily-roundup');
        expect((await take(store, message)).description).toBe('ignored: the subscription had ended before');
        expect(await standingOf(store, about)).toMatchObject({
          subscription: 'unsubscribed',
          suppressed: null,
          events: ['unsubscribed mailto'],
        });
      },
    );

    it('to a return path is left to a person', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      expect((await take(store, bounceMessage('letter-to-return-path', about))).kind).toBe('unclear');
      expect((await standingOf(store, about)).subscription).toBe('confirmed');
    });
  });

  describe('a reply of a machine', () => {
    it.each([
      'vacation',
      'outlook-out-of-office',
      'read-receipt',
      'unsigned-holiday-note',
      'postfix-delayed',
      'not-spam',
    ])('changes nothing: %s', async (name) => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const message = bounceMessage(name, about);
      const toLeave = message.toString().replaceAll(returnToken(about), leaveToken(about));
      expect((await take(store, message)).kind).toMatch(/ignored|unclear/);
      // Nor does it leave in the reader's name.
      await take(store, Buffer.from(toLeave));
      expect(await standingOf(store, about)).toMatchObject({
        suppressed: null,
        bounces: [],
        subscription: 'confirmed',
      });
    });
  });
});
