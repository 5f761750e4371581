import { describe, expect, it } from 'vitest';
import { closingObstacle } from '../../../src/editions/draft/closing.ts';
import type { DraftState } from '../../../src/editions/draft/decisions.ts';

const AUTOMATIC: DraftState = { kind: 'automatic' };
const HELD: DraftState = { kind: 'held', by: 'Ada', at: 1, reason: null };
const APPROVED: DraftState = { kind: 'approved', by: 'Ada', at: 1, hash: 'x', stories: [] };
const CLOSED: DraftState = { kind: 'closed', at: 1, stories: [] };
const VOID = 'its lead one is no longer available';

describe('what keeps an edition from closing', () => {
  it.each([
    ['an automatic one', AUTOMATIC, null, null, 'not approved'],
    ['a held one', HELD, null, 'held by Ada', 'held by Ada'],
    ['a held one with a reason', { ...HELD, reason: 'legal' }, null, 'held by Ada: legal', 'held by Ada: legal'],
    ['an approved one', APPROVED, null, null, null],
    ['one whose approval is void', APPROVED, VOID, null, `not approved: the approval by Ada is void: ${VOID}`],
    ['a closed one', CLOSED, null, null, null],
  ] as const)('depends on its draft and on whether it must be approved: %s', (_what, state, voided, auto, required) => {
    expect(closingObstacle(state, 'auto', voided)?.reason ?? null).toBe(auto);
    expect(closingObstacle(state, 'required', voided)?.reason ?? null).toBe(required);
  });
});
