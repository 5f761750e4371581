/**
 * Two editors who give random commands to one stored draft at the same time, each through a store of its own on the
 * same database.
 */
import { deepStrictEqual, ok } from 'node:assert/strict';
import type { Store } from '../../src/core/store/store.ts';
import { DraftCommandError, planCommand } from '../../src/editions/draft/commands.ts';
import { type Draft, untouchedDraft } from '../../src/editions/draft/decisions.ts';
import { changeStoredDraft, readDraft, readDraftLog } from '../../src/editions/draft/draft-store.ts';
import {
  changeDraft,
  entryToRedo,
  entryToUndo,
  fieldRevision,
  type LogEntry,
  undoEntry,
} from '../../src/editions/draft/history.ts';
import type { EditionSlot } from '../../src/editions/slot.ts';
import { isRoundupItem, randomCommand, replayLog, SHOWN } from './draft-commands.ts';
import { EDITORS } from './draft-editors.ts';
import { Random } from './random.ts';

const NEWSLETTER = 'daily';

/**
 * @param stores one of each editor
 * @param options.commands of both together
 * @returns the number of commands that changed the draft
 * @throws AssertionError if a rule is broken
 */
export async function fuzzStoredDraft(
  stores: readonly [Store, Store],
  { slot, commands, seed }: { slot: EditionSlot; commands: number; seed: number },
): Promise<number> {
  const share = Math.ceil(commands / EDITORS.length);
  const acknowledged = await Promise.all(
    EDITORS.map((editor, index) =>
      editDraft(stores[index] as Store, slot, { editor, commands: share, random: new Random(seed * 2 + index) }),
    ),
  );
  const all = acknowledged.flat().sort((a, b) => a.number - b.number);
  const [log, ...drafts] = await Promise.all([
    readDraftLog(stores[0].db, NEWSLETTER, slot.label),
    ...stores.map(({ db }) => readDraft(db, NEWSLETTER, slot)),
  ]);
  deepStrictEqual(log, all);
  deepStrictEqual(
    log.map(({ number }) => number),
    Array.from(log, (_, index) => index + 1),
  );
  const replayed = replayLog(untouchedDraft(NEWSLETTER, slot.label, slot.slotAt), log);
  for (const draft of drafts) deepStrictEqual(draft, replayed);
  return log.length;
}

/** @returns the entries of the commands that the store acknowledged */
async function editDraft(
  store: Store,
  slot: EditionSlot,
  { editor, commands, random }: { editor: string; commands: number; random: Random },
): Promise<LogEntry[]> {
  const acknowledged: LogEntry[] = [];
  let seen = await readDraft(store.db, NEWSLETTER, slot);
  for (let now = 1; now <= commands; now++) {
    const outcome = await changeStoredDraft(store, NEWSLETTER, slot, (draft, log) =>
      random.chance(0.15) ? undo(random, draft, log, { editor, now }) : give(random, draft, { editor, now, seen }),
    ).catch((error: unknown) => {
      if (error instanceof DraftCommandError) return null;
      throw error;
    });
    if (outcome?.kind === 'changed') acknowledged.push(outcome.entry);
    if (outcome?.kind === 'refused') {
      ok(outcome.conflicts.length > 0);
      for (const { wanted, current } of outcome.conflicts) ok(wanted !== undefined && current !== undefined);
    }
    if (random.chance(0.6)) seen = await readDraft(store.db, NEWSLETTER, slot);
  }
  return acknowledged;
}

function give(random: Random, draft: Draft, { editor, now, seen }: { editor: string; now: number; seen: Draft }) {
  const command = randomCommand(random, seen);
  const context = { shown: SHOWN, isRoundupItem: isRoundupItem(command), editor, now };
  const { changes } = planCommand(draft, command, context, (field) => fieldRevision(seen, field));
  return changeDraft(draft, changes, { at: now, editor, command });
}

function undo(
  random: Random,
  draft: Draft,
  log: readonly LogEntry[],
  { editor, now }: { editor: string; now: number },
) {
  const kind = random.pick(['undo', 'undo', 'redo'] as const);
  const entry = kind === 'undo' ? entryToUndo(log, editor) : entryToRedo(log, editor);
  if (entry === null) throw new DraftCommandError(`there is nothing to ${kind}`);
  return undoEntry(draft, entry, { at: now, editor, command: { kind } });
}
