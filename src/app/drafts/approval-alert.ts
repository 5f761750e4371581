/**
 * The alert about an edition that closed with something else than what an editor had approved.
 */
import type { ComposedEdition } from '../../editions/compose.ts';
import { raiseAlert, resolveAlerts } from '../../schedule/alerts.ts';
import type { Tx } from '../../store/store.ts';

/** Raises the alert in the transaction that closes the edition, or resolves that of an earlier edition. */
export async function syncApprovalAlert(tx: Tx, composed: ComposedEdition, now: number): Promise<void> {
  const key = `approval-changed:${composed.newsletter}`;
  const message = approvalDifference(composed);
  if (message === null) await resolveAlerts(tx, [key], now);
  else await raiseAlert(tx, { key, message }, now);
}

/** How an edition differs from what was approved; null where it does not, or nobody approved it. */
export function approvalDifference({
  newsletter,
  slot,
  approval,
}: Pick<ComposedEdition, 'newsletter' | 'slot' | 'approval'>): string | null {
  if (approval === null) return null;
  const { by, changed, gone, voided } = approval;
  const edition = `The edition ${newsletter}/${slot} closed`;
  if (voided !== null) return `${edition} by its other decisions: the approval by ${by} is void: ${voided}.`;
  const differences = [
    ...(changed.length === 0 ? [] : [`changed since: ${listed(changed)}`]),
    ...(gone.length === 0 ? [] : [`not available any more: ${listed(gone)}`]),
  ];
  return differences.length === 0 ? null : `${edition} as approved by ${by}, except: ${differences.join('; ')}.`;
}

/** Of a long list, an alert names the first ones. */
const NAMED = 10;

function listed(ids: readonly string[]): string {
  const more = ids.length - NAMED;
  return ids.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
