/** The commands of an editor, and which fields of a draft each one changes. Pure. */
import { ActionableError } from '../../core/actions.ts';
import { plainLine } from '../../lib/text/clean-text.ts';
import { editionAction } from '../edition-action.ts';
import { MAX_NOTE_LENGTH } from '../rendering/note.ts';
import { approvalHash } from './approval.ts';
import { DRAFT_BLOCKS, type Draft, type DraftBlock, type DraftCommand, type DraftState } from './decisions.ts';
import { fieldRevision, type WantedChange } from './history.ts';

/** A story of the edition as the editor sees it. Other reports of a roundup item's event are not listed. */
export interface VisibleStory {
  id: string;
  block: DraftBlock;
  isRoundupItem: boolean;
}

/** The command does not suit the draft: what is wrong, and what would be right. */
export class DraftCommandError extends ActionableError {
  override name = 'DraftCommandError';
}

export interface PlannedCommand {
  changes: WantedChange[];
  /** Notices for the editor, such as that a story landed elsewhere. */
  notices: string[];
}

/** Characters of what an editor may write. */
const MAX_SUBJECT = 200;
const MAX_PREHEADER = 300;
const MAX_REASON = 200;
/** Far more than an edition has. Queries name each of these stories. */
const MAX_STORY_DECISIONS = 1_000;

/**
 * Decides which fields a command changes.
 * @param shown the edition as it would be now, in display order
 * @param isRoundupItem whether the story of the command is one: it is credited to its outlet in the roundup alone
 * @param base the revision of a field that the editor decided upon; default: the present one
 * @throws DraftCommandError if the command does not suit the draft
 */
export function planCommand(
  draft: Draft,
  command: DraftCommand,
  context: { shown: readonly VisibleStory[]; isRoundupItem: boolean; editor: string; now: number },
  base: (field: WantedChange['field']) => number = (field) => fieldRevision(draft, field),
): PlannedCommand {
  const change = (field: WantedChange['field'], value: WantedChange['value']): WantedChange => {
    return { field, value, base: base(field) };
  };
  if ('story' in command && command.kind !== 'restore') assertRoom(draft, command.story);
  switch (command.kind) {
    case 'subject':
      return only(change('subject', oneLine(draft, 'subject', command.text, MAX_SUBJECT)));
    case 'preheader':
      return only(change('preheader', oneLine(draft, 'preheader', command.text, MAX_PREHEADER)));
    case 'note':
      return only(change('note', severalLines(command.text)));
    case 'drop':
      return only(change(`story:${command.story}`, { kind: 'dropped' }));
    case 'pin':
      return only(change(`story:${command.story}`, { kind: 'pinned' }));
    case 'restore':
      return planRestore(draft, command.story, change);
    case 'move':
      return planMove(command, context, change);
    case 'hold':
      // It must stop the edition in time, even if somebody has approved it meanwhile.
      return only({ field: 'state', value: nextState(draft, command, context), base: fieldRevision(draft, 'state') });
    default:
      return only(change('state', nextState(draft, command, context)));
  }
}

function only(change: WantedChange): PlannedCommand {
  return { changes: [change], notices: [] };
}

/**
 * A story that was dropped returns to its place; one that was moved leaves the order of its block. A block whose last
 * moved story it was is in automatic order again.
 */
function planRestore(
  { decisions }: Draft,
  story: string,
  change: (field: WantedChange['field'], value: WantedChange['value']) => WantedChange,
): PlannedCommand {
  const decisionOn = (id: string) => (Object.hasOwn(decisions.stories, id) ? decisions.stories[id] : undefined);
  const restored = change(`story:${story}`, null);
  if (decisionOn(story)?.kind !== 'placed') return only(restored);
  const orders = DRAFT_BLOCKS.flatMap((block) => {
    const order = decisions.blocks[block];
    if (order === undefined || !order.includes(story)) return [];
    const others = order.filter((id) => id !== story);
    const isMoved = (id: string): boolean => {
      const decision = decisionOn(id);
      return decision?.kind === 'placed' && decision.block === block;
    };
    return change(`block:${block}`, others.some(isMoved) ? others : null);
  });
  return { changes: [restored, ...orders], notices: [] };
}

