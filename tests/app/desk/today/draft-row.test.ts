import { html } from 'hono/html';
import { describe, expect, it } from 'vitest';
import { draftRow } from '../../../../src/app/desk/today/draft-row.ts';
import type { TodayDraft, TodayNewsletter } from '../../../../src/app/desk/today/read-today.ts';
import { HOUR, MINUTE } from '../../../../src/lib/time.ts';
import type { SignedInRequest } from '../../../../src/web/desk/desk-request.ts';
import { NOW } from '../../../support/clock.ts';
import { sampleConfig } from '../../../support/sample.ts';

const config = sampleConfig();
const [NEWSLETTER] = config.newsletters as [TodayNewsletter['newsletter']];
type Draft = TodayDraft;

/** The row of a draft as text. */
async function rowOf(change: Partial<Draft>, allowed = true): Promise<string> {
  const draft: Draft = {
    ...{ slot: { label: '2026-11-24', slotAt: NOW + HOUR }, situation: { kind: 'automatic' }, revision: 0 },
    ...{ stories: 5, isTooShort: false, run: null, skippedAt: null, lost: null },
    ...{ checks: { kind: 'checked', errors: 0, warnings: 0 }, ...change },
  };
  const desk = { base: '/desk', app: { config } };
  const request = { desk, at: NOW, may: () => allowed } as unknown as SignedInRequest;
  const { cells } = draftRow(request, NEWSLETTER, draft, html``);
  return String(await html`${cells.map((cell) => html`${cell} `)}`);
}

const textOf = (row: string): string => row.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

describe('the row of a draft', () => {
  const approved = { kind: 'approved', by: 'Ben', at: NOW - HOUR } as const;
  const states: [what: string, change: Partial<Draft>, expected: string][] = [
    ['automatic', {}, '● automatic It closes by itself. 5 stories ● no warnings'],
    ['approved', { situation: { ...approved, changed: 0, gone: 0 } }, '● approved by Ben , today 19:00 5 stories'],
    [
      'approved, with stories that changed since',
      { situation: { ...approved, changed: 1, gone: 2 } },
      'Since then: 1 story changed, 2 stories gone.',
    ],
    [
      'approved in vain',
      { situation: { kind: 'void', by: 'Ben', why: 'its lead is gone', needed: true } },
      '▲ approval void The approval by Ben no longer counts: its lead is gone. Approve it again.',
    ],
    [
      'approved in vain where nobody must approve',
      { situation: { kind: 'void', by: 'Ben', why: 'its lead is gone', needed: false } },
      '○ approval void The approval by Ben no longer counts: its lead is gone. It closes by its other decisions.',
    ],
    [
      'approved, until a colleague changed it',
      { lost: { by: 'Ada', at: NOW - HOUR, cause: 'Ben dropped “Fuel”' } },
      '○ approval withdrawn Ada ’s approval was withdrawn today 19:00 : Ben dropped “Fuel” . It closes by itself',
    ],
    [
      'being sent',
      { situation: { kind: 'countdown', closeAt: NOW + 40_000 } },
      '◐ being sent It closes in 40 s . Cancel 5 stories',
    ],
    [
      'failed, and tried again',
      { run: { state: 'failed', since: NOW, reason: 'no template', retryAt: NOW + MINUTE } },
      '▲ failed no template; tried again in 1 min',
    ],
    ['closing', { run: { state: 'running', since: NOW, reason: null, retryAt: null } }, '◐ closing'],
    ['being checked', { checks: { kind: 'pending' } }, '◐ being checked'],
    ['wrong', { checks: { kind: 'checked', errors: 1, warnings: 2 } }, '▲ 1 error, 2 warnings'],
    ['without a story', { stories: 0, isTooShort: true, checks: { kind: 'nothing' } }, '▲ 0 stories It needs 3'],
  ];
  it.each(states)('tells of one that is %s', async (_, change, expected) => {
    expect(textOf(await rowOf(change))).toContain(expected);
  });

  it('has neither links nor acts for somebody who may not use them', async () => {
    const row = await rowOf({ situation: { kind: 'countdown', closeAt: NOW + 40_000 } }, false);
    expect(row).not.toMatch(/<a |<form/);
  });
});
