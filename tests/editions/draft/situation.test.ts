import { describe, expect, it } from 'vitest';
import { draftSituation, needsEditor } from '../../../src/editions/draft/coming-drafts.ts';
import type { DraftState } from '../../../src/editions/draft/decisions.ts';
import { NOW } from '../../support/clock.ts';

const AUTOMATIC: DraftState = { kind: 'automatic' };
const HELD: DraftState = { kind: 'held', by: 'Ada', at: NOW, reason: 'a call is pending' };
const APPROVED: DraftState = { kind: 'approved', by: 'Ben', at: NOW, hash: 'h', stories: [] };
const VALID = { changed: ['one'], gone: [], voided: null };
const VOID = { changed: [], gone: ['lead'], voided: 'its lead lead is no longer available' };

describe('the situation of a draft', () => {
  const cases: [what: string, found: ReturnType<typeof draftSituation>, expected: object, needsEditor: boolean][] = [
    ['untouched', draftSituation({ state: AUTOMATIC, closeAt: null }, 'auto', null), { kind: 'automatic' }, false],
    ['unapproved', draftSituation({ state: AUTOMATIC, closeAt: null }, 'required', null), { kind: 'unapproved' }, true],
    [
      'held',
      draftSituation({ state: HELD, closeAt: null }, 'auto', null),
      { kind: 'held', by: 'Ada', at: NOW, reason: 'a call is pending' },
      true,
    ],
    [
      'approved',
      draftSituation({ state: APPROVED, closeAt: null }, 'required', VALID),
      { kind: 'approved', by: 'Ben', at: NOW, changed: 1, gone: 0 },
      false,
    ],
    [
      'approved in vain',
      draftSituation({ state: APPROVED, closeAt: null }, 'required', VOID),
      { kind: 'void', by: 'Ben', why: VOID.voided, needed: true },
      true,
    ],
    [
      'approved in vain where nobody must approve',
      draftSituation({ state: APPROVED, closeAt: null }, 'auto', VOID),
      { kind: 'void', by: 'Ben', why: VOID.voided, needed: false },
      false,
    ],
    [
      'being sent, whatever its state',
      draftSituation({ state: APPROVED, closeAt: NOW + 1 }, 'required', VALID),
      { kind: 'countdown', closeAt: NOW + 1 },
      false,
    ],
  ];
  it.each(cases)('is told of one that is %s', (_, found, expected, isNeeded) => {
    expect(found).toEqual(expected);
    expect(needsEditor(found)).toBe(isNeeded);
  });
});
