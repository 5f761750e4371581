/** An editor's commands to a draft: hold, approve, subject, order and so on, undo and redo. */
import { findArticle } from '../../articles/queries.ts';
import type { AppContext } from '../../core/app-context.ts';
import { isSerializationFailure, type Tx } from '../../core/store/store.ts';
import type { CompositionOptions } from '../compose.ts';
import { editionAction } from '../edition-action.ts';
import { approvalHash } from './approval.ts';
import { DraftCommandError, planCommand, type VisibleStory } from './commands.ts';
import { arrangeDraft, composeDraft } from './compose-draft.ts';
import type { Draft, DraftCommand } from './decisions.ts';
import { changeStoredDraft, readDraft } from './draft-store.ts';
import { type DraftTarget, describeEndedSlot, type EndedDraft, targetName } from './draft-target.ts';
import {
  type ChangeOutcome,
  changeDraft,
  type DraftConflict,
  entryToRedo,
  entryToUndo,
  entryToUndoByNumber,
  knownRevision,
  type LogEntry,
  originalCommand,
  undoEntry,
} from './history.ts';

/**
 * A request of an editor. An approval covers the edition that the editor has seen. An undo reverses the editor's newest
 * command, or the one with the number `entry`.
 */
export type DraftRequest =
  | Exclude<DraftCommand, { kind: 'approve' }>
  | { kind: 'approve' | 'redo' }
  | { kind: 'undo'; entry?: number };

/** The state of the draft that the editor saw. */
interface SeenDraft {
  /** The draft's revision; default: the present one, so that nothing is a conflict. */
  revision?: number | undefined;
  /** Hash of the whole edition by `editionHash`, which an approval covers. */
  hash?: string | undefined;
}

export interface EditOptions {
  seen?: SeenDraft | undefined;
  /** How an edition that is approved is rendered. */
  render?: CompositionOptions['render'];
  /** Called last in the transaction of the command, if it changes something. */
  onCommit?: ((tx: Tx) => Promise<void>) | undefined;
}

export interface DraftEdit {
  draft: Draft;
  /** Null if the draft had these values already. */
  entry: LogEntry | null;
  /** The command that was undone or redone. */
  undone: LogEntry | null;
  notices: string[];
  /** Set if the command has no effect, because the slot has ended without an edition. */
  ended: EndedDraft | null;
}

/** Another editor has changed the same field since: nothing was changed. */
export class DraftConflictError extends Error {
  override name = 'DraftConflictError';
  readonly conflicts: DraftConflict[];
  /** Editor who changed the first of the fields. */
  readonly by: string;

  constructor(conflicts: DraftConflict[], by: string) {
    super(`${by} has changed ${conflicts.map(({ field }) => field).join(', ')} since you looked`);
    this.conflicts = conflicts;
    this.by = by;
  }
}

/** The draft has changed while the command was prepared. */
class DraftMoved extends Error {
  override name = 'DraftMoved';
}

// Preparing a command takes a fraction of a second, and another one must come each time.
const MAX_TRIES = 5;

/**
 * Carries out a command of an editor.
 * @param editor their name
 * @throws DraftCommandError if the command does not suit the draft; DraftConflictError if another editor has changed
 *   the same field since this one looked; what `onCommit` throws: nothing is changed then
 */
export async function editDraft(
  app: AppContext,
  target: DraftTarget,
  editor: string,
  request: DraftRequest,
  options: EditOptions = {},
): Promise<DraftEdit> {
  const ended = await describeEndedSlot(app, target);
  for (let tries = 1; ; tries++) {
    try {
      const edit = await tryEdit(app, target, { editor, ...options }, request);
      return { ...edit, ended };
    } catch (error) {
      const isTransient = error instanceof DraftMoved || isSerializationFailure(error);
      if (!isTransient || tries === MAX_TRIES) throw error;
    }
  }
}

async function tryEdit(
  app: AppContext,
  target: DraftTarget,
  author: CommandAuthor,
  request: DraftRequest,
): Promise<Omit<DraftEdit, 'ended'>> {
  const { store, clock } = app;
  const { newsletter, slot } = target;
  const { editor, onCommit } = author;
  const prepared = await prepare(app, target, author, request);
  let undone: LogEntry | null = null;
  let notices: string[] = [];
  let conflictWith: readonly LogEntry[] = [];
  const change = (draft: Draft, log: readonly LogEntry[]): ChangeOutcome => {
    conflictWith = log;
    const { command } = prepared;
    const entry = { editor, at: clock(), command };
    if (command.kind === 'undo' || command.kind === 'redo') {
      const concerned = requireEntry(request as UndoRequest, log, { editor, edition: targetName(target) });
      undone = originalCommand(log, concerned);
      return undoEntry(draft, concerned, entry);
    }
    if (prepared.revision !== null && draft.revision !== prepared.revision) throw new DraftMoved();
    const seen = author.seen?.revision ?? draft.revision;
    const planned = planCommand(draft, command, { ...prepared, editor, now: clock() }, (field) =>
      knownRevision(log, field, editor, seen),
    );
    notices = planned.notices;
    return changeDraft(draft, planned.changes, entry);
  };
  const outcome = await changeStoredDraft(store, newsletter.id, slot, change, onCommit);
  if (outcome.kind === 'refused') throw conflictError(outcome.conflicts, conflictWith);
  if (outcome.kind === 'unchanged') {
    if (request.kind === 'restore') {
      notices = [
        `this draft decides nothing about ${request.story}: one dropped from an earlier slot returns when it is pinned`,
      ];
    }
    return { draft: await readDraft(store.db, newsletter.id, slot), entry: null, undone: null, notices };
  }
  return { draft: outcome.draft, entry: outcome.entry, undone, notices };
}

