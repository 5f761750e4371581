/**
 * Two editors who give random commands to one draft, each upon what they saw last. Every rule of a draft is checked
 * after each command. Without a store.
 */
import { deepStrictEqual, ok } from 'node:assert/strict';
import { approvalHash } from '../../src/editions/draft/approval.ts';
import { DraftCommandError, planCommand } from '../../src/editions/draft/commands.ts';
import { type Draft, fieldValue, NO_DECISIONS, untouchedDraft } from '../../src/editions/draft/decisions.ts';
import {
  type ChangeOutcome,
  changeDraft,
  type DraftConflict,
  entryToRedo,
  entryToUndo,
  fieldRevision,
  type LogEntry,
  undoEntry,
  type WantedChange,
} from '../../src/editions/draft/history.ts';
import { isRoundupItem, randomCommand, replayLog, SHOWN } from './draft-commands.ts';
import { Random } from './random.ts';

export interface DraftFuzzFigures {
  commands: number;
  /** They changed the draft, and are in its log. */
  changed: number;
  /** Of these: undo and redo. */
  undone: number;
  refused: number;
  unchanged: number;
  /** They did not suit the draft. */
  unsuitable: number;
  /** Pairs of commands to different fields that were given in both orders. */
  pairs: number;
}

export const EDITORS = ['ada', 'ben'] as const;

/** @throws AssertionError if a rule is broken */
export function fuzzDraft({ commands, seed }: { commands: number; seed: number }): DraftFuzzFigures {
  const random = new Random(seed);
  const figures = { commands, changed: 0, undone: 0, refused: 0, unchanged: 0, unsuitable: 0, pairs: 0 };
  const untouched = untouchedDraft('daily', '2026-11-24', 0);
  let draft = untouched;
  const log: LogEntry[] = [];
  const seen = { ada: draft, ben: draft };
  for (let now = 1; now <= commands; now++) {
    const editor = random.pick(EDITORS);
    const outcome = random.chance(0.15)
      ? undoOrRedo(random, draft, log, { editor, now })
      : give(random, draft, { editor, now, seen: seen[editor] });
    if (outcome === null) {
      figures.unsuitable++;
    } else if (outcome.kind === 'changed') {
      assertLogged(outcome.entry, draft, outcome.draft);
      if (outcome.entry.undoes !== null) figures.undone++;
      draft = outcome.draft;
      log.push(outcome.entry);
      assertApprovedAsIs(draft);
    } else if (outcome.kind === 'refused') {
      assertBothValues(outcome.conflicts, draft);
    }
    if (outcome !== null) figures[outcome.kind]++;
    if (random.chance(0.2) && assertCommutes(random, draft, now)) figures.pairs++;
    if (random.chance(0.6)) seen[editor] = draft;
  }
  deepStrictEqual(log.length, figures.changed);
  deepStrictEqual(replayLog(untouched, JSON.parse(JSON.stringify(log))), draft);
  deepStrictEqual(undoAll(draft, log).decisions, NO_DECISIONS);
  return figures;
}

function give(
  random: Random,
  draft: Draft,
  { editor, now, seen }: { editor: string; now: number; seen: Draft },
): ChangeOutcome | null {
  const command = randomCommand(random, seen);
  const context = { shown: SHOWN, isRoundupItem: isRoundupItem(command), editor, now };
  try {
    const { changes } = planCommand(draft, command, context, (field) => fieldRevision(seen, field));
    const outcome = changeDraft(draft, changes, { at: now, editor, command });
    if (outcome.kind === 'refused') assertWanted(outcome.conflicts, changes);
    return outcome;
  } catch (error) {
    if (error instanceof DraftCommandError) return null;
    throw error;
  }
}

function undoOrRedo(
  random: Random,
  draft: Draft,
  log: readonly LogEntry[],
  { editor, now }: { editor: string; now: number },
): ChangeOutcome | null {
  const kind = random.pick(['undo', 'undo', 'redo'] as const);
  const entry = kind === 'undo' ? entryToUndo(log, editor) : entryToRedo(log, editor);
  return entry && undoEntry(draft, entry, { at: now, editor, command: { kind } });
}

