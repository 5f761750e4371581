import { describe, expect, it } from 'vitest';
import { NOW } from '../../../scripts/test-edition.ts';
import { liftSuppression } from '../../../src/subscribers/suppression.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import {
  type About,
  bounceMessage,
  handleMail,
  leaveToken,
  returnToken,
  submitEditions,
  subscriberState,
} from './bounce-fixture.ts';

forEachDatabase((open) => {
  describe('a complaint', () => {
    it.each(['yahoo-like-complaint', 'complaint-redacted-header'])(
      'suppresses the subscriber whose link is in the message, and ends the subscription: %s',
      async (name) => {
        const store = await open();
        const [about] = (await submitEditions(store, 1)) as [About];
        expect(await handleMail(store, bounceMessage(name, about))).toMatchObject({
          bounce: 'complaint',
          suppressed: 'complaint',
        });
        expect(await subscriberState(store, about)).toMatchObject({
          suppressed: 'complaint',
          listed: ['complaint'],
          bounces: ['complaint -'],
          subscription: 'unsubscribed',
        });
      },
    );

    it('is unclear without a token of ours', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const bare = bounceMessage('complaint-redacted-header', about).toString().replace('/unsubscribe/', '/x/');
      expect((await handleMail(store, Buffer.from(bare))).description).toBe(
        'not recognised: it refers to none of our messages',
      );
    });

    it('that names no message counts again after a new opt-in, and only then', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const message = bounceMessage('complaint-redacted-header', about);
      await handleMail(store, message);
      expect((await handleMail(store, message)).description).toBe('ignored: this complaint was recorded before');
      await liftSuppression(store.db, SECRETS, about.subscriberId, { channel: 'confirmation' }, NOW);
      expect(await handleMail(store, message)).toMatchObject({ bounce: 'complaint', suppressed: 'complaint' });
      expect((await subscriberState(store, about)).suppressed).toBe('complaint');
    });

    it('about the same message does not count again after a new opt-in', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const message = bounceMessage('yahoo-like-complaint', about);
      await handleMail(store, message);
      await liftSuppression(store.db, SECRETS, about.subscriberId, { channel: 'confirmation' }, NOW);
      expect((await handleMail(store, message)).description).toBe('ignored: this complaint was recorded before');
      expect((await subscriberState(store, about)).suppressed).toBeNull();
    });

    it('ends subscriptions even if the address was suppressed before', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      await handleMail(store, bounceMessage('postfix-unknown-user', about));
      await handleMail(store, bounceMessage('yahoo-like-complaint', about));
      expect(await subscriberState(store, about)).toMatchObject({
        suppressed: 'hard-bounce',
        bounces: ['hard 5.1.1', 'complaint -'],
        subscription: 'unsubscribed',
      });
    });
  });

  describe('mail from a person', () => {
    it.each(['mailto-unsubscribe', 'mailto-unsubscribe-by-provider'])(
      'unsubscribes once when it is sent to the mailto: unsubscribe address: %s',
      async (name) => {
        const store = await open();
        const [about] = (await submitEditions(store, 1)) as [About];
        const message = bounceMessage(name, about);
        expect((await handleMail(store, message)).description).toBe('subscriber 1 unsubscribed from daily-roundup');
        expect((await handleMail(store, message)).description).toBe('ignored: the subscription had ended before');
        expect(await subscriberState(store, about)).toMatchObject({
          subscription: 'unsubscribed',
          suppressed: null,
          events: ['unsubscribed mailto'],
        });
      },
    );

    it('is unclear when it is sent to a return path', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      expect((await handleMail(store, bounceMessage('letter-to-return-path', about))).kind).toBe('unclear');
      expect((await subscriberState(store, about)).subscription).toBe('confirmed');
    });
  });

  describe('an automatic reply', () => {
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
      const toUnsubscribe = message.toString().replaceAll(returnToken(about), leaveToken(about));
      expect((await handleMail(store, message)).kind).toMatch(/ignored|unclear/);
      // Not even when it is sent to the mailto: unsubscribe address.
      await handleMail(store, Buffer.from(toUnsubscribe));
      expect(await subscriberState(store, about)).toMatchObject({
        suppressed: null,
        bounces: [],
        subscription: 'confirmed',
      });
    });
  });
});
