/**
 * An editor's commands to story groups: which groups they name, and what follows from them. The articles of picked
 * groups are written at once; a running daywire publishes them.
 */
import type { ArticleImportResult } from '../../articles/import/result.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { InTransaction } from '../../core/store/store.ts';
import {
  changeGroups,
  type GroupReference,
  lastCommandNumber,
  readReferenced,
  UnpublishedChangeError,
} from './change-groups.ts';
import { type GroupCommand, GroupCommandError } from './commands.ts';
import { readGroupView, writeGroupView } from './list-groups.ts';
import { publishPicks } from './publish-picks.ts';
import type { StoryGroup } from './story-group.ts';

export interface GroupEdit {
  /** The groups that were changed, the named one first. */
  groups: StoryGroup[];
  /** Why an article was not written: it is tried again with the next command or poll. */
  problems: string[];
}

/**
 * Carries out a command of an editor.
 * @param references see `findReference`
 * @param onCommit see `changeGroups`
 * @throws GroupCommandError if the command does not suit the group; GroupConflictError if another editor has changed
 *   the group since this one looked
 */
export async function editGroups(
  app: AppContext,
  editor: string,
  references: readonly GroupReference[],
  command: GroupCommand,
  onCommit?: InTransaction,
): Promise<GroupEdit> {
  const { store, config, clock } = app;
  if ('section' in command && command.section != null) requireSection(app, command.section);
  const change = () => changeGroups(store, references, command, { editor, now: clock(), onCommit });
  const groups = await change().catch(async (error: unknown) => {
    if (!(error instanceof UnpublishedChangeError)) throw error;
    // Another process ended before it had written the article.
    await publishPicks(store, config, clock);
    return change();
  });
  return { groups, problems: problemsOf(await publishPicks(store, config, clock)) };
}

function problemsOf({ rejected, warnings }: ArticleImportResult): string[] {
  return [...rejected, ...warnings].flatMap(({ problems }) => problems);
}

function requireSection({ config: { sections } }: AppContext, id: string): void {
  if (sections.some((section) => section.id === id)) return;
  const ids = sections.map((section) => section.id).join(', ') || 'none';
  throw new GroupCommandError(`there is no section ${id}: the configuration has ${ids}`, 'section');
}

/**
 * The group that an editor names: by its number in what "roundup list" printed last, or by `g` and the id of one of its
 * reports, such as `g17`.
 * @throws GroupCommandError for a number that the editor has not seen
 */
export async function findReference({ store }: AppContext, editor: string, name: string): Promise<GroupReference> {
  const [, item] = /^g(\d{1,15})$/i.exec(name) ?? [];
  const view = await readGroupView(store.db, editor);
  if (item !== undefined) {
    const listed = view?.find(({ items }) => items.includes(Number(item)));
    return listed ?? { items: [Number(item)], seen: null };
  }
  const list = '"daywire roundup list"';
  if (!/^[1-9]\d{0,4}$/.test(name)) {
    throw new GroupCommandError(`${name} names no group: use its number in ${list}, or g and its id, such as g17`);
  }
  const listed = view?.[Number(name) - 1];
  if (listed !== undefined) return listed;
  throw new GroupCommandError(
    view === null
      ? `${name} names no group: ${editor} has listed none. Each editor has own numbers: run ${list} as ${editor}`
      : `there is no group ${name}: ${list} printed ${view.length} numbers`,
  );
}

/** A group as it is now, and a reference to exactly that. */
export interface SeenGroup {
  group: StoryGroup;
  reference: GroupReference;
  /** As the editor saw it when he named it: reports that have come since are not in it. */
  named: GroupReference;
}

/** Reads a group that an editor names, to show it. @throws as `editGroups` and `findReference` */
export async function lookAtGroup(app: AppContext, editor: string, name: string): Promise<SeenGroup> {
  const named = await findReference(app, editor, name);
  const seen = await lastCommandNumber(app.store.db);
  const group = await readReferenced(app.store.db, named, editor);
  return { group, reference: { items: group.items.map(({ id }) => id), seen }, named };
}

/**
 * As `lookAtGroup`, for an editor who reads what others did to it: in his list too, it is as he sees it now.
 */
export async function seeGroup(app: AppContext, editor: string, name: string): Promise<StoryGroup> {
  const { store, clock } = app;
  const named = await findReference(app, editor, name);
  const seen = await lastCommandNumber(store.db);
  const group = await readReferenced(store.db, { ...named, seen: null }, editor);
  const reference = { items: group.items.map(({ id }) => id), seen };
  const view = await readGroupView(store.db, editor);
  const isListed = view?.some(({ items }) => items.some((item) => named.items.includes(item))) === true;
  if (view !== null && isListed) {
    const updated = view.map((one) => (one.items.some((item) => named.items.includes(item)) ? reference : one));
    await writeGroupView(store.db, editor, updated, clock());
  }
  return group;
}
