/**
 * What keeps an edition from closing, by the state of its draft. Pure. The schedule lets a slot wait for that long, at
 * most until its grace period is over.
 */
import type { DraftState } from './decisions.ts';

export interface ClosingObstacle {
  /** The command that would remove it; null where none would. */
  remedy: 'unhold' | 'approve' | null;
  /** In one line, such as `held by Ada`. */
  reason: string;
}

/**
 * Why an edition must not close yet; null if it may. An approval that is void counts as none.
 * @param voided why the approval of an approved draft is void, or null
 */
export function closingObstacle(
  state: DraftState,
  approval: 'auto' | 'required',
  voided: string | null,
): ClosingObstacle | null {
  if (state.kind === 'held') {
    const reason = state.reason === null ? `held by ${state.by}` : `held by ${state.by}: ${state.reason}`;
    return { remedy: 'unhold', reason };
  }
  if (approval === 'auto' || state.kind === 'closed') return null;
  if (state.kind !== 'approved') return { remedy: 'approve', reason: 'not approved' };
  if (voided === null) return null;
  return { remedy: 'approve', reason: `not approved: the approval by ${state.by} is void: ${voided}` };
}
