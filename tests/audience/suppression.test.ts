import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPreferences } from '../../src/audience/preferences.ts';
import { findSubscriberByAddress } from '../../src/audience/subscriptions.ts';
import {
  findSuppressed,
  findSuppression,
  hashAddress,
  liftSuppression,
  suppressAddress,
  suppressByOperator,
  unsuppressByOperator,
} from '../../src/audience/suppression.ts';
import type { SigningSecrets } from '../../src/core/config/signing-secrets.ts';
import type { SuppressionReason } from '../../src/core/store/tables/subscriber-tables.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { ADA, addConfirmed, consentEvents, NOW, OPERATOR, subscriptionStates } from './fixtures.ts';

const ROTATED: SigningSecrets = ['a newer secret, of thirty-two characters too', ...SECRETS];
const BOUNCE = { channel: 'bounce', source: 'mail.example.com' } as const;

describe('hashAddress', () => {
  it('differs by address and secret, and does not reveal the address', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.emailAddress(), fc.string({ minLength: 32 }), (a, b, secret) => {
        expect(hashAddress(secret, a)).toMatch(/^[0-9a-f]{64}$/);
        expect(hashAddress(secret, a) === hashAddress(secret, b)).toBe(a === b);
        expect(hashAddress(secret, a)).not.toBe(hashAddress(`${secret}.`, a));
      }),
    );
  });
});

describe('the suppression list', () => {
  forEachDatabase((open) => {
    it('stores an address with its reason, and does not change its subscriptions', async () => {
      const store = await open();
      const id = await addConfirmed(store, 'Ada@Example.com');
      expect(await suppressAddress(store.db, SECRETS, id, 'hard-bounce', BOUNCE, NOW + 5)).toBe('suppressed');
      expect(await suppressAddress(store.db, SECRETS, id, 'soft-bounces', BOUNCE, NOW + 9)).toBe('already');
      expect(await findSuppression(store.db, SECRETS, ADA)).toEqual({ reason: 'hard-bounce', at: NOW + 5 });
      expect(await findSubscriberByAddress(store.db, ADA)).toMatchObject({ suppressedReason: 'hard-bounce' });
      expect(await subscriptionStates(store, id)).toEqual({ daily: 'confirmed' });
      expect((await consentEvents(store)).slice(1)).toEqual([
        'suppressed by bounce from mail.example.com (hard-bounce) at 5',
      ]);
      expect(await suppressAddress(store.db, SECRETS, id + 1, 'hard-bounce', BOUNCE, NOW)).toBe('unknown');
    });

    it('ends all subscriptions after a complaint, even if the address is already suppressed', async () => {
      const store = await open();
      const id = await addConfirmed(store, ADA, ['daily', 'weekly']);
      await suppressAddress(store.db, SECRETS, id, 'hard-bounce', BOUNCE, NOW);
      const complaint = { channel: 'complaint' } as const;
      expect(await suppressAddress(store.db, SECRETS, id, 'complaint', complaint, NOW)).toBe('already');
      expect(await subscriptionStates(store, id)).toEqual({ daily: 'unsubscribed', weekly: 'unsubscribed' });
      expect((await consentEvents(store)).slice(-3)).toEqual([
        'unsubscribed daily by complaint',
        'unsubscribed weekly by complaint',
        'suppressed by complaint (complaint)',
      ]);
    });

    it('keeps the strongest reason, in any order: what only the operator lifts, and then the operator', async () => {
      const reasons = ['hard-bounce', 'complaint', 'operator'] as const;
      const store = await open();
      for (const [n, order] of [
        [0, 1, 2],
        [1, 0],
        [0, 1],
        [2, 1, 0],
        [0, 2, 0],
      ].entries()) {
        const id = await addConfirmed(store, `ada${n}@example.com`);
        for (const one of order)
          await suppressAddress(store.db, SECRETS, id, reasons[one] as SuppressionReason, BOUNCE, NOW);
        const strongest = reasons[Math.max(...order)];
        expect(await findSuppression(store.db, SECRETS, `ada${n}@example.com`)).toMatchObject({ reason: strongest });
        expect((await readPreferences(store.db, id))?.suppressedReason).toBe(strongest);
      }
    });

    it('is searched with current and previous secrets', async () => {
      const store = await open();
      const id = await addConfirmed(store);
      await suppressAddress(store.db, SECRETS, id, 'hard-bounce', BOUNCE, NOW);
      expect(await findSuppression(store.db, ROTATED, ADA)).not.toBeNull();
      expect(await findSuppression(store.db, [ROTATED[0]], ADA)).toBeNull();
      expect(await findSuppressed(store.db, ROTATED, ['eve@example.com', ADA, ADA])).toEqual(
        new Map([[ADA, 'hard-bounce']]),
      );
      expect(await findSuppressed(store.db, ROTATED, [])).toEqual(new Map());
      expect(await liftSuppression(store.db, ROTATED, id, OPERATOR, NOW)).toBe(true);
      expect(await findSuppression(store.db, ROTATED, ADA)).toBeNull();
      expect(await liftSuppression(store.db, ROTATED, id, OPERATOR, NOW)).toBe(false);
      expect((await consentEvents(store)).at(-1)).toBe('unsuppressed by operator (hard-bounce)');
    });

    it('finds many addresses at once', async () => {
      const store = await open();
      await suppressByOperator(store.db, SECRETS, 'subscriber6000@example.com', NOW);
      const keys = Array.from({ length: 6_001 }, (_, n) => `subscriber${n}@example.com`);
      expect(await findSuppressed(store.db, ROTATED, keys)).toEqual(
        new Map([['subscriber6000@example.com', 'operator']]),
      );
    });

    it('lets the operator suppress and unsuppress any address', async () => {
      const store = await open();
      await suppressAddress(store.db, SECRETS, await addConfirmed(store), 'hard-bounce', BOUNCE, NOW);
      for (const email of ['Ada@example.com', 'eve@example.com']) {
        expect(await suppressByOperator(store.db, ROTATED, email, NOW)).toEqual({ kind: 'suppressed' });
        expect(await suppressByOperator(store.db, ROTATED, email, NOW)).toEqual({ kind: 'already' });
        expect(await findSuppression(store.db, ROTATED, email.toLowerCase())).toMatchObject({ reason: 'operator' });
        expect(await unsuppressByOperator(store.db, ROTATED, email, NOW)).toEqual({ kind: 'lifted' });
        expect(await unsuppressByOperator(store.db, ROTATED, email, NOW)).toEqual({ kind: 'already' });
        expect(await findSuppression(store.db, ROTATED, email.toLowerCase())).toBeNull();
      }
      expect(await suppressByOperator(store.db, SECRETS, 'eve', NOW)).toEqual({
        kind: 'refused',
        reason: 'eve: it has no @',
      });
      expect(await findSubscriberByAddress(store.db, ADA)).toMatchObject({ suppressedReason: null });
    });
  });
});
