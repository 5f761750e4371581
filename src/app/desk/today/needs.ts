/** What needs somebody, so that one line tells whether all is well. Pure. */
import type { AlertId, AlertKind, AlertPage } from '../../../core/alerts/alert-kind.ts';
import { ROLE_ALERT } from '../../../core/schedule/role-alerts.ts';
import { needsEditor } from '../../../editions/draft/coming-drafts.ts';
import { nextPath } from '../../../editions/draft/draft-target.ts';
import { fullEditionName } from '../../../editions/queries.ts';
import { newsletterOfJob } from '../../../editions/slot.ts';
import { formatCount } from '../../../lib/text/count.ts';
import { HOUR } from '../../../lib/time.ts';
import { ALERT_KINDS } from '../../capabilities.ts';
import type { Today, TodayDraft } from './read-today.ts';

export interface Need {
  text: string;
  /** The part of the page that has more. */
  anchor: '#drafts' | '#alerts' | '#missed' | '#processes' | '#sends';
}

/** An edition needs nobody yet whose slot is further away. */
const NEAR = 2 * HOUR;

/** Each once: an alert about a slot is not counted beside what the slot itself needs. */
export function findNeeds(
  { newsletters, alerts, sends, overdue, heldDelivery, processes }: Today,
  now: number,
): Need[] {
  const needs: Need[] = [];
  const counted = new Set<string>();
  for (const { newsletter, drafts } of newsletters) {
    for (const draft of drafts) {
      const texts = draftNeeds(draft, now);
      if (texts.length > 0 && needsEditor(draft)) counted.add(newsletter.id);
      needs.push(...texts.map((text): Need => ({ text: `${newsletter.title} ${text}`, anchor: '#drafts' })));
    }
  }
  const missing = missingRoles(processes);
  for (const alert of alerts) {
    // Counted below.
    if (alert.kind === ROLE_ALERT && missing.length > 0) continue;
    const { title, newsletter } = adviceFor(alert);
    const isAsked = alert.kind === 'waiting' || alert.kind === 'approval-reminder';
    if (!(isAsked && newsletter !== null && counted.has(newsletter))) needs.push({ text: title, anchor: '#alerts' });
  }
  if (overdue.length > 0) needs.push({ text: 'Slots have come that no process has taken', anchor: '#missed' });
  for (const { edition, state, counts } of sends) {
    const isAlerted = alerts.some(
      ({ kind, subject }) =>
        (kind === 'edition' || kind === 'retraction') && subject.edition === edition.id && subject.domain === undefined,
    );
    if (state !== 'paused' || isAlerted) continue;
    const waiting = counts.pending === 1 ? '1 message waits' : `${formatCount(counts.pending)} messages wait`;
    needs.push({ text: `The delivery of ${fullEditionName(edition)} is paused: ${waiting}`, anchor: '#sends' });
  }
  if (heldDelivery !== null) needs.push({ text: 'Nothing is submitted since a restore', anchor: '#sends' });
  needs.push(...missing.map((text): Need => ({ text, anchor: '#processes' })));
  return needs;
}

/** Each continues the name of the newsletter. */
function draftNeeds({ checks, storyCount, newsletter, ...draft }: TodayDraft, now: number): string[] {
  const { state } = draft.draft;
  const texts: string[] = [];
  if (checks.kind === 'failed') texts.push('cannot be rendered');
  if (draft.slot.slotAt - now > NEAR) return texts;
  if (state.kind === 'held') texts.push(`is held by ${state.by}`);
  else if (needsEditor(draft)) texts.push('is not approved');
  if (checks.kind === 'checked' && checks.errors > 0) {
    texts.push(checks.errors === 1 ? 'has an error' : `has ${checks.errors} errors`);
  }
  const { minimumStories } = newsletter;
  if (storyCount < minimumStories) {
    texts.push(`has ${storyCount} of at least ${minimumStories} stories, and would be skipped`);
  }
  return texts;
}

/** Describes the work that stops because no running process has its role. */
export function missingRoles(processes: readonly { roles: string[]; isRunning: boolean }[]): string[] {
  const roles = new Set(processes.filter(({ isRunning }) => isRunning).flatMap((one) => one.roles));
  return [
    ...(roles.has('schedule') ? [] : ['No process has the role schedule: nothing is published or closed']),
    ...(roles.has('deliver') ? [] : ['No process has the role deliver: nothing is submitted']),
  ];
}

export interface NextEdition {
  title: string;
  slotAt: number;
  /** When it closes, as an editor has sent it; null: at its slot. */
  closeAt: number | null;
}

/** The next edition: one that an editor is sending, or the next slot that comes by itself; null where there is none. */
export function nextEdition({ newsletters }: Today, now: number): NextEdition | null {
  const coming = newsletters.flatMap(({ newsletter: { title }, drafts }) =>
    drafts.map(({ slot: { slotAt }, draft: { closeAt } }) => ({ title, slotAt, closeAt })),
  );
  const instantOf = ({ closeAt, slotAt }: NextEdition): number => closeAt ?? slotAt;
  const open = coming.filter(({ closeAt, slotAt }) => closeAt !== null || slotAt > now);
  return open.sort((a, b) => instantOf(a) - instantOf(b))[0] ?? null;
}

export interface AlertAdvice {
  title: string;
  /** Beyond what the alert says itself; null where that says enough. */
  hint: string | null;
  /** The page to go to; null where none helps. */
  link: AlertPage | null;
  /** The newsletter whose next slot it is about, or null. */
  newsletter: string | null;
}

export function adviceFor({ kind, subject }: AlertId): AlertAdvice {
  const { title, hint, page }: AlertKind = ALERT_KINDS.get(kind) ?? { title: 'Alert' };
  const ofJob = subject.job === undefined ? null : newsletterOfJob(String(subject.job));
  const newsletter = kind === 'approval-reminder' ? String(subject.newsletter) : ofJob;
  const next =
    ofJob === null ? null : { label: 'Its next edition', path: nextPath(ofJob), needs: 'editions.read' as const };
  return { title, hint: hint ?? null, link: next ?? page?.(subject) ?? null, newsletter };
}
