import { html } from 'hono/html';
import { describe, expect, it } from 'vitest';
import { draftRow } from '../../../../src/app/desk/today/draft-row.ts';
import type { TodayDraft, TodayNewsletter } from '../../../../src/app/desk/today/read-today.ts';
import { untouchedDraft } from '../../../../src/editions/draft/decisions.ts';
import { HOUR, MINUTE } from '../../../../src/lib/time.ts';
import type { SignedInRequest } from '../../../../src/web/desk/desk-request.ts';
import { NOW } from '../../../support/clock.ts';
import { sampleConfig } from '../../../support/sample.ts';

const config = sampleConfig();
const [NEWSLETTER] = config.newsletters as [TodayNewsletter['newsletter']];
type Draft = TodayDraft;

const SLOT = { label: '2026-11-24', slotAt: NOW + HOUR };

/** The row of a draft as text. */
async function rowOf(change: Partial<Draft>, allowed = true): Promise<string> {
  const draft: Draft = {
    ...{ newsletter: NEWSLETTER, slot: SLOT, draft: untouchedDraft(NEWSLETTER.id, SLOT.label, SLOT.slotAt) },
    ...{ approval: null, obstacle: null, ended: null, edition: null, storyCount: 5 },
    ...{ run: null, skippedAt: null, lost: null },
    ...{ checks: { kind: 'checked', errors: 0, warnings: 0 }, ...change },
  };
  const desk = { base: '/desk', app: { config } };
  const request = { desk, at: NOW, may: () => allowed } as unknown as SignedInRequest;
  const { cells } = draftRow(request, draft, html``);
  return String(await html`${cells.map((cell) => html`${cell} `)}`);
}

const sending = { draft: { ...untouchedDraft(NEWSLETTER.id, SLOT.label, SLOT.slotAt), closeAt: NOW + 40_000 } };
const textOf = (row: string): string => row.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

describe('the row of a draft', () => {
  const states: [what: string, change: Partial<Draft>, expected: string][] = [
    ['automatic', {}, '● Automatic closes by itself today 21:00 , in 1 h 5 stories ● no warnings'],
    [
      'approved, until a colleague changed it',
      { lost: { by: 'Ada', at: NOW - HOUR, cause: 'Ben dropped “Fuel”' } },
      '○ Ada’s approval was withdrawn today 19:00 : Ben dropped “Fuel”. Without one it closes by itself today 21:00',
    ],
    ['being sent', sending, '◐ Sending closes today 20:00 , in 40 s unless that is cancelled Cancel 5 stories'],
    [
      'failed, and tried again',
      { run: { state: 'failed', since: NOW, reason: 'no template', retryAt: NOW + MINUTE } },
      '▲ failed no template; tried again in 1 min',
    ],
    ['closing', { run: { state: 'running', since: NOW, reason: null, retryAt: null } }, '◐ closing'],
    ['being checked', { checks: { kind: 'pending' } }, '◐ being checked'],
    ['wrong', { checks: { kind: 'checked', errors: 1, warnings: 2 } }, '▲ 1 error, 2 warnings'],
    [
      'without a story',
      { storyCount: 0, checks: { kind: 'nothing' } },
      'needs at least 3: nothing is sent at its slot, today 21:00 , in 1 h ▲ 0 stories nothing to check',
    ],
  ];
  it.each(states)('tells of one that is %s', async (_, change, expected) => {
    expect(textOf(await rowOf(change))).toContain(expected);
  });

  it('has neither links nor acts for somebody who may not use them', async () => {
    const row = await rowOf(sending, false);
    expect(row).not.toMatch(/<a |<form/);
  });
});
