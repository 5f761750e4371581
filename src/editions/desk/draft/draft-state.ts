/** The state of an edition in one line: what will happen to it, when, and what it waits for. Pure. */
import { html } from 'hono/html';
import { withDeskWords } from '../../../core/actions.ts';
import type { DeskRequest, Html } from '../../../web/desk/desk-request.ts';
import { type StatusKind, statusMark } from '../../../web/desk/parts/status-mark.ts';
import { fromNow, when } from '../../../web/desk/parts/when.ts';
import { alertEditionDeadline } from '../../alert-newsletters/alert-limits.ts';
import type { StatedDraft } from '../../draft/coming-drafts.ts';
import type { LostApproval } from '../../draft/describe.ts';

export interface EditionState {
  status: StatusKind;
  /** Such as `Held`. */
  word: string;
  /** Text after the word. Instants are epoch milliseconds; `countdown` ones are shown with the time until then. */
  parts: (string | { at: number } | { countdown: number })[];
}

/**
 * Describes an edition at `now`, epoch milliseconds.
 * @param lost the approval that the draft has lost; null if it has lost none, or was approved or held since
 */
export function describeState(draft: StatedDraft, now: number, lost: LostApproval | null = null): EditionState {
  const { newsletter, obstacle, ended, edition, storyCount } = draft;
  const { state, closeAt } = draft.draft;
  if (edition !== null) {
    const parts = ['at ', { at: edition.closedAt }, '. What you change now takes effect when it is reissued.'];
    return { status: 'off', word: 'Closed', parts };
  }
  if (closeAt !== null && obstacle !== null) {
    const parts = ['would close ', { countdown: closeAt }, `, but nothing is sent then: ${obstacle.reason}`];
    return { status: 'bad', word: 'Sending', parts };
  }
  if (closeAt !== null) {
    return { status: 'busy', word: 'Sending', parts: ['closes ', { countdown: closeAt }, ' unless that is cancelled'] };
  }
  if (ended !== null) return { status: 'bad', word: 'Over', parts: [withDeskWords(ended.problem, ended.actions)] };
  if (state.kind === 'held') {
    const reason = state.reason === null ? '' : `: ${state.reason}`;
    return {
      status: 'waiting',
      word: 'Held',
      parts: [`by ${state.by}, `, { at: state.at }, reason, ...givenUp(draft)],
    };
  }
  if (obstacle !== null && obstacle.remedy === null) {
    return { status: 'bad', word: 'Cannot be sent', parts: [obstacle.reason] };
  }
  if (storyCount < newsletter.minimumStories) {
    const count = `${storyCount} ${storyCount === 1 ? 'story' : 'stories'}, and ${newsletter.id} needs`;
    const parts = [`${count} at least ${newsletter.minimumStories}: nothing is sent`, ...closing(draft, now)];
    return { status: 'waiting', word: 'Too few stories', parts };
  }
  const voided = draft.approval?.voided ?? null;
  if (lost !== null) {
    const rest = obstacle !== null || newsletter.kind === 'alert' ? waiting(draft, now) : closesByItself(draft, now);
    const without = obstacle === null ? '. Without one it ' : '. It waits for another, ';
    const parts = [{ at: lost.at }, `: ${lost.cause}`, without, ...rest];
    return { status: 'waiting', word: `${lost.by}’s approval was withdrawn`, parts };
  }
  if (obstacle !== null) {
    const parts = [...(voided === null ? [] : [`the approval does not count: ${voided}; `]), ...waiting(draft, now)];
    return { status: 'waiting', word: 'Waits for approval', parts };
  }
  if (newsletter.kind === 'alert') {
    return {
      status: 'waiting',
      word: 'Not sent yet',
      parts: ['lapses ', { countdown: alertEditionDeadline(draft.slot.slotAt, null) }],
    };
  }
  const parts = closesByItself(draft, now);
  if (voided !== null) {
    return { status: 'waiting', word: 'Approval void', parts: [`${voided}; without an approval it `, ...parts] };
  }
  if (state.kind === 'approved') {
    const gone = goneText(draft.approval?.gone.length ?? 0);
    return { status: 'good', word: 'Approved', parts: [`by ${state.by}, `, { at: state.at }, `; ${gone}`, ...parts] };
  }
  return { status: 'good', word: 'Automatic', parts };
}

/** The mark and the line of a state. */
export function draftStateText(request: DeskRequest, { status, word, parts }: EditionState): Html {
  const line = parts.map((part) => {
    if (typeof part === 'string') return part;
    if ('at' in part) return when(request, part.at);
    return html`${when(request, part.countdown)}, ${fromNow(request, part.countdown)}`;
  });
  return html`${statusMark(status, word)} ${line}`;
}

function goneText(count: number): string {
  if (count === 0) return '';
  return count === 1 ? '1 approved story is gone; ' : `${count} approved stories are gone; `;
}

function closesByItself({ slot }: StatedDraft, now: number): EditionState['parts'] {
  if (slot.slotAt > now) return ['closes by itself ', { countdown: slot.slotAt }];
  return ['late: its slot was ', { at: slot.slotAt }, ', and it closes with the next check of the schedule'];
}

function closing({ slot, newsletter }: StatedDraft, now: number): EditionState['parts'] {
  if (newsletter.kind === 'alert') return [];
  return slot.slotAt > now ? [' at its slot, ', { countdown: slot.slotAt }] : [', its slot was ', { at: slot.slotAt }];
}

function waiting(draft: StatedDraft, now: number): EditionState['parts'] {
  if (draft.newsletter.kind === 'alert')
    return ['or lapses ', { countdown: alertEditionDeadline(draft.slot.slotAt, null) }];
  const { slotAt } = draft.slot;
  return slotAt > now
    ? ['its slot is ', { countdown: slotAt }]
    : ['since its slot, ', { at: slotAt }, ...givenUp(draft)];
}

function givenUp({ skippedAt, newsletter }: StatedDraft): EditionState['parts'] {
  // The line of an alert says until when it can be sent.
  return skippedAt === null || newsletter.kind === 'alert' ? [] : ['; it is given up ', { countdown: skippedAt }];
}
