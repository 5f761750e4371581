/**
 * Changes of a draft, their log, and how to undo them. A change names the revision of each field that it was decided
 * upon: if somebody has changed the field since, it is refused, and nothing is overwritten.
 */
import { approvalHash } from './approval.ts';
import {
  type Draft,
  type DraftCommand,
  type DraftField,
  type DraftState,
  type FieldValue,
  fieldValue,
  type ListedStory,
  type StoryDecision,
  withField,
} from './decisions.ts';

/** What a command wants to change. `base`: the revision of the field that it was decided upon. */
export interface WantedChange {
  field: DraftField;
  value: FieldValue;
  base: number;
}

/** A change of one field. With both sides exchanged it is its own inverse. */
interface FieldChange {
  field: DraftField;
  before: FieldValue;
  after: FieldValue;
  /** Revision of the field before the change, and after it: an undo gives back the former one. */
  from: number;
  to: number;
}

export interface LogEntry {
  /** From 1, without gaps. */
  number: number;
  /** Epoch milliseconds. */
  at: number;
  /** Editor who gave the command. */
  editor: string;
  command:
    | DraftCommand
    | { kind: 'undo' | 'redo' }
    | { kind: 'close'; revision: number }
    /** It closes before its slot; or no longer. */
    | { kind: 'send'; closeAt: number }
    | { kind: 'cancel' };
  changes: FieldChange[];
  /** The number of the entry that it undoes; of an undo, for a redo. */
  undoes: number | null;
}

/** Somebody else has changed the field since. */
export interface DraftConflict {
  field: DraftField;
  /** The refused value. */
  wanted: FieldValue;
  /** The value in the draft. */
  current: FieldValue;
}

export type ChangeOutcome =
  | { kind: 'changed'; draft: Draft; entry: LogEntry }
  | { kind: 'refused'; conflicts: DraftConflict[] }
  /** The draft has these values already. */
  | { kind: 'unchanged' };

type Author = Pick<LogEntry, 'at' | 'editor' | 'command'>;

/** The revision of a field: the number of the log entry that it has its value from; 0 if nobody has changed it. */
export function fieldRevision({ fieldRevisions }: Pick<Draft, 'fieldRevisions'>, field: DraftField): number {
  return Object.hasOwn(fieldRevisions, field) ? (fieldRevisions[field] as number) : 0;
}

/**
 * Changes a draft: all wanted fields, or none. Changing the decisions of an approved draft withdraws its approval,
 * because only what an editor has seen is approved.
 */
export function changeDraft(draft: Draft, wanted: readonly WantedChange[], author: Author): ChangeOutcome {
  // Two editors who want the same do not contradict each other.
  // Values are plain JSON, built with their keys in the same order.
  const differing = wanted.filter(
    ({ field, value }) => JSON.stringify(fieldValue(draft, field)) !== JSON.stringify(value),
  );
  if (differing.length === 0) return { kind: 'unchanged' };
  const conflicts = differing.filter(({ field, base }) => fieldRevision(draft, field) !== base);
  if (conflicts.length > 0) return refuse(draft, conflicts);
  const number = draft.revision + 1;
  const changes = differing.map(({ field, value }): FieldChange => {
    return { field, before: fieldValue(draft, field), after: value, from: fieldRevision(draft, field), to: number };
  });
  // An approval that was planned before somebody else's change.
  if (!isApprovalOf(changes, applyChanges(draft, changes))) return refuse(draft, differing);
  return record(draft, changes, author, null);
}

/**
 * Undoes an entry: gives its fields the values that they had before. Undoing an undo is a redo. Refused if one of the
 * fields has been changed since. An approval comes back only for the decisions that it was given for.
 */
export function undoEntry(draft: Draft, entry: LogEntry, author: Author): ChangeOutcome {
  const isCurrent = ({ field, to }: FieldChange): boolean => fieldRevision(draft, field) === to;
  const conflicts = entry.changes.filter((change) => !isCurrent(change) && !isImplied(entry, change));
  if (conflicts.length > 0) return refuseUndo(draft, conflicts);
  const inverse = entry.changes.filter(isCurrent).map(({ field, before, after, from, to }): FieldChange => {
    return { field, before: after, after: before, from: to, to: from };
  });
  if (isApprovalOf(inverse, applyChanges(draft, inverse))) return record(draft, inverse, author, entry.number);
  const isState = ({ field }: FieldChange): boolean => field === 'state';
  const others = inverse.filter((change) => !isState(change));
  return others.length === 0 ? refuseUndo(draft, entry.changes) : record(draft, others, author, entry.number);
}

