import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextState, type SubscriptionChange, type SubscriptionState } from '../../../src/audience/consent/states.ts';

describe('a subscription', () => {
  it.each<[SubscriptionState | null, SubscriptionChange, SubscriptionState | null]>([
    [null, 'requested', 'unconfirmed'],
    [null, 'confirmed', 'confirmed'],
    [null, 'unsubscribed', null],
    ['unconfirmed', 'requested', 'unconfirmed'],
    ['unconfirmed', 'confirmed', 'confirmed'],
    ['unconfirmed', 'unsubscribed', 'unsubscribed'],
    ['confirmed', 'requested', 'confirmed'],
    ['confirmed', 'confirmed', 'confirmed'],
    ['confirmed', 'unsubscribed', 'unsubscribed'],
    ['unsubscribed', 'requested', 'unconfirmed'],
    ['unsubscribed', 'confirmed', 'confirmed'],
    ['unsubscribed', 'unsubscribed', 'unsubscribed'],
  ])('that is %s and then %s is %s', (state, change, after) => {
    expect(nextState(state, change)).toBe(after);
  });

  it('is confirmed only if no unsubscription followed the confirmation', () => {
    const change = fc.constantFrom<SubscriptionChange>('requested', 'confirmed', 'unsubscribed');
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const state = changes.reduce<SubscriptionState | null>((before, next) => nextState(before, next), null);
        const since = changes.slice(changes.lastIndexOf('unsubscribed') + 1);
        expect(state === 'confirmed').toBe(since.includes('confirmed'));
      }),
    );
  });
});
