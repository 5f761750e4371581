/** A command about story groups: who gives it, and what a conflict with another editor becomes. */
import type { Command } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, jsonOption } from '../../core/cli/context.ts';
import { type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { plainLine } from '../../lib/text/clean-text.ts';
import { GroupConflictError } from '../story-groups/change-groups.ts';
import type { GroupedItem, StoryGroup } from '../story-groups/story-group.ts';
import { formatGroupConflict } from './format-roundup.ts';

/** How a group is named. */
export const GROUP = 'its number in what "roundup list" printed last, or g and the id of a report, such as g17';

/** Groups that are listed, unless more are asked for. */
export const LISTED = 40;

/** Adds a command that an editor gives to the group `roundup`. */
export function addRoundupCommand(roundup: Command, verb: string, description: string): Command {
  return roundup
    .command(verb)
    .description(description)
    .option('--by <name>', 'who gives the command; default: DAYWIRE_EDITOR, or the name of the system user')
    .addOption(jsonOption());
}

/** Calls `work` as an editor. A conflict with another editor becomes a message with what that one did. */
export function withEditor(
  cli: CliContext,
  { by }: EditorOptions,
  work: (app: AppContext, editor: string) => Promise<void>,
): Promise<void> {
  return cli.withApp(async (app) => {
    const editor = editorName(cli, by);
    try {
      await work(app, editor);
    } catch (error) {
      throw describeConflict(error, app);
    }
  });
}

/** An error as the editor reads it. */
export function describeConflict(error: unknown, { config }: AppContext): unknown {
  if (!(error instanceof GroupConflictError)) return error;
  return new CommandError(formatGroupConflict(error, config.publication.zone).join('\n'));
}

/**
 * Finds a report by `g` and its id, or by its outlet: the name, in any case, or the beginning of it, also
 * without "The".
 * @throws CommandError where none or several match
 */
export function reportNamed({ id, items }: StoryGroup, name: string): GroupedItem {
  const wanted = name.trim().toLowerCase();
  const outlet = (item: GroupedItem): string => item.outlet.toLowerCase();
  const matches = [
    items.filter((item) => wanted === `g${item.id}`),
    items.filter((item) => outlet(item) === wanted),
    items.filter((item) => wanted !== '' && outlet(item).startsWith(wanted)),
    items.filter((item) => wanted !== '' && outlet(item).replace(/^the /, '').startsWith(wanted)),
  ];
  const [found, another] = matches.find((some) => some.length > 0) ?? [];
  if (found !== undefined && another === undefined) return found;
  const reports = items.map((item) => `${plainLine(item.outlet)} (g${item.id})`).join(', ');
  throw new CommandError(
    found === undefined
      ? `${plainLine(name)} names no report of g${id}: it has ${reports}`
      : `${plainLine(name)} names several reports of g${id}: use the id, of ${reports}`,
  );
}