/** The entry has the next number, and says of every changed field what it was and what it is. */
function assertLogged({ number, changes }: LogEntry, before: Draft, after: Draft): void {
  deepStrictEqual([number, after.revision], [before.revision + 1, number]);
  ok(changes.length > 0);
  for (const change of changes) {
    deepStrictEqual(fieldValue(before, change.field), change.before);
    deepStrictEqual(fieldValue(after, change.field), change.after);
    deepStrictEqual(fieldRevision(after, change.field), change.to);
  }
}

/** Only what an editor has seen is approved. */
function assertApprovedAsIs({ state, decisions }: Draft): void {
  if (state.kind === 'approved') deepStrictEqual(approvalHash(decisions, state.stories), state.hash);
}

function assertBothValues(conflicts: readonly DraftConflict[], draft: Draft): void {
  ok(conflicts.length > 0);
  for (const { field, wanted, current } of conflicts) {
    deepStrictEqual(current, fieldValue(draft, field));
    ok(wanted !== undefined && current !== undefined);
  }
}

function assertWanted(conflicts: readonly DraftConflict[], changes: readonly WantedChange[]): void {
  for (const { field, wanted, current } of conflicts) {
    deepStrictEqual(changes.find((one) => one.field === field)?.value, wanted);
    ok(JSON.stringify(wanted) !== JSON.stringify(current), `${field} was refused with the value that it has`);
  }
}

/** Gives two commands upon the same draft in both orders. @returns whether they are about different fields */
function assertCommutes(random: Random, draft: Draft, now: number): boolean {
  const plans = EDITORS.flatMap((editor) => {
    const command = randomCommand(random, draft);
    try {
      const context = { shown: SHOWN, isRoundupItem: isRoundupItem(command), editor, now };
      return [{ changes: planCommand(draft, command, context).changes, author: { at: now, editor, command } }];
    } catch {
      return [];
    }
  });
  const [one, other] = plans;
  if (one === undefined || other === undefined) return false;
  const fields = [...one.changes, ...other.changes].map(({ field }) => field);
  if (new Set(fields).size < fields.length) return false;
  // An approval is of all decisions: it does not go together with any change of them.
  if (fields.includes('state') && [draft.state, ...one.changes, ...other.changes].some(isApproval)) return false;
  const apply = (order: (typeof plans)[number][]): Pick<Draft, 'decisions' | 'state'> => {
    let changed = draft;
    for (const { changes, author } of order) {
      const outcome = changeDraft(changed, changes, author);
      ok(outcome.kind !== 'refused', 'a command was refused because of another field');
      if (outcome.kind === 'changed') changed = outcome.draft;
    }
    return { decisions: changed.decisions, state: changed.state };
  };
  deepStrictEqual(JSON.stringify(apply([one, other])), JSON.stringify(apply([other, one])));
  return true;
}

function isApproval(part: Draft['state'] | WantedChange): boolean {
  const state = 'value' in part && part.field === 'state' ? part.value : part;
  return state !== null && typeof state === 'object' && 'kind' in state && state.kind === 'approved';
}

/** Undoes the newest command that is not undone, until none is left; states that have moved on can be refused. */
function undoAll(draft: Draft, entries: readonly LogEntry[]): Draft {
  let undone = draft;
  let log = [...entries];
  for (;;) {
    const candidates = EDITORS.flatMap((editor) => entryToUndo(log, editor) ?? []);
    const newest = candidates.toSorted((a, b) => b.number - a.number)[0];
    if (newest === undefined) return undone;
    const outcome = undoEntry(undone, newest, { at: 0, editor: newest.editor, command: { kind: 'undo' } });
    if (outcome.kind === 'changed') {
      undone = outcome.draft;
      log.push(outcome.entry);
    } else {
      ok(
        newest.changes.every(({ field }) => field === 'state'),
        `entry ${newest.number} cannot be undone`,
      );
      log = log.filter(({ number }) => number !== newest.number);
    }
  }
}
