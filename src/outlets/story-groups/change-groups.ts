/**
 * Carries out commands to story groups. Each is one transaction that locks all groups, is recorded in a log, and is
 * refused if another editor has changed the group since this one looked.
 */
import { type Db, type InTransaction, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import { HOUR } from '../../lib/time.ts';
import { decideGroups, type GroupChange, type GroupCommand, GroupCommandError } from './commands.ts';
import { findFreeArticleId, findGroupIds, lockGroups, readGroups, writeGroupChange } from './group-rows.ts';
import type { StoryGroup } from './story-group.ts';

/** A group as an editor names it: by items that he saw in it. */
export interface GroupReference {
  items: number[];
  /** The number of the last command before the editor looked; null if he names it without having looked. */
  seen: number | null;
}

/** An entry of the log. */
export interface RoundupLogEntry {
  number: number;
  at: number;
  editor: string;
  command: GroupCommand;
  /** The groups as they were named, and all items that they had. */
  groups: number[];
  items: number[];
  /** The headline of the first group. */
  headline: string;
}

/** Somebody has changed the group since the editor looked: nothing was changed. */
export class GroupConflictError extends Error {
  override name = 'GroupConflictError';
  /** Commands of others to it since, oldest first; empty where the grouping has moved its reports. */
  readonly entries: RoundupLogEntry[];

  constructor(message: string, entries: RoundupLogEntry[]) {
    super(message);
    this.entries = entries;
  }
}

/** A group that would lose its article has changes that the article does not show yet: publish them, then try again. */
export class UnpublishedChangeError extends Error {
  override name = 'UnpublishedChangeError';
}

/**
 * Carries out a command.
 * @param references the groups that it names, at least one
 * @param author `onCommit` is awaited last, in the same transaction, and only if something has changed
 * @returns the groups that it changed, the named one first; empty if there was nothing to change
 * @throws GroupCommandError, GroupConflictError, UnpublishedChangeError: nothing is written then
 */
export function changeGroups(
  { db }: Pick<Store, 'db'>,
  references: readonly GroupReference[],
  command: GroupCommand,
  { onCommit, ...author }: { editor: string; now: number; onCommit?: InTransaction | undefined },
): Promise<StoryGroup[]> {
  return inTransaction(db, async (tx) => {
    await lockGroups(tx);
    const groups: StoryGroup[] = [];
    for (const reference of references) groups.push(await readReferenced(tx, reference, author.editor));
    const changed = await carryOut(tx, groups, command, { ...author, seen: seenItems(references) });
    if (changed.length > 0) await onCommit?.(tx);
    return changed;
  });
}

/** As `changeGroups`, of groups that were read under the lock. */
export async function carryOut(
  tx: Tx,
  groups: readonly StoryGroup[],
  command: GroupCommand,
  { editor, now, seen }: { editor: string; now: number; seen?: number[] | undefined },
): Promise<StoryGroup[]> {
  const [first] = groups as [StoryGroup];
  const articleId = first.decision?.articleId ?? (await findFreeArticleId(tx, first.id));
  const change = decideGroups(groups, command, { editor, now, seen, newArticleId: articleId });
  if (change.changed.length === 0) return [];
  requirePublished(groups, change);
  await writeGroupChange(tx, change, now);
  await tx
    .insertInto('roundup_log')
    .values({ at: now, editor, command: JSON.stringify(toLogged(groups, command)) })
    .execute();
  return change.changed;
}

/** A pick credits what the editor saw; who has not looked means all. */
function seenItems(references: readonly GroupReference[]): number[] | undefined {
  return references.every(({ seen }) => seen !== null) ? references.flatMap(({ items }) => items) : undefined;
}

/**
 * Reads the group that an editor names.
 * @throws GroupConflictError if it is another one than he saw; GroupCommandError if there is none
 */
async function readReferenced(db: Db, { items, seen }: GroupReference, editor: string): Promise<StoryGroup> {
  const ids = [...new Set((await findGroupIds(db, items)).values())];
  const [id] = ids;
  const group = id === undefined ? undefined : (await readGroups(db, [id])).get(id);
  if (seen !== null) {
    const entries = await conflictsWith(db, items, seen, editor);
    if (entries.length > 0) {
      const names = [...new Set(entries.map((entry) => entry.editor))].join(' and ');
      throw new GroupConflictError(`${names} changed it since you looked`, entries);
    }
    if (ids.length > 1) throw new GroupConflictError('its reports have been grouped otherwise since you looked', []);
  }
  if (group !== undefined) return group;
  const message = `there is no group with report ${items.join(', ')}: see "daywire roundup list"`;
  throw new GroupCommandError('the group is no longer there', null, message);
}

/** Commands of other editors to the group since. Those of rules conflict with no decision of an editor. */
async function conflictsWith(db: Db, items: number[], seen: number, editor: string): Promise<RoundupLogEntry[]> {
  const entries: RoundupLogEntry[] = [];
  const { since } = await db
    .selectFrom('outlet_items')
    .select((e) => e.fn.min('first_seen_at').as('since'))
    .where('id', 'in', items)
    .executeTakeFirstOrThrow();
  // Clocks of processes differ.
  for await (const entry of entriesAbout(db, items, { after: seen, since: (since ?? 0) - HOUR })) {
    if (entry.editor !== editor && entry.command.kind !== 'rule') entries.unshift(entry);
  }
  return entries;
}

/** @throws UnpublishedChangeError */
function requirePublished(groups: readonly StoryGroup[], { changed }: GroupChange): void {
  const kept = new Set(changed.map(({ decision }) => decision?.articleId));
  for (const { id, decision } of groups) {
    if (decision === null || decision.articleId === null || kept.has(decision.articleId)) continue;
    if (decision.revision > decision.publishedRevision) throw new UnpublishedChangeError(`the article of group ${id}`);
  }
}

type LoggedCommand = Pick<RoundupLogEntry, 'command' | 'groups' | 'items' | 'headline'>;

function toLogged(groups: readonly StoryGroup[], command: GroupCommand): LoggedCommand {
  return {
    command,
    groups: groups.map(({ id }) => id),
    items: groups.flatMap(({ items }) => items.map(({ id }) => id)),
    headline: groups[0]?.items[0]?.title ?? '',
  };
}

/** Entries that are read at once. */
const BATCH = 1_000;

/**
 * The entries about any of some reports, newest first.
 * @param bounds of the log: the number of an entry before all; or an instant, epoch milliseconds, before which the
 * search ends
 */
export async function* entriesAbout(
  db: Db,
  items: readonly number[],
  { after = 0, since = 0 }: { after?: number; since?: number },
): AsyncGenerator<RoundupLogEntry> {
  const named = new Set(items);
  for (let before: number | undefined; ; ) {
    const entries: RoundupLogEntry[] = await readRoundupLog(db, { after, before, limit: BATCH });
    for (const entry of entries) {
      // Not a condition of the query: where no entry is left, it would read the log to its beginning.
      if (entry.at < since) return;
      if (entry.items.some((id) => named.has(id))) yield entry;
    }
    before = entries.at(-1)?.number;
    if (entries.length < BATCH) return;
  }
}

/** Reads the log, newest first. Bounds are numbers of entries. */
export async function readRoundupLog(
  db: Db,
  {
    after = 0,
    before = Number.MAX_SAFE_INTEGER,
    limit,
  }: { after?: number; before?: number | undefined; limit: number },
): Promise<RoundupLogEntry[]> {
  const rows = await db
    .selectFrom('roundup_log')
    .selectAll()
    .where('number', '>', after)
    .where('number', '<', before)
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ command, ...row }) => ({ ...row, ...(JSON.parse(command) as LoggedCommand) }));
}

/** The number of the last command; 0 before the first. */
export async function lastCommandNumber(db: Db): Promise<number> {
  const row = await db.selectFrom('roundup_log').select('number').orderBy('number', 'desc').limit(1).executeTakeFirst();
  return row?.number ?? 0;
}
