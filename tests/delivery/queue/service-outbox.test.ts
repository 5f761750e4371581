import { describe, expect, it } from 'vitest';
import {
  type ClaimedServiceMessage,
  claimServiceMessages,
  markServiceMessage,
  recordServiceResult,
  releaseServiceMessages,
} from '../../../src/delivery/queue/service-outbox.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import type { Store } from '../../../src/store/store.ts';
import type { SuppressionReason } from '../../../src/store/tables.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { NOW, queueConfirmation, serviceMessagesOf } from '../fixture.ts';

const LEASE = 2 * MINUTE;

async function claim(store: Store, now = NOW, limit = 10): Promise<ClaimedServiceMessage[]> {
  return (await claimServiceMessages(store, { now, limit, leaseMs: LEASE })).messages;
}

async function mark(store: Store, message: ClaimedServiceMessage, now = NOW): Promise<string> {
  return (await markServiceMessage(store.db, message, now, 12 * MINUTE)).kind;
}

describe('the outbox of the service', () => {
  forEachDatabase((open) => {
    it('gives each message to one claim only, longest due first, and none before it is due', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com');
      await queueConfirmation(store, 'b@example.com', { dueAt: NOW - 1 });
      await queueConfirmation(store, 'c@example.com', { dueAt: NOW + 1 });
      expect(await claim(store, NOW, 1)).toMatchObject([
        { email: 'b@example.com', kind: 'confirm', newsletters: ['daily-roundup'], createdAt: NOW, fence: 1 },
      ]);
      const both = await Promise.all([claim(store), claim(store)]);
      expect(both.flat()).toMatchObject([{ email: 'a@example.com' }]);
      expect(await claim(store)).toEqual([]);
    });

    it('tries again what was interrupted, and refuses the worker that wakes too late', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com');
      const [asleep] = await claim(store);
      expect(await mark(store, asleep!)).toBe('submitting');
      expect(await claim(store, NOW + LEASE)).toEqual([]);
      const [awake] = await claim(store, NOW + 12 * MINUTE);
      expect(awake).toMatchObject({ attempts: 1, fence: 2 });
      expect(await serviceMessagesOf(store)).toMatchObject([
        { state: 'pending', reason: expect.stringMatching(/^interrupted while submitting/) },
      ]);
      expect(await recordServiceResult(store.db, asleep!, { kind: 'submitted', reply: '250 late' }, NOW)).toBe(false);
      expect(await mark(store, asleep!)).toBe('lost');
      expect(await mark(store, awake!)).toBe('submitting');
    });

    it('fails what has expired', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com', { expiresAt: NOW });
      await queueConfirmation(store, 'b@example.com', { expiresAt: NOW + 1 });
      const { messages, expired } = await claimServiceMessages(store, { now: NOW, limit: 9, leaseMs: LEASE });
      expect(expired).toBe(1);
      expect(messages).toMatchObject([{ email: 'b@example.com' }]);
      expect(await serviceMessagesOf(store)).toMatchObject([
        { state: 'failed', reason: 'expired: it could not be submitted before its link was dead' },
        { state: 'pending' },
      ]);
    });

    it.each<[SuppressionReason | null, 'confirm' | 'already', string]>([
      [null, 'confirm', 'submitting'],
      ['hard-bounce', 'confirm', 'submitting'],
      ['soft-bounces', 'confirm', 'submitting'],
      ['erased', 'confirm', 'submitting'],
      ['complaint', 'confirm', 'suppressed'],
      ['operator', 'confirm', 'suppressed'],
      ['hard-bounce', 'already', 'suppressed'],
    ])('with an address suppressed by %s, a message that says "%s" is %s', async (reason, kind, expected) => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com', { kind });
      await store.db.updateTable('subscribers').set({ suppressed_reason: reason }).execute();
      const [message] = await claim(store);
      expect(await mark(store, message!)).toBe(expected);
      expect(await serviceMessagesOf(store)).toMatchObject([
        { state: expected, reason: expected === 'suppressed' ? `the address is suppressed: ${reason}` : null },
      ]);
    });

    it('suppresses what was for a subscriber who is gone', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com');
      await store.db.deleteFrom('subscribers').execute();
      const [message] = await claim(store);
      expect(message).toMatchObject({ email: null });
      expect(await mark(store, message!)).toBe('suppressed');
      expect(await serviceMessagesOf(store)).toMatchObject([{ reason: 'the subscriber is gone', lease_until: null }]);
    });

    it('records how an attempt ended', async () => {
      const store = await open();
      for (const name of ['a', 'b', 'c', 'd']) await queueConfirmation(store, `${name}@example.com`);
      const messages = await claim(store);
      for (const message of messages) await mark(store, message);
      const [a, b, c, d] = messages;
      const at = NOW + 7;
      await recordServiceResult(store.db, a!, { kind: 'submitted', reply: '250 ok' }, at);
      await recordServiceResult(store.db, b!, { kind: 'deferred', dueAt: NOW + HOUR, reply: null, reason: 'down' }, at);
      await recordServiceResult(store.db, c!, { kind: 'failed', reply: '550 no', reason: 'unknown' }, at);
      await recordServiceResult(store.db, d!, { kind: 'returned', reply: '530 no', reason: 'refused' }, at);
      const settled = { lease_until: null, changed_at: at };
      expect(await serviceMessagesOf(store)).toMatchObject([
        { ...settled, state: 'submitted', attempts: 1, reply: '250 ok', reason: null },
        { ...settled, state: 'pending', attempts: 1, reply: null, reason: 'down', due_at: NOW + HOUR },
        { ...settled, state: 'failed', attempts: 1, reply: '550 no', reason: 'unknown' },
        { ...settled, state: 'pending', attempts: 0, reply: '530 no', reason: 'refused', due_at: NOW },
      ]);
    });

    it('gives back claims that nothing was done with', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com');
      await releaseServiceMessages(store.db, await claim(store));
      expect(await claim(store)).toMatchObject([{ fence: 2 }]);
    });
  });
});
