import { describe, expect, it } from 'vitest';
import { NOW } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { SuppressionReason } from '../../../src/core/store/tables/subscriber-tables.ts';
import {
  type ClaimedServiceMessage,
  claimServiceMessages,
  markServiceMessage,
  recordServiceOutcome,
  releaseServiceMessages,
} from '../../../src/delivery/queue/service-outbox.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { queueConfirmation, serviceMessagesOf } from '../fixture.ts';

const LEASE = 2 * MINUTE;

async function claim(store: Store, now = NOW, limit = 10): Promise<ClaimedServiceMessage[]> {
  return (await claimServiceMessages(store, { now, limit, leaseMs: LEASE })).messages;
}

async function mark(store: Store, message: ClaimedServiceMessage, now = NOW): Promise<string> {
  return (await markServiceMessage(store.db, message, now, 12 * MINUTE)).kind;
}

describe('the outbox of service messages', () => {
  forBothDatabases((open) => {
    it('returns each message in one claim only, longest due first, and none before it is due', async () => {
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

    it('claims an interrupted message again, and the first claim is lost', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com');
      const [lost] = await claim(store);
      expect(await mark(store, lost!)).toBe('submitting');
      expect(await claim(store, NOW + LEASE)).toEqual([]);
      const [current] = await claim(store, NOW + 12 * MINUTE);
      expect(current).toMatchObject({ attempts: 1, fence: 2 });
      expect(await serviceMessagesOf(store)).toMatchObject([
        { state: 'pending', reason: expect.stringMatching(/^interrupted while submitting/) },
      ]);
      expect(await recordServiceOutcome(store.db, lost!, { kind: 'submitted', reply: '250 late' }, NOW)).toBe(false);
      expect(await mark(store, lost!)).toBe('lost');
      expect(await mark(store, current!)).toBe('submitting');
    });

    it('fails expired messages', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com', { expiresAt: NOW });
      await queueConfirmation(store, 'b@example.com', { expiresAt: NOW + 1 });
      const { messages, expired } = await claimServiceMessages(store, { now: NOW, limit: 9, leaseMs: LEASE });
      expect(expired).toBe(1);
      expect(messages).toMatchObject([{ email: 'b@example.com' }]);
      expect(await serviceMessagesOf(store)).toMatchObject([
        { state: 'failed', reason: 'expired: it could not be submitted before its link ended' },
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
    ])('for an address suppressed by %s sets a message of kind %s to %s', async (reason, kind, expected) => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com', { kind });
      await store.db.updateTable('subscribers').set({ suppressed_reason: reason }).execute();
      const [message] = await claim(store);
      expect(await mark(store, message!)).toBe(expected);
      expect(await serviceMessagesOf(store)).toMatchObject([
        { state: expected, reason: expected === 'suppressed' ? `the address is suppressed: ${reason}` : null },
      ]);
    });

    it('suppresses a notice to an address that waits with a hard bounce', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com', { kind: 'already' });
      await store.db.updateTable('subscribers').set({ held_by: 'example.com' }).execute();
      const [message] = await claim(store);
      expect(await mark(store, message!)).toBe('suppressed');
    });

    it('suppresses a message for a subscriber who no longer exists', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com');
      await store.db.deleteFrom('subscribers').execute();
      const [message] = await claim(store);
      expect(message).toMatchObject({ email: null });
      expect(await mark(store, message!)).toBe('suppressed');
      expect(await serviceMessagesOf(store)).toMatchObject([
        { reason: 'the subscriber no longer exists', lease_until: null },
      ]);
    });

    it('records the outcome of an attempt', async () => {
      const store = await open();
      for (const name of ['a', 'b', 'c', 'd']) await queueConfirmation(store, `${name}@example.com`);
      const messages = await claim(store);
      for (const message of messages) await mark(store, message);
      const [a, b, c, d] = messages;
      const at = NOW + 7;
      await recordServiceOutcome(store.db, a!, { kind: 'submitted', reply: '250 ok' }, at);
      await recordServiceOutcome(
        store.db,
        b!,
        { kind: 'deferred', dueAt: NOW + HOUR, reply: null, reason: 'down' },
        at,
      );
      await recordServiceOutcome(store.db, c!, { kind: 'failed', reply: '550 no', reason: 'unknown' }, at);
      await recordServiceOutcome(store.db, d!, { kind: 'reverted', reply: '530 no', reason: 'refused' }, at);
      const recorded = { lease_until: null, changed_at: at };
      expect(await serviceMessagesOf(store)).toMatchObject([
        { ...recorded, state: 'submitted', attempts: 1, reply: '250 ok', reason: null },
        { ...recorded, state: 'pending', attempts: 1, reply: null, reason: 'down', due_at: NOW + HOUR },
        { ...recorded, state: 'failed', attempts: 1, reply: '550 no', reason: 'unknown' },
        { ...recorded, state: 'pending', attempts: 0, reply: '530 no', reason: 'refused', due_at: NOW },
      ]);
    });

    it('returns released messages in the next claim', async () => {
      const store = await open();
      await queueConfirmation(store, 'a@example.com');
      await releaseServiceMessages(store.db, await claim(store));
      expect(await claim(store)).toMatchObject([{ fence: 2 }]);
    });
  });
});