/** The editor, and what they have seen. */
interface CommandAuthor extends EditOptions {
  editor: string;
}

interface PreparedCommand {
  command: DraftCommand | { kind: 'undo' } | { kind: 'redo' };
  /** The draft's revision that the rest was read from; null where it does not matter. */
  revision: number | null;
  shown: VisibleStory[];
  isRoundupItem: boolean;
}

/** Reads what the command needs to know of the edition. */
async function prepare(
  app: AppContext,
  target: DraftTarget,
  author: CommandAuthor,
  request: DraftRequest,
): Promise<PreparedCommand> {
  const nothing = { revision: null, shown: [], isRoundupItem: false };
  if (request.kind === 'approve') return { ...nothing, ...(await prepareApproval(app, target, author)) };
  const plain = { ...nothing, command: request as PreparedCommand['command'] };
  if (request.kind !== 'drop' && request.kind !== 'pin' && request.kind !== 'move') return plain;
  const { db } = app.store;
  const named = [request.story, ...('place' in request && 'story' in request.place ? [request.place.story] : [])];
  for (const id of named) {
    if ((await findArticle(db, id)) === null) throw new DraftCommandError(`there is no article ${id}`);
  }
  const article = await findArticle(db, request.story);
  if (article?.kind === 'roundup') {
    throw new DraftCommandError(`${request.story} is of kind roundup: an edition contains none`);
  }
  if (request.kind === 'drop') return plain;
  await requireUnused(app, target, request.story);
  if (request.kind === 'pin') return plain;
  const { draft, loaded } = (await arrangeDraft(app, target)).arranged;
  const shown = loaded.placed.flatMap(({ block, article: { id, kind } }) =>
    block === 'also' ? [] : [{ id, block, isRoundupItem: kind === 'roundup-item' }],
  );
  return { command: request, revision: draft.revision, shown, isRoundupItem: article?.kind === 'roundup-item' };
}

/** @throws DraftCommandError if the story was in another edition of the newsletter */
async function requireUnused(app: AppContext, target: DraftTarget, story: string): Promise<void> {
  const { newsletter, slot } = target;
  const used = await app.store.db
    .selectFrom('edition_articles')
    .innerJoin('editions', 'editions.id', 'edition_articles.edition_id')
    .select('editions.slot')
    .where('edition_articles.newsletter', '=', newsletter.id)
    .where('edition_articles.article_id', '=', story)
    .where('editions.slot', '<>', slot.label)
    .executeTakeFirst();
  if (used === undefined) return;
  throw new DraftCommandError(`${story} was in the edition of ${used.slot}: a story is in one edition of a newsletter`);
}

/** @throws DraftCommandError unless the editor has seen the edition as it is now */
async function prepareApproval(
  app: AppContext,
  target: DraftTarget,
  { seen, render }: CommandAuthor,
): Promise<Pick<PreparedCommand, 'command' | 'revision'>> {
  const composition = await composeDraft(app, target, { render });
  if (composition.kind === 'empty' || composition.isSkipped) {
    const few = `fewer than ${target.newsletter.minimumStories} stories`;
    const reason = composition.kind === 'empty' ? composition.reason : few;
    throw new DraftCommandError(`it cannot be approved: ${reason}`);
  }
  const { composed, draft, hash } = composition;
  if (seen?.hash !== hash) {
    const isArrangement = seen?.hash?.split('.')[0] !== hash.split('.')[0];
    const changed = isArrangement
      ? 'the stories or what editors decided have changed'
      : 'the content of a story has changed';
    throw new DraftCommandError(`since you looked, ${changed}: look at it again, then approve it`);
  }
  const stories = composed.articles.map(({ articleId: id, block, digest }) => ({ id, block, digest }));
  const command = { kind: 'approve', hash: approvalHash(draft.decisions, stories), stories } as const;
  return { command, revision: draft.revision };
}

type UndoRequest = Extract<DraftRequest, { kind: 'undo' | 'redo' }>;

function requireEntry(
  request: UndoRequest,
  log: readonly LogEntry[],
  { editor, edition }: { editor: string; edition: string },
): LogEntry {
  const { kind } = request;
  const named = kind === 'undo' ? request.entry : undefined;
  const newest = kind === 'undo' ? entryToUndo : entryToRedo;
  const entry = named === undefined ? newest(log, editor) : entryToUndoByNumber(log, editor, named);
  if (entry !== null) return entry;
  if (named !== undefined) {
    throw new DraftCommandError(`${editor} cannot undo the entry ${named}: it is undone, or not a command of theirs`);
  }
  const what = kind === 'undo' ? 'command to undo' : 'undone command to redo';
  throw new DraftCommandError(`${editor} has no ${what}`, [editionAction('log', 'see all commands', edition)]);
}

function conflictError(conflicts: DraftConflict[], log: readonly LogEntry[]): DraftConflictError {
  const field = conflicts[0]?.field;
  const entry = log.findLast(({ changes }) => changes.some((change) => change.field === field));
  return new DraftConflictError(conflicts, entry?.editor ?? 'daywire');
}
