import { describe, expect, it } from 'vitest';
import { adviceFor, findNeeds, missingRoles, nextEdition } from '../../../../src/app/desk/today/needs.ts';
import type { Today, TodayNewsletter } from '../../../../src/app/desk/today/read-today.ts';
import type { AlertSubject } from '../../../../src/core/alerts/alert-kind.ts';
import { untouchedDraft } from '../../../../src/editions/draft/decisions.ts';
import { HOUR } from '../../../../src/lib/time.ts';
import { NOW } from '../../../support/clock.ts';
import { sampleConfig } from '../../../support/sample.ts';

const [NEWSLETTER] = sampleConfig().newsletters as [TodayNewsletter['newsletter']];
type Draft = TodayNewsletter['drafts'][number];
const UNTOUCHED = untouchedDraft(NEWSLETTER.id, '2026-11-24', NOW + HOUR);
const PROCESS = { id: '', host: 'h', pid: 1, scope: null, version: '1', startedAt: 0 };
const SEEN = { seenAt: NOW, stoppedAt: null, isRunning: true };
const RUNNING = [{ ...PROCESS, ...SEEN, roles: ['web', 'schedule', 'deliver'] }];

function today(drafts: Partial<Draft>[], change: Partial<Today> = {}): Today {
  const usual: Draft = {
    ...{ newsletter: NEWSLETTER, slot: { label: '2026-11-24', slotAt: NOW + HOUR }, draft: UNTOUCHED },
    ...{ approval: null, obstacle: null, ended: null, edition: null, storyCount: 5 },
    ...{ run: null, skippedAt: null, lost: null },
    checks: { kind: 'checked', errors: 0, warnings: 3 },
  };
  const newsletter = { newsletter: NEWSLETTER, drafts: drafts.map((draft) => ({ ...usual, ...draft })), later: [] };
  return {
    ...{
      newsletters: [newsletter],
      alerts: [],
      sends: [],
      lastEditions: [],
      overdue: [],
      troubled: [],
      heldDelivery: null,
    },
    ...{ processes: RUNNING, ...change },
  };
}

const alert = (kind: string, subject: AlertSubject) => {
  const at = { firstAt: NOW, lastAt: NOW, notifiedAt: null, resolvedAt: null };
  return { kind, subject, message: 'It is so.', actions: [], count: 1, ...at };
};
const texts = (given: Today) => findNeeds(given, NOW).map(({ text }) => text);
const HELD: Partial<Draft> = {
  draft: { ...UNTOUCHED, state: { kind: 'held', by: 'Ada', at: NOW, reason: null } },
  obstacle: { remedy: 'unhold', reason: 'held by Ada' },
};