function planMove(
  { story, block, place }: Extract<DraftCommand, { kind: 'move' }>,
  { shown, isRoundupItem }: { shown: readonly VisibleStory[]; isRoundupItem: boolean },
  change: (field: WantedChange['field'], value: WantedChange['value']) => WantedChange,
): PlannedCommand {
  if (isRoundupItem && block !== 'roundup') {
    throw new DraftCommandError(
      `${story} is a roundup item: it can only be in the block roundup, which credits its outlet`,
    );
  }
  const others = shown.filter((one) => one.block === block && one.id !== story).map(({ id }) => id);
  const placed = change(`story:${story}`, { kind: 'placed', block });
  // There is one lead: the former one goes back to where it would be.
  if (block === 'lead') return { changes: [placed, change('block:lead', [story])], notices: [] };
  const anchor = 'story' in place ? others.indexOf(place.story) : -1;
  const hasLeft = 'story' in place && anchor < 0;
  const at =
    place.kind === 'first'
      ? 0
      : place.kind === 'last' || hasLeft
        ? others.length
        : anchor + (place.kind === 'after' ? 1 : 0);
  const notices = hasLeft ? [`${place.story} is no longer in the block ${block}: ${story} is at its end`] : [];
  return { changes: [placed, change(`block:${block}`, others.toSpliced(at, 0, story))], notices };
}

function nextState(
  { newsletter, slot, state, decisions }: Draft,
  command: Extract<DraftCommand, { kind: 'hold' | 'unhold' | 'approve' }>,
  { editor: by, now: at }: { editor: string; now: number },
): DraftState {
  if (state.kind === 'closed') throw new DraftCommandError('the edition is closed: pause or reissue it instead');
  if (command.kind === 'hold') {
    if (state.kind !== 'held') return { kind: 'held', by, at, reason: reasonOf(command.reason) };
    throw new DraftCommandError(`it is held by ${state.by} already`);
  }
  if (command.kind === 'unhold') {
    if (state.kind === 'held') return { kind: 'automatic' };
    throw new DraftCommandError(`it is not held, but ${state.kind}`);
  }
  if (state.kind === 'held') {
    const letGo = editionAction('unhold', 'let it go first', `${newsletter}/${slot}`);
    throw new DraftCommandError(`it is held by ${state.by}`, [letGo]);
  }
  if (approvalHash(decisions, command.stories) !== command.hash) {
    throw new DraftCommandError('it has changed since you saw it: look at it again, and approve what you see then');
  }
  return { kind: 'approved', by, at, hash: command.hash, stories: command.stories };
}

function assertRoom({ decisions }: Draft, story: string): void {
  const decided = Object.keys(decisions.stories).length;
  if (decided < MAX_STORY_DECISIONS || Object.hasOwn(decisions.stories, story)) return;
  throw new DraftCommandError(`${decided} stories are dropped, pinned or moved, which is the most: restore one first`);
}

function oneLine(
  { newsletter, slot }: Draft,
  name: 'subject' | 'preheader',
  text: string | null,
  limit: number,
): string | null {
  if (text === null) return null;
  const line = plainLine(text);
  if (line !== '') return withinLimit(name, line, limit);
  const command = `editions ${name} ${newsletter}/${slot} --auto`;
  const automatic = { to: 'restore the automatic one', command, desk: '“Back to automatic”' };
  throw new DraftCommandError(`the ${name} is empty`, [automatic]);
}

function reasonOf(text: string | null): string | null {
  if (text === null) return null;
  const line = plainLine(text);
  if (line === '') throw new DraftCommandError('the reason is empty: leave it out, or give one');
  return withinLimit('reason', line, MAX_REASON);
}

function severalLines(text: string | null): string | null {
  const trimmed = text?.toWellFormed().replace(CONTROLS, '').trim() ?? '';
  return trimmed === '' ? null : withinLimit('note', trimmed, MAX_NOTE_LENGTH);
}

// Without line feeds and tabs.
const CONTROLS = /(?![\n\t])\p{Cc}/gu;

function withinLimit(name: string, text: string, limit: number): string {
  if (text.length <= limit) return text;
  throw new DraftCommandError(`the ${name} has ${text.length} characters: at most ${limit} are allowed`);
}

/** @throws DraftCommandError that lists the blocks */
export function parseBlock(name: string): DraftBlock {
  const block = DRAFT_BLOCKS.find((one) => one === name);
  if (block !== undefined) return block;
  throw new DraftCommandError(`there is no block ${name}: the blocks are ${DRAFT_BLOCKS.join(', ')}`);
}
