/**
 * Changes of a draft, their log, and how to undo them. A change names the revision of each field that it was decided
 * upon: if somebody has changed the field since, it is refused, and nothing is overwritten.
 */
import { type Draft, type DraftCommand, type DraftField, type FieldValue, fieldValue, withField } from './decisions.ts';

/** What a command wants to change. `base`: the revision of the field that it was decided upon. */
export interface WantedChange {
  field: DraftField;
  value: FieldValue;
  base: number;
}

/** A change of one field. With both sides exchanged it is its own inverse. */
export interface FieldChange {
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
  /** Who gave the command. */
  editor: string;
  command: DraftCommand | { kind: 'undo' } | { kind: 'redo' } | { kind: 'close'; revision: number };
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
  const conflicts = wanted.filter(({ field, base }) => fieldRevision(draft, field) !== base);
  if (conflicts.length > 0) return refuse(draft, conflicts);
  const number = draft.revision + 1;
  const changes = wanted
    .filter(({ field, value }) => !isSame(fieldValue(draft, field), value))
    .map(({ field, value }): FieldChange => {
      return { field, before: fieldValue(draft, field), after: value, from: fieldRevision(draft, field), to: number };
    });
  if (changes.length === 0) return { kind: 'unchanged' };
  return record(draft, changes, author, null);
}

/**
 * Undoes an entry: gives its fields the values that they had before. Undoing an undo is a redo. Refused if one of the
 * fields has been changed since.
 */
export function undoEntry(draft: Draft, entry: LogEntry, author: Author): ChangeOutcome {
  const conflicts = entry.changes.filter(({ field, to }) => fieldRevision(draft, field) !== to);
  if (conflicts.length > 0) {
    return refuse(
      draft,
      conflicts.map(({ field, before }) => ({ field, value: before })),
    );
  }
  const inverse = entry.changes.map(({ field, before, after, from, to }): FieldChange => {
    return { field, before: after, after: before, from: to, to: from };
  });
  return record(draft, inverse, author, entry.number);
}

/**
 * The entry that `undo` concerns: the editor's newest command that is not undone. Null if there is none.
 * @param log the whole log, in order
 */
export function entryToUndo(log: readonly LogEntry[], editor: string): LogEntry | null {
  const undone = undoneNumbers(log);
  const isCandidate = (entry: LogEntry): boolean =>
    entry.editor === editor && entry.undoes === null && entry.command.kind !== 'close' && !undone.has(entry.number);
  return log.findLast(isCandidate) ?? null;
}

/** The entry that `redo` concerns: the editor's newest undo, unless the editor has given another command since. */
export function entryToRedo(log: readonly LogEntry[], editor: string): LogEntry | null {
  const undone = undoneNumbers(log);
  const own = log.filter((entry) => entry.editor === editor && entry.command.kind !== 'close');
  const lastCommand = own.findLast((entry) => entry.undoes === null)?.number ?? 0;
  const isCandidate = ({ number, command }: LogEntry): boolean =>
    command.kind === 'undo' && number > lastCommand && !undone.has(number);
  return own.findLast(isCandidate) ?? null;
}

/** The numbers of the entries that are undone, and not redone. */
export function undoneNumbers(log: readonly LogEntry[]): Set<number> {
  const undone = new Set<number>();
  // From the newest: an undo that is undone itself counts no more.
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

/** Whether the entry withdrew an approval, by itself or with what else it changed. Not so the undo of an approval. */
export function withdrewApproval({ changes, command }: Pick<LogEntry, 'changes' | 'command'>): boolean {
  const withdraws = ({ field, before }: FieldChange): boolean =>
    field === 'state' && (before as Draft['state']).kind === 'approved';
  return changes.some(withdraws) && (changes.length > 1 || command.kind === 'hold');
}

function record(draft: Draft, changes: FieldChange[], author: Author, undoes: number | null): ChangeOutcome {
  const number = draft.revision + 1;
  const withdrawal: FieldChange[] =
    draft.state.kind === 'approved' && !changes.some(({ field }) => field === 'state')
      ? [
          {
            ...{ field: 'state', before: draft.state, after: { kind: 'automatic' } },
            ...{ from: fieldRevision(draft, 'state'), to: number },
          },
        ]
      : [];
  const all = [...changes, ...withdrawal];
  let changed: Draft = { ...draft, revision: number };
  for (const { field, after } of all) changed = withField(changed, field, after);
  const revisions = { ...draft.fieldRevisions };
  for (const { field, to } of all) {
    if (to === 0) delete revisions[field];
    else revisions[field] = to;
  }
  return {
    kind: 'changed',
    draft: { ...changed, fieldRevisions: revisions },
    entry: { number, ...author, changes: all, undoes },
  };
}

function refuse(draft: Draft, conflicts: readonly Pick<WantedChange, 'field' | 'value'>[]): ChangeOutcome {
  return {
    kind: 'refused',
    conflicts: conflicts.map(({ field, value }) => ({ field, wanted: value, current: fieldValue(draft, field) })),
  };
}

/** Values are plain JSON, built with their keys in the same order. */
function isSame(a: FieldValue, b: FieldValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