/**
 * Closes a draft with its edition. Its order, pins and moves end: those made later are for a reissue. Drops remain.
 * Commands about stories that came before can no longer be undone.
 * @param close.editionRevision of the edition, from 1
 */
export function closeWith(
  draft: Draft,
  close: { stories: ListedStory[]; editionRevision: number; now: number },
): { draft: Draft; entry: LogEntry } {
  const { stories, editionRevision, now: at } = close;
  const number = draft.revision + 1;
  const change = (field: DraftField, after: FieldValue): FieldChange => {
    return { field, before: fieldValue(draft, field), after, from: fieldRevision(draft, field), to: number };
  };
  const isDropped = (value: FieldValue): boolean => kindOf(value) === 'dropped';
  const ended = (Object.keys(draft.fieldRevisions) as DraftField[])
    .filter((field) => field.startsWith('block:') || field.startsWith('story:'))
    .map((field) => change(field, isDropped(fieldValue(draft, field)) ? fieldValue(draft, field) : null));
  const changes = [change('state', { kind: 'closed', at, stories }), ...ended];
  const command: LogEntry['command'] = { kind: 'close', revision: editionRevision };
  return {
    draft: { ...applyChanges({ ...draft, revision: number }, changes), closeAt: null },
    entry: { number, at, editor: 'daywire', command, changes, undoes: null },
  };
}

/**
 * The entry that `undo` concerns: the editor's newest command or redo that is not undone. An approval or a hold that
 * another command has ended is not there to undo. Null if there is none.
 * @param log the whole log, in order
 */
export function entryToUndo(log: readonly LogEntry[], editor: string): LogEntry | null {
  const undone = undoneNumbers(log);
  const state = log.findLast((entry) => stateChange(entry) !== undefined);
  const current = state && stateChange(state);
  const isOver = (entry: LogEntry): boolean =>
    kindOf(current?.after ?? null) === 'automatic' &&
    entry.changes.every(({ field, to }) => field === 'state' && to !== current?.to);
  const isCandidate = (entry: LogEntry): boolean =>
    entry.editor === editor && entry.command.kind !== 'undo' && isDecision(entry) && !undone.has(entry.number);
  return log.findLast((entry) => isCandidate(entry) && !isOver(entry)) ?? null;
}

/**
 * The entry of a number, if the editor may undo it: a command of their own, or a redo, that is not undone.
 * @param log the whole log, in order
 */
export function entryToUndoByNumber(log: readonly LogEntry[], editor: string, number: number): LogEntry | null {
  const entry = log.find((one) => one.number === number);
  if (entry === undefined || entry.editor !== editor || entry.command.kind === 'undo' || !isDecision(entry))
    return null;
  return undoneNumbers(log).has(number) ? null : entry;
}

/** The entry that `redo` concerns: the editor's newest undo, unless the editor has given another command since. */
export function entryToRedo(log: readonly LogEntry[], editor: string): LogEntry | null {
  const undone = undoneNumbers(log);
  const own = log.filter((entry) => entry.editor === editor && isDecision(entry));
  const lastCommand = own.findLast((entry) => entry.undoes === null)?.number ?? 0;
  const isCandidate = ({ number, command }: LogEntry): boolean =>
    command.kind === 'undo' && number > lastCommand && !undone.has(number);
  return own.findLast(isCandidate) ?? null;
}

/** The command that an undo or a redo is about in the end: of an undo of a redo of a drop, the drop. */
export function originalCommand(log: readonly LogEntry[], entry: LogEntry): LogEntry {
  let found = entry;
  for (const one of log.toReversed()) if (one.number === found.undoes) found = one;
  return found;
}

/** Whether the entry changed what editors decide; closing and sending do not, and cannot be undone. */
function isDecision({ command }: LogEntry): boolean {
  return command.kind !== 'close' && command.kind !== 'send' && command.kind !== 'cancel';
}

/** The numbers of the entries that are undone, and not redone. */
export function undoneNumbers(log: readonly LogEntry[]): Set<number> {
  const undone = new Set<number>();
  // From the newest: an undo that is itself undone does not count.
  for (const { number, undoes } of log.toReversed()) if (undoes !== null && !undone.has(number)) undone.add(undoes);
  return undone;
}

/**
 * The revision of a field that an editor knows: as it was when they looked, or as they changed it since.
 * @param log the whole log, in order
 * @param seen the draft's revision when the editor looked
 */
export function knownRevision(log: readonly LogEntry[], field: DraftField, editor: string, seen: number): number {
  let known = 0;
  for (const entry of log) {
    const change = entry.changes.find((one) => one.field === field);
    if (change === undefined) continue;
    const isOwn = entry.editor === editor && change.from === known;
    if (entry.number <= seen || isOwn) known = change.to;
  }
  return known;
}

