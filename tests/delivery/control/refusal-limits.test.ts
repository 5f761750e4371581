import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RefusalKind } from '../../../src/core/store/tables.ts';
import {
  areServiceMessagesRefused,
  decideDomain,
  decideEdition,
  FINAL_KINDS,
  PASSING_KINDS,
  type RefusalGroup,
} from '../../../src/delivery/control/refusal-limits.ts';

const NOBODY = { isAnyAccepted: false, recipients: 20 };
const SOMEBODY = { isAnyAccepted: true, recipients: 20 };

/** That many recipients of one domain. */
function refused(kind: RefusalKind, count: number, domain = 'example.com', repeated = false): RefusalGroup {
  return { kind, count, domain, repeated };
}

/** The smallest number of recipients of two domains, one of them by `other`, for which a decision is reached. */
function limitOf(decide: (refusals: RefusalGroup[]) => string, kind: RefusalKind): number | undefined {
  return Array.from({ length: 60 }, (_, n) => n + 2).find(
    (count) => decide([refused(kind, count - 1), refused(kind, 1, 'example.org')]) !== 'continue',
  );
}

describe('the limits of an edition', () => {
  it.each<[RefusalKind, number, number, string]>([
    ['policy', 3, 5, 'pause'],
    ['throttled', 3, 5, 'back-off'],
    ['permanent', 20, 50, 'pause'],
    ['temporary', 20, 50, 'back-off'],
    ['uncertain', 20, 50, 'back-off'],
  ])(
    'for refusals of kind %s by two domains are %i before a success and %i after it',
    (kind, first, later, decision) => {
      expect(limitOf((refusals) => decideEdition(refusals, NOBODY), kind)).toBe(first);
      expect(limitOf((refusals) => decideEdition(refusals, SOMEBODY), kind)).toBe(later);
      const many = [refused(kind, 49), refused(kind, 1, 'example.org')];
      expect(decideEdition(many, NOBODY)).toBe(decision);
      expect(decideEdition(many, SOMEBODY)).toBe(decision);
    },
  );

  it('are all of its recipients if there are fewer than 20', () => {
    const two = [refused('permanent', 1), refused('permanent', 1, 'example.org')];
    expect(decideEdition(two, { isAnyAccepted: false, recipients: 3 })).toBe('continue');
    expect(decideEdition(two, { isAnyAccepted: false, recipients: 2 })).toBe('pause');
    const greylisted = [refused('temporary', 1), refused('temporary', 1, 'example.org')];
    expect(decideEdition(greylisted, { isAnyAccepted: false, recipients: 2 })).toBe('continue');
    const three = [refused('temporary', 2), refused('temporary', 1, 'example.org')];
    expect(decideEdition(three, { isAnyAccepted: false, recipients: 3 })).toBe('back-off');
  });

  it('are not reached by one domain, except by policy before any success', () => {
    for (const kind of ['permanent', 'temporary', 'uncertain'] as const) {
      expect(decideEdition([refused(kind, 1_000)], NOBODY)).toBe('continue');
      expect(decideEdition([refused(kind, 1_000)], SOMEBODY)).toBe('continue');
    }
    expect(decideEdition([refused('policy', 3)], NOBODY)).toBe('pause');
    expect(decideEdition([refused('policy', 1_000)], SOMEBODY)).toBe('continue');
  });

  it('do not count recipients again that were refused before, once anyone has got the edition', () => {
    const again = [refused('permanent', 500, 'example.com', true), refused('permanent', 49, 'example.org')];
    expect(decideEdition(again, SOMEBODY)).toBe('continue');
    expect(decideEdition(again, NOBODY)).toBe('pause');
    const byPolicy = [refused('policy', 4, 'example.com', true), refused('policy', 1, 'example.org', true)];
    expect(decideEdition(byPolicy, SOMEBODY)).toBe('pause');
  });

  it('follow the majority of permanent and temporary refusals', () => {
    const mixed = (permanent: number) => [refused('permanent', permanent), refused('temporary', 20 - permanent, 'b')];
    expect(decideEdition(mixed(11), NOBODY)).toBe('pause');
    expect(decideEdition(mixed(10), NOBODY)).toBe('back-off');
  });

  it('are never reached later by more refusals, and never by fewer than two recipients', () => {
    const group = fc.record({
      kind: fc.constantFrom<RefusalKind>(...FINAL_KINDS, ...PASSING_KINDS, 'uncertain'),
      domain: fc.constantFrom('a.example', 'b.example', 'c.example'),
      repeated: fc.boolean(),
      count: fc.integer({ min: 1, max: 30 }),
    });
    const facts = fc.record({ isAnyAccepted: fc.boolean(), recipients: fc.integer({ min: 0, max: 20 }) });
    let reached = 0;
    fc.assert(
      fc.property(fc.array(group, { maxLength: 6 }), group, facts, (groups, more, given) => {
        const total = groups.reduce((sum, { count }) => sum + count, 0);
        if (decideEdition(groups, given) === 'continue') return;
        reached += 1;
        expect(total).toBeGreaterThanOrEqual(2);
        expect(decideEdition([...groups, more], given)).not.toBe('continue');
      }),
    );
    expect(reached).toBeGreaterThan(0);
  });
});

describe('the limits of a domain', () => {
  const decide = (refusals: RefusalGroup[], isDomainAccepted: boolean, facts = SOMEBODY) =>
    decideDomain(refusals, { ...facts, isDomainAccepted });

  it('are 20 recipients without a success in it, and 50 after one', () => {
    expect(decide([refused('permanent', 19)], false)).toBe('continue');
    expect(decide([refused('permanent', 20)], false)).toBe('pause');
    expect(decide([refused('permanent', 49)], true)).toBe('continue');
    expect(decide([refused('permanent', 50)], true)).toBe('pause');
    expect(decide([refused('policy', 20)], true)).toBe('pause');
  });

  it('do not count temporary refusals, nor recipients that were refused before', () => {
    expect(decide([refused('temporary', 500), refused('throttled', 500), refused('uncertain', 500)], false)).toBe(
      'continue',
    );
    expect(decide([refused('permanent', 500, 'example.com', true)], false)).toBe('continue');
  });

  it('are all recipients of an edition for one domain, but at least three', () => {
    for (const [recipients, expected] of [
      [2, 'continue'],
      [3, 'pause'],
    ] as const) {
      const all = [refused('permanent', recipients)];
      expect(decide(all, false, { isAnyAccepted: false, recipients })).toBe(expected);
      expect(decide(all, false, { isAnyAccepted: true, recipients })).toBe('continue');
    }
  });
});

describe('the limit of service messages', () => {
  it('is five recipients of two domains', () => {
    expect(areServiceMessagesRefused(Array(5).fill('a.example'))).toBe(false);
    expect(areServiceMessagesRefused(['b.example', ...Array(3).fill('a.example')])).toBe(false);
    expect(areServiceMessagesRefused(['b.example', ...Array(4).fill('a.example')])).toBe(true);
  });
});
