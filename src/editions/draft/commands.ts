/**
 * The commands of an editor, and which fields of a draft each one changes. Pure.
 */
import { plainLine } from '../rendering/headline.ts';
import { MAX_NOTE_LENGTH } from '../rendering/note.ts';
import { DRAFT_BLOCKS, type Draft, type DraftBlock, type DraftCommand, type DraftState } from './decisions.ts';
import { fieldRevision, type WantedChange } from './history.ts';

/** A story of the edition as the editor sees it. Other reports of a roundup item's event are not listed. */
export interface VisibleStory {
  id: string;
  block: DraftBlock;
  isRoundupItem: boolean;
}

/** The command does not suit the draft: what is wrong, and what would be right. */
export class DraftCommandError extends Error {
  override name = 'DraftCommandError';
}

export interface PlannedCommand {
  changes: WantedChange[];
  /** What the editor should know, such as that a story landed elsewhere. */
  notices: string[];
}

const MAX_SUBJECT = 200;
const MAX_PREHEADER = 300;

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
  switch (command.kind) {
    case 'subject':
      return only(change('subject', oneLine('subject', command.text, MAX_SUBJECT)));
    case 'preheader':
      return only(change('preheader', oneLine('preheader', command.text, MAX_PREHEADER)));
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
    default:
      return only(change('state', nextState(draft.state, command, context)));
  }
}

function only(change: WantedChange): PlannedCommand {
  return { changes: [change], notices: [] };
}

/** A story that was dropped returns to its place; one that was moved leaves the order of its block. */
function planRestore(
  { decisions }: Draft,
  story: string,
  change: (field: WantedChange['field'], value: WantedChange['value']) => WantedChange,
): PlannedCommand {
  const decision = Object.hasOwn(decisions.stories, story) ? decisions.stories[story] : undefined;
  const orders =
    decision?.kind === 'placed' ? DRAFT_BLOCKS.filter((one) => decisions.blocks[one]?.includes(story)) : [];
  const changes = orders.map((block) =>
    change(`block:${block}`, decisions.blocks[block]?.filter((id) => id !== story) ?? null),
  );
  return { changes: [change(`story:${story}`, null), ...changes], notices: [] };
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
  const notices = hasLeft ? [`${place.story} is not in the block ${block} any more: ${story} is at its end`] : [];
  return { changes: [placed, change(`block:${block}`, others.toSpliced(at, 0, story))], notices };
}

function nextState(
  state: DraftState,
  command: Extract<DraftCommand, { kind: 'hold' | 'unhold' | 'approve' }>,
  { editor: by, now: at }: { editor: string; now: number },
): DraftState {
  if (state.kind === 'closed') throw new DraftCommandError('the edition is closed: pause or reissue it instead');
  if (command.kind === 'hold') {
    if (state.kind !== 'held') return { kind: 'held', by, at, reason: oneLine('reason', command.reason, MAX_SUBJECT) };
    throw new DraftCommandError(`it is held by ${state.by} already`);
  }
  if (command.kind === 'unhold') {
    if (state.kind === 'held') return { kind: 'automatic' };
    throw new DraftCommandError(`it is not held, but ${state.kind}`);
  }
  if (state.kind === 'held') throw new DraftCommandError(`it is held by ${state.by}: let it go with "unhold" first`);
  return { kind: 'approved', by, at, hash: command.hash, stories: command.stories };
}

function oneLine(name: string, text: string | null, limit: number): string | null {
  if (text === null) return null;
  const line = plainLine(text);
  if (line === '') throw new DraftCommandError(`the ${name} is empty: to restore the automatic one, use --auto`);
  return withinLimit(name, line, limit);
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
