/**
 * How the draft of a slot stands that has no edition yet: what happens at its slot, and who must act before. Pure.
 */
import type { Draft } from './decisions.ts';

/** Instants are epoch milliseconds. */
export type DraftSituation =
  /** An editor has sent it: it closes at `closeAt`, unless that is cancelled. */
  | { kind: 'countdown'; closeAt: number }
  | { kind: 'held'; by: string; at: number; reason: string | null }
  /** It was approved, but the approval does not count any more. `needed`: that keeps it from closing. */
  | { kind: 'void'; by: string; why: string; needed: boolean }
  /** `changed`: stories whose content is another one since; `gone`: stories that cannot be shown any more. */
  | { kind: 'approved'; by: string; at: number; changed: number; gone: number }
  /** It needs an approval. */
  | { kind: 'unapproved' }
  /** It closes at its slot by itself. */
  | { kind: 'automatic' };

/** What an approval is worth now, as `ApprovalStatus` of an arranged edition. */
interface ApprovalWorth {
  changed: readonly string[];
  gone: readonly string[];
  voided: string | null;
}

/**
 * @param draft not closed
 * @param rule whether editions of the newsletter need an approval
 * @param worth null unless the draft is approved
 */
export function draftSituation(
  { state, closeAt }: Pick<Draft, 'state' | 'closeAt'>,
  rule: 'auto' | 'required',
  worth: ApprovalWorth | null,
): DraftSituation {
  if (closeAt !== null) return { kind: 'countdown', closeAt };
  if (state.kind === 'held') return { kind: 'held', by: state.by, at: state.at, reason: state.reason };
  if (state.kind === 'approved') {
    const { by, at } = state;
    if (worth !== null && worth.voided !== null) {
      return { kind: 'void', by, why: worth.voided, needed: rule === 'required' };
    }
    return { kind: 'approved', by, at, changed: worth?.changed.length ?? 0, gone: worth?.gone.length ?? 0 };
  }
  return { kind: rule === 'required' ? 'unapproved' : 'automatic' };
}

/** Whether the edition does not close unless an editor acts. */
export function needsEditor(situation: DraftSituation): boolean {
  return (
    situation.kind === 'held' || situation.kind === 'unapproved' || (situation.kind === 'void' && situation.needed)
  );
}
