/**
 * An editor's commands to story groups: which groups they name, and what follows from them. The articles of picked
 * groups are written at once; a running daywire publishes them.
 */
import type { ArticleImportResult } from '../../articles/import/result.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { InTransaction } from '../../core/store/store.ts';
import { changeGroups, type GroupReference, UnpublishedChangeError } from './change-groups.ts';
import { type GroupCommand, GroupCommandError } from './commands.ts';
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
 * @param references the groups that it names, at least one
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
