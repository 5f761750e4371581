import { beforeEach, describe, expect, it } from 'vitest';
import { NOW } from '../../../scripts/test-edition.ts';
import { liftSuppression } from '../../../src/audience/suppression.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { addConfirmed, subscriptionStates } from '../../audience/fixtures.ts';
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

const ADDRESS = 'subscriber1@example.com';

/** A complaint that quotes our whole message, with its return path below its unsubscribe link. */
function complaint(about: About): Buffer {
  const text = bounceMessage('yahoo-like-complaint', about).toString();
  return Buffer.from(
    text.replace(/^(List-Unsubscribe: .*)$/m, `$1\nReturn-Path: <bounces+${returnToken(about)}@x.example>`),
  );
}

forEachDatabase((open) => {
  let store: Store;
  let about: About;
  beforeEach(async () => {
    store = await open();
    [about] = (await submitEditions(store, 1)) as [About];
  });

  describe('a complaint', () => {
    it('suppresses the subscriber whose return path it names, and ends all subscriptions', async () => {
      // The return path is the last of its tokens, and the only one that counts.
      expect(await handleMail(store, complaint(about))).toMatchObject({ bounce: 'complaint', suppressed: 'complaint' });
      expect(await subscriberState(store, about)).toMatchObject({
        suppressed: 'complaint',
        listed: ['complaint'],
        bounces: ['complaint -'],
        subscription: 'unsubscribed',
      });
    });

    it.each(['yahoo-like-complaint', 'complaint-redacted-header'])(
      'that quotes only an unsubscribe link ends that subscription, and suppresses nobody: %s',
      async (name) => {
        await addConfirmed(store, ADDRESS, ['another']);
        const before = await subscriberState(store, about);
        expect((await handleMail(store, bounceMessage(name, about))).description).toBe(
          'subscriber 1 unsubscribed from daily-roundup',
        );
        expect(await subscriptionStates(store, about.subscriberId)).toEqual({
          another: 'confirmed',
          'daily-roundup': 'unsubscribed',
        });
        const { suppressed, listed, bounces, events } = await subscriberState(store, about);
        expect({ suppressed, listed, bounces }).toEqual({ suppressed: null, listed: [], bounces: [] });
        expect(events).toEqual([...before.events, 'unsubscribed complaint']);
        expect((await handleMail(store, bounceMessage(name, about))).description).toBe(
          'ignored: the subscription had ended before',
        );
      },
    );

    it('is unclear without a token of ours', async () => {
      const bare = bounceMessage('complaint-redacted-header', about).toString().replace('/unsubscribe/', '/x/');
      expect((await handleMail(store, Buffer.from(bare))).description).toBe(
        'not recognised: it refers to none of our messages',
      );
    });

    it('about the same message does not count again after a new opt-in', async () => {
      const message = complaint(about);
      await handleMail(store, message);
      await liftSuppression(store.db, SECRETS, about.subscriberId, { channel: 'confirmation' }, NOW);
      expect((await handleMail(store, message)).description).toBe('ignored: this complaint was recorded before');
      expect((await subscriberState(store, about)).suppressed).toBeNull();
    });

    it('ends subscriptions even if the address bounced before, and only the operator lifts it then', async () => {
      await handleMail(store, bounceMessage('postfix-unknown-user', about));
      await handleMail(store, complaint(about));
      expect(await subscriberState(store, about)).toMatchObject({
        suppressed: 'complaint',
        bounces: ['hard 5.1.1', 'complaint -'],
        subscription: 'unsubscribed',
      });
    });
  });

  describe('a bounce that names only an unsubscribe address', () => {
    const forged = (name: string, about: About): Buffer =>
      Buffer.from(bounceMessage(name, about).toString().replaceAll(returnToken(about), leaveToken(about)));

    it('ends that subscription if it is hard, and suppresses nobody', async () => {
      const outcome = await handleMail(store, forged('postfix-unknown-user', about));
      expect(outcome).toMatchObject({ kind: 'unsubscribed', newsletters: ['daily-roundup'] });
      expect(await subscriberState(store, about)).toMatchObject({
        suppressed: null,
        listed: [],
        bounces: [],
        subscription: 'unsubscribed',
        events: ['unsubscribed bounce'],
      });
    });

    it('changes nothing if it is soft', async () => {
      const before = await subscriberState(store, about);
      expect((await handleMail(store, forged('gmail-over-quota', about))).description).toBe(
        'ignored: a soft bounce that names no return path of ours',
      );
      expect(await subscriberState(store, about)).toEqual(before);
    });
  });

  describe('mail from a person', () => {
    it.each(['mailto-unsubscribe', 'mailto-unsubscribe-by-provider'])(
      'unsubscribes once when it is sent to the mailto: unsubscribe address: %s',
      async (name) => {
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