/** Whether the entry withdrew an approval: with a change of decisions, or with a hold. */
export function withdrewApproval({ changes, command }: Pick<LogEntry, 'changes' | 'command'>): boolean {
  const isWithdrawal = (change: FieldChange): boolean => command.kind === 'hold' || isImplied({ changes }, change);
  return changes.some((change) => kindOf(change.before) === 'approved' && isWithdrawal(change));
}

/** The ids of the stories that a command names. */
export function storiesOf({ command }: Pick<LogEntry, 'command'>): string[] {
  if (!('story' in command)) return [];
  return 'place' in command && 'story' in command.place ? [command.story, command.place.story] : [command.story];
}

/** An approval that a later command has withdrawn. */
export interface WithdrawnApproval {
  /** Editor who had approved the edition. */
  by: string;
  /** The command that withdrew it. */
  entry: LogEntry;
}

/**
 * The approval that a draft has lost by a change of its decisions: nobody has approved, held or closed it since.
 * @param log at least the entry that the state comes from, if there is one
 */
export function withdrawnApproval(draft: Draft, log: readonly LogEntry[]): WithdrawnApproval | null {
  if (draft.state.kind !== 'automatic') return null;
  const revision = fieldRevision(draft, 'state');
  const entry = log.find(({ number }) => number === revision);
  const by = entry === undefined ? null : approverWithdrawn(entry);
  return entry === undefined || by === null ? null : { by, entry };
}

/** Returns the editor whose approval the entry withdrew; null if it withdrew none. */
export function approverWithdrawn(entry: Pick<LogEntry, 'changes' | 'command'>): string | null {
  const before = entry.changes.find(({ field }) => field === 'state')?.before;
  return withdrewApproval(entry) ? (before as Extract<DraftState, { kind: 'approved' }>).by : null;
}

/** Whether the change came with another: a change of decisions that withdrew an approval, or its undo. */
function isImplied({ changes }: Pick<LogEntry, 'changes'>, { field, before, after }: FieldChange): boolean {
  return field === 'state' && changes.length > 1 && [before, after].some((state) => kindOf(state) === 'automatic');
}

function stateChange({ changes }: Pick<LogEntry, 'changes'>): FieldChange | undefined {
  return changes.find(({ field }) => field === 'state');
}

/** The kind of a state, or of a decision about a story; null of other values. */
function kindOf(value: FieldValue): (DraftState | StoryDecision)['kind'] | null {
  return value !== null && typeof value === 'object' && 'kind' in value ? value.kind : null;
}

/** Whether the changes approve nothing, or what the draft then says. */
function isApprovalOf(changes: readonly FieldChange[], { state, decisions }: Draft): boolean {
  if (state.kind !== 'approved' || !changes.some(({ field }) => field === 'state')) return true;
  return approvalHash(decisions, state.stories) === state.hash;
}

/** Writes to the log, too, that the change of an approved draft withdraws its approval. */
function record(draft: Draft, changes: FieldChange[], author: Author, undoes: number | null): ChangeOutcome {
  const number = draft.revision + 1;
  const isWithdrawn = draft.state.kind === 'approved' && !changes.some(({ field }) => field === 'state');
  const withdrawal: FieldChange = {
    ...{ field: 'state', before: draft.state, after: { kind: 'automatic' } },
    ...{ from: fieldRevision(draft, 'state'), to: number },
  };
  const all = isWithdrawn ? [...changes, withdrawal] : changes;
  const changed = applyChanges({ ...draft, revision: number }, all);
  return { kind: 'changed', draft: changed, entry: { number, ...author, changes: all, undoes } };
}

function applyChanges(draft: Draft, changes: readonly FieldChange[]): Draft {
  let changed = draft;
  const fieldRevisions = { ...draft.fieldRevisions };
  for (const { field, after, to } of changes) {
    changed = withField(changed, field, after);
    if (to === 0) delete fieldRevisions[field];
    else fieldRevisions[field] = to;
  }
  return { ...changed, fieldRevisions };
}

function refuseUndo(draft: Draft, changes: readonly FieldChange[]): ChangeOutcome {
  const conflicts = changes.map(({ field, before }) => ({ field, value: before }));
  return refuse(draft, conflicts);
}

function refuse(draft: Draft, conflicts: readonly Pick<WantedChange, 'field' | 'value'>[]): ChangeOutcome {
  return {
    kind: 'refused',
    conflicts: conflicts.map(({ field, value }) => ({ field, wanted: value, current: fieldValue(draft, field) })),
  };
}
