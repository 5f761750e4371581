/** What an alert is about, and where something can be done about it. Pure. */
import type { AlertId, AlertKind, AlertPage } from '../../../core/alerts/alert-kind.ts';
import { nextPath } from '../../../editions/draft/draft-target.ts';
import { newsletterOfJob } from '../../../editions/slot.ts';
import { ALERT_KINDS } from '../../capabilities.ts';

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