describe('what needs somebody', () => {
  it('is nothing while drafts close by themselves, whatever warnings they have', () => {
    expect(texts(today([{}]))).toEqual([]);
    expect(nextEdition(today([{}]), NOW)).toEqual({ title: NEWSLETTER.title, slotAt: NOW + HOUR, closeAt: null });
    expect(nextEdition(today([]), NOW)).toBeNull();
  });

  it('is a draft that is held, not approved, wrong or too short, from two hours before its slot on', () => {
    const { title } = NEWSLETTER;
    expect(texts(today([HELD]))).toEqual([`${title} is held by Ada`]);
    expect(texts(today([{ obstacle: { remedy: 'approve', reason: 'not approved' } }]))).toEqual([
      `${title} is not approved`,
    ]);
    const checks = { kind: 'checked', errors: 2, warnings: 0 } as const;
    expect(texts(today([{ checks }]))).toEqual([`${title} has 2 errors`]);
    expect(texts(today([{ storyCount: 2 }]))).toEqual([`${title} has 2 of at least 3 stories, and would be skipped`]);
    const slot = { label: '2026-11-25', slotAt: NOW + 3 * HOUR };
    expect(texts(today([{ ...HELD, slot, checks, storyCount: 2 }]))).toEqual([]);
  });

  it('is an edition that cannot be rendered at any time', () => {
    const slot = { label: '2026-11-25', slotAt: NOW + 30 * HOUR };
    const checks = { kind: 'failed', reason: 'a template is broken' } as const;
    expect(texts(today([{ slot, checks }]))).toEqual([`${NEWSLETTER.title} cannot be rendered`]);
  });

  it('is each alert once, and not one that asks for what the draft needs anyway', () => {
    const alerts = [
      alert('waiting', { job: `newsletter:${NEWSLETTER.id}` }),
      alert('approval-reminder', { newsletter: NEWSLETTER.id, slot: '2026-11-24', minutes: 15 }),
      alert('edition', { edition: 7 }),
    ];
    expect(texts(today([HELD], { alerts }))).toEqual([`${NEWSLETTER.title} is held by Ada`, 'Delivery is paused']);
    expect(texts(today([{}], { alerts }))).toEqual(['A slot waits', 'An approval is needed', 'Delivery is paused']);
  });

  it('is a delivery that is paused, once, with the messages that wait', () => {
    const edition = { id: 17, newsletter: 'daily-roundup', slot: '2026-11-24', revision: 1, supersededBy: null };
    const counts = { pending: 2_998, submitting: 0, submitted: 9, failed: 0, suppressed: 0 };
    const send = { edition, counts, state: 'paused' } as unknown as Today['sends'][number];
    const sends = [send, { ...send, state: 'delivering' as const }];
    expect(texts(today([], { sends }))).toEqual([
      'The delivery of daily-roundup/2026-11-24 is paused: 2,998 messages wait',
    ]);
    expect(texts(today([], { sends, alerts: [alert('edition', { edition: 17 })] }))).toEqual(['Delivery is paused']);
  });

  it('is a slot that nobody took, a restore, and a role without a process', () => {
    const overdue = [{ schedule: 'publish', slotAt: NOW - HOUR, count: 3 }];
    const stopped = { ...PROCESS, ...SEEN, roles: ['schedule', 'deliver'], isRunning: false };
    const needs = findNeeds(today([], { overdue, heldDelivery: 'restored', processes: [stopped] }), NOW);
    expect(needs.map(({ anchor }) => anchor)).toEqual(['#missed', '#sends', '#processes', '#processes']);
    expect(missingRoles(RUNNING)).toEqual([]);
    // Each once: the alert about it is counted only where the list of processes does not say it.
    const alerts = [alert('process', { process: 'p1' })];
    expect(findNeeds(today([], { alerts, processes: [stopped] }), NOW).map(({ anchor }) => anchor)).toEqual([
      '#processes',
      '#processes',
    ]);
    expect(texts(today([], { alerts }))).toEqual(['A process is missing']);
  });
});

describe('the next edition', () => {
  it('is the one that an editor is sending, before one whose slot comes earlier', () => {
    const closeAt = NOW + 2 * HOUR - 1;
    const slot = { label: '2026-11-25', slotAt: NOW + 30 * HOUR };
    const drafts: Partial<Draft>[] = [{ slot, draft: { ...UNTOUCHED, closeAt } }];
    const next = { title: NEWSLETTER.title, slotAt: slot.slotAt, closeAt };
    expect(nextEdition(today(drafts), NOW)).toEqual(next);
    const later = { label: '2026-11-26', slotAt: NOW + 2 * HOUR };
    expect(nextEdition(today([{ slot: later }, ...drafts]), NOW)).toEqual(next);
  });
});

describe('the advice about an alert', () => {
  it.each([
    ['failed', { job: 'newsletter:daily' }, 'A run failed', '/editions/daily/next'],
    ['failed', { job: 'publish:latest' }, 'A run failed', '/runs?schedule=publish%3Alatest'],
    [
      ...(['approval-reminder', { newsletter: 'daily', slot: '2026-11-24-0730', minutes: 60 }] as const),
      ...(['An approval is needed', '/editions/daily/2026-11-24-0730/draft'] as const),
    ],
    [
      ...(['approval-changed', { newsletter: 'daily', slot: '2026-11-24' }] as const),
      ...(['An edition differs from what was approved', '/editions/daily/2026-11-24'] as const),
    ],
    ['send', { newsletter: 'daily' }, 'An edition was not sent', '/editions/daily/next'],
    ['edition', { edition: 17 }, 'Delivery is paused', '/deliveries/17'],
    ['edition', { edition: 17, domain: 'mail.example.com' }, 'Delivery is paused', '/deliveries/17'],
    ['edition', {}, 'Delivery is paused', '/deliveries'],
    ['undelivered', { edition: 17 }, 'Many deliveries failed', '/deliveries/17'],
    ['outlet-held', { source: 'post' }, 'Items of a source wait for a decision', '/sources#source-post'],
    ['withdrawals', { source: 'site' }, 'Many posts of a site are gone', '/sources#source-site'],
    ['hub', {}, 'The hub', '/feeds#hub'],
  ])('of %s about %o', (kind, subject, title, path) => {
    expect(adviceFor({ kind, subject })).toMatchObject({ title, link: { path } });
  });

  it('is none for a kind that it does not know', () => {
    for (const kind of ['', 'unheard-of', 'constructor', '__proto__']) {
      expect(adviceFor({ kind, subject: {} })).toEqual({ title: 'Alert', hint: null, link: null, newsletter: null });
    }
  });
});
