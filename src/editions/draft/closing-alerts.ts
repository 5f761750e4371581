/** Further records of the transaction that closes an edition: alerts, and the run of a slot that waited for it. */
import type { AlertId } from '../../core/alerts/alert-kind.ts';
import { resolveAlerts, syncAlerts } from '../../core/alerts/alerts.ts';
import { finishWaitingRun } from '../../core/schedule/run-slot.ts';
import type { Tx } from '../../core/store/store.ts';
import { plainLine } from '../../lib/text/clean-text.ts';
import { shorten } from '../../lib/text/shorten.ts';
import type { ComposedEdition } from '../compose.ts';
import { findHeadlines } from '../selection/candidates.ts';
import { newsletterJobId } from '../slot.ts';

const CHANGED = 'approval-changed';

/** About an edition that was to be sent, and was not. */
export function sendAlert(newsletter: string): AlertId {
  return { kind: 'send', subject: { newsletter } };
}

/**
 * Raises an alert if the edition differs from what was approved, or resolves that of an earlier edition. A slot that
 * waits has its edition now: its run ends.
 */
export async function recordClose(tx: Tx, composed: ComposedEdition, now: number): Promise<void> {
  const { newsletter, slot, slotAt, number } = composed;
  const message = await approvalDifference(tx, composed);
  const differing = message === null ? [] : [{ kind: CHANGED, subject: { newsletter, slot }, message }];
  await syncAlerts(tx, CHANGED, differing, now, (subject) => subject.newsletter === newsletter);
  await resolveAlerts(tx, [sendAlert(newsletter)], now);
  await finishWaitingRun(tx, newsletterJobId(newsletter), slotAt, `edition ${number} was closed by hand`, now);
}

/** Stories that a list of an alert names; it counts the rest. */
const NAMED = 10;

/** How an edition differs from what was approved; null where it does not, or nobody approved it. */
async function approvalDifference(
  tx: Tx,
  { newsletter, slot, approval }: Pick<ComposedEdition, 'newsletter' | 'slot' | 'approval'>,
): Promise<string | null> {
  if (approval === null) return null;
  const { by, changed, gone, voided } = approval;
  const edition = `The edition ${newsletter}/${slot} closed`;
  if (voided !== null) return `${edition} by its other decisions: the approval by ${by} is void: ${voided}.`;
  const headlines = await findHeadlines(tx, [...changed.slice(0, NAMED), ...gone.slice(0, NAMED)]);
  const listed = (what: string, ids: readonly string[]): string[] => {
    const names = ids.slice(0, NAMED).map((id) => `“${shorten(plainLine(headlines.get(id) ?? id), MAX_HEADLINE)}”`);
    const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
    return ids.length === 0 ? [] : [`${what}: ${names.join(', ')}${more}`];
  };
  const differences = [...listed('changed since', changed), ...listed('no longer in it', gone)];
  return differences.length === 0 ? null : `${edition} as approved by ${by}, except: ${differences.join('; ')}.`;
}

/** Graphemes of a headline. */
const MAX_HEADLINE = 80;
