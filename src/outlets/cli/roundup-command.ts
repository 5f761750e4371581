/** A command about story groups: who gives it, and what a conflict with another editor becomes. */

import type { Command } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, jsonOption } from '../../core/cli/context.ts';
import { type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { GroupConflictError } from '../story-groups/change-groups.ts';
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
