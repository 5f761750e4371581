/**
 * Stores drafts and their logs. Each command is one transaction that locks the draft, so that two editors' commands
 * come one after the other, and so does the close of the edition.
 */
import { type Db, dialectOf, type InTransaction, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import type { EditionSlot } from '../slot.ts';
import { type Draft, type ListedStory, untouchedDraft } from './decisions.ts';
import { type ChangeOutcome, closeWith, type LogEntry } from './history.ts';

/** The part of a draft that is stored as JSON. */
type DraftDocument = Pick<Draft, 'state' | 'decisions' | 'fieldRevisions'>;

/** Reads the draft of a slot; one that nobody has touched if there is none. */
export async function readDraft(db: Db, newsletter: string, slot: EditionSlot): Promise<Draft> {
  const row = await selectDraft(db, newsletter, slot.label).executeTakeFirst();
  return row === undefined ? untouchedDraft(newsletter, slot.label, slot.slotAt) : toDraft(row);
}

/** Reads the log of a draft, oldest entry first. */
export async function readDraftLog(db: Db, newsletter: string, slot: string): Promise<LogEntry[]> {
  const rows = await selectLog(db, newsletter, slot).orderBy('number').execute();
  return rows.map(toEntry);
}

/** Reads one entry of the log of a draft; null if there is none of that number. */
export async function findDraftEntry(
  db: Db,
  newsletter: string,
  slot: string,
  number: number,
): Promise<LogEntry | null> {
  const row = await selectLog(db, newsletter, slot).where('number', '=', number).executeTakeFirst();
  return row === undefined ? null : toEntry(row);
}

function selectLog(db: Db, newsletter: string, slot: string) {
  return db.selectFrom('draft_log').selectAll().where('newsletter', '=', newsletter).where('slot', '=', slot);
}

function toEntry({ number, at, editor, command, changes, undoes }: Tables['draft_log']): LogEntry {
  return { number, at, editor, undoes, command: JSON.parse(command), changes: JSON.parse(changes) };
}

/** When the last command to a draft was given, epoch milliseconds; null if there was none. */
export async function lastCommandAt(db: Db, newsletter: string, slot: string): Promise<number | null> {
  return (await selectLog(db, newsletter, slot).orderBy('number', 'desc').limit(1).executeTakeFirst())?.at ?? null;
}

/** Finds the slots of a newsletter's drafts whose label begins with a date, oldest first. @param day `2026-11-24` */
export async function findDraftSlots(db: Db, newsletter: string, day: string): Promise<EditionSlot[]> {
  return db
    .selectFrom('drafts')
    .select(['slot as label', 'slot_at as slotAt'])
    .where('newsletter', '=', newsletter)
    .where('slot', '>=', day)
    .where('slot', '<', `${day}~`)
    .orderBy('slot_at')
    .execute();
}

/**
 * Changes a draft and appends to its log, in one transaction.
 * @param change decides from the stored draft; it may be called again
 * @param onCommit called last in the transaction, if something has changed
 * @throws the errors of `change` and `onCommit`: nothing is written then
 */
export function changeStoredDraft(
  { db }: Pick<Store, 'db'>,
  newsletter: string,
  slot: EditionSlot,
  change: (draft: Draft, log: readonly LogEntry[]) => ChangeOutcome,
  onCommit?: (tx: Tx) => Promise<void>,
): Promise<ChangeOutcome> {
  return inTransaction(db, async (tx) => {
    const draft = await lockDraft(tx, newsletter, slot);
    const outcome = change(draft, await readDraftLog(tx, newsletter, slot.label));
    if (outcome.kind === 'changed') {
      await writeDraft(tx, outcome.draft, outcome.entry);
      await onCommit?.(tx);
    }
    return outcome;
  });
}

/** What closing an edition does to its draft. */
export interface DraftClose {
  /** The draft's revision when the edition was composed. */
  draftRevision: number;
  /** The edition's stories. */
  stories: ListedStory[];
  /** Revision of the edition, from 1. */
  editionRevision: number;
  now: number;
}

/**
 * Closes the draft with its edition.
 * @returns false if the draft has changed since the edition was composed: roll back
 */
export async function closeDraft(
  tx: Tx,
  newsletter: string,
  slot: EditionSlot,
  { draftRevision, stories, editionRevision, now }: DraftClose,
): Promise<boolean> {
  const draft = await lockDraft(tx, newsletter, slot);
  if (draft.revision !== draftRevision) return false;
  const closed = closeWith(draft, { stories, editionRevision, now });
  await writeDraft(tx, closed.draft, closed.entry);
  return true;
}

/**
 * Sets when an edition closes before its slot.
 * @param options.onCommit called only if that was not set yet
 * @returns when it closes: as was set before, or `closeAt`; null if the draft is closed
 */
export async function setCloseAt(
  { db }: Pick<Store, 'db'>,
  newsletter: string,
  slot: EditionSlot,
  closeAt: number,
  { onCommit, ...author }: Pick<LogEntry, 'editor' | 'at'> & { onCommit?: InTransaction | undefined },
): Promise<number | null> {
  return db.transaction().execute(async (tx) => {
    const draft = await lockDraft(tx, newsletter, slot);
    if (draft.state.kind === 'closed') return null;
    if (draft.closeAt !== null) return draft.closeAt;
    const number = draft.revision + 1;
    const entry: LogEntry = { number, ...author, command: { kind: 'send', closeAt }, changes: [], undoes: null };
    await writeDraft(tx, { ...draft, closeAt, revision: number }, entry);
    await onCommit?.(tx);
    return closeAt;
  });
}

/**
 * Leaves the close to the slot again. While another process closes the edition, waits for the result.
 * @param options.closeAt only if it was to close then
 * @returns false if it was not to close before its slot, or is closed
 */
export async function clearCloseAt(
  db: Db,
  newsletter: string,
  slot: string,
  options: Pick<LogEntry, 'editor' | 'at'> & { closeAt?: number; onCommit?: InTransaction | undefined },
): Promise<boolean> {
  const { closeAt, onCommit, ...author } = options;
  return inTransaction(db, async (tx) => {
    const ended = await tx
      .updateTable('drafts')
      .set((e) => ({ close_at: null, revision: e('revision', '+', 1) }))
      .where('newsletter', '=', newsletter)
      .where('slot', '=', slot)
      .where('close_at', 'is not', null)
      .$if(closeAt !== undefined, (q) => q.where('close_at', '=', closeAt as number))
      .returning('revision')
      .executeTakeFirst();
    if (ended === undefined) return false;
    const entry = {
      number: ended.revision,
      ...author,
      command: { kind: 'cancel' as const },
      changes: [],
      undoes: null,
    };
    await writeLogEntry(tx, newsletter, slot, entry);
    await onCommit?.(tx);
    return true;
  });
}

/**
 * The sent drafts that were to close by `now`, oldest first, and those that would close after `latest`: the clock was
 * set back. Instants are epoch milliseconds.
 */
export async function listDueDrafts(db: Db, now: number, latest: number): Promise<(Draft & { closeAt: number })[]> {
  const rows = await db
    .selectFrom('drafts')
    .selectAll()
    .where((e) => e.or([e('close_at', '<=', now), e('close_at', '>', latest)]))
    .orderBy('close_at')
    .execute();
  return rows.map((row) => ({ ...toDraft(row), closeAt: row.close_at as number }));
}

/** The drafts of slots after an instant, epoch milliseconds, that are not closed. */
export async function listOpenDrafts(db: Db, after: number): Promise<Draft[]> {
  const rows = await db
    .selectFrom('drafts')
    .selectAll()
    .where('state', '<>', 'closed')
    .where('slot_at', '>', after)
    .orderBy('slot_at')
    .orderBy('newsletter')
    .execute();
  return rows.map(toDraft);
}

/**
 * Lists the stories that editors dropped from slots that have no edition: they were skipped, or are yet to come.
 * @param between instants of slots, both excluded, epoch milliseconds; `after` null: from the first
 */
export async function listDropsWithoutEdition(
  db: Db,
  newsletter: string,
  { after, before }: { after: number | null; before: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('drafts')
    .select('document')
    .where('newsletter', '=', newsletter)
    .where('state', '<>', 'closed')
    .where('slot_at', '<', before)
    .$if(after !== null, (q) => q.where('slot_at', '>', after as number))
    .orderBy('slot_at')
    .execute();
  const decisions = rows.map(({ document }) => (JSON.parse(document) as DraftDocument).decisions);
  const dropped = decisions.flatMap(({ stories }) =>
    Object.entries(stories).filter(([, { kind }]) => kind === 'dropped'),
  );
  return [...new Set(dropped.map(([id]) => id))];
}

/** The row exists afterwards and is locked until the transaction ends: SQLite has one writer. */
async function lockDraft(tx: Tx, newsletter: string, slot: EditionSlot): Promise<Draft> {
  const draft = untouchedDraft(newsletter, slot.label, slot.slotAt);
  await tx
    .insertInto('drafts')
    .values({
      ...{ newsletter, slot: slot.label, slot_at: slot.slotAt, close_at: null },
      ...{ state: draft.state.kind, revision: draft.revision, document: toDocument(draft) },
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await selectDraft(tx, newsletter, slot.label)
    .$if(dialectOf(tx) === 'postgres', (q) => q.forUpdate())
    .executeTakeFirstOrThrow();
  return toDraft(row);
}

async function writeDraft(tx: Tx, draft: Draft, entry: LogEntry): Promise<void> {
  const { newsletter, slot, state, revision, closeAt } = draft;
  await tx
    .updateTable('drafts')
    .set({ state: state.kind, revision, document: toDocument(draft), close_at: closeAt })
    .where('newsletter', '=', newsletter)
    .where('slot', '=', slot)
    .execute();
  await writeLogEntry(tx, newsletter, slot, entry);
}

async function writeLogEntry(
  tx: Tx,
  newsletter: string,
  slot: string,
  { number, at, editor, command, changes, undoes }: Omit<LogEntry, 'changes'> & { changes: readonly unknown[] },
): Promise<void> {
  await tx
    .insertInto('draft_log')
    .values({
      ...{ newsletter, slot, number, at, editor, undoes },
      command: JSON.stringify(command),
      changes: JSON.stringify(changes),
    })
    .execute();
}

function selectDraft(db: Db, newsletter: string, slot: string) {
  return db.selectFrom('drafts').selectAll().where('newsletter', '=', newsletter).where('slot', '=', slot);
}

function toDocument({ state, decisions, fieldRevisions }: DraftDocument): string {
  return JSON.stringify({ state, decisions, fieldRevisions } satisfies DraftDocument);
}

function toDraft(row: Tables['drafts']): Draft {
  const { newsletter, slot, slot_at: slotAt, revision, close_at: closeAt } = row;
  return { newsletter, slot, slotAt, revision, closeAt, ...(JSON.parse(row.document) as DraftDocument) };
}
