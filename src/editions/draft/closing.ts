/**
 * Whether an edition may close, by the state of its draft. Pure.
 */
import type { DraftState } from './decisions.ts';

/**
 * Why an edition must not close yet; null if it may.
 * @param voided why the approval of an approved draft is void, or null
 */
export function closingObstacle(
  state: DraftState,
  approval: 'auto' | 'required',
  voided: string | null,
): string | null {
  if (state.kind === 'held') {
    return state.reason === null ? `held by ${state.by}` : `held by ${state.by}: ${state.reason}`;
  }
  if (approval === 'auto') return null;
  if (state.kind !== 'approved') return 'not approved';
  return voided === null ? null : `not approved: the approval by ${state.by} is void: ${voided}`;
}
