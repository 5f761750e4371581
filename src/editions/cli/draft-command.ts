/**
 * A command about the draft of an edition: which slot it is about, and who gives it.
 */
import type { Command } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, jsonOption, newsletterNamed } from '../../core/cli/context.ts';
import { type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { type DraftTarget, findDraftTarget } from '../draft/draft-target.ts';
import { DraftConflictError } from '../draft/edit-draft.ts';
import { formatConflicts } from './format-drafts.ts';

const DRAFT = 'its id, for the next slot; or with the slot, such as daily-roundup/2026-11-24';

/** Adds a command to the group `editions`, with the draft as its first argument. */
export function addDraftCommand(editions: Command, verb: string, description: string): Command {
  return editions
    .command(verb)
    .description(description)
    .argument('<newsletter>', DRAFT)
    .option('--by <name>', 'who gives the command; default: DAYWIRE_EDITOR, or the name of the system user')
    .addOption(jsonOption());
}

/** The same for a command without further arguments: the slot can be one. */
export function addSlotCommand(editions: Command, verb: string, description: string): Command {
  return editions
    .command(verb)
    .description(description)
    .argument('<newsletter>', DRAFT)
    .argument('[slot]', 'the slot, where the first argument is only the newsletter')
    .addOption(jsonOption());
}

/** Calls `work` with the named draft. A conflict with another editor becomes a message with both values. */
export function withDraft(
  cli: CliContext,
  name: string,
  { by, slot }: EditorOptions & { slot?: string | undefined },
  work: (app: AppContext, target: DraftTarget, editor: string) => Promise<void>,
): Promise<void> {
  return cli.withApp(async (app) => {
    const editor = editorName(cli, by);
    const target = await draftNamed(app, name, slot);
    try {
      await work(app, target, editor);
    } catch (error) {
      if (error instanceof DraftConflictError) throw new CommandError(formatConflicts(error).join('\n'));
      throw error;
    }
  });
}

/** `daily-roundup`, with the slot or without, or `daily-roundup/2026-11-24`. @throws CommandError; SlotError */
export function draftNamed(app: AppContext, name: string, slot?: string): Promise<DraftTarget> {
  const at = name.indexOf('/');
  if (at >= 0 && slot !== undefined) throw new CommandError(`${name} has a slot already: leave out ${slot}`);
  const [id, label] = at < 0 ? [name, slot] : [name.slice(0, at), name.slice(at + 1)];
  return findDraftTarget(app, newsletterNamed(app.config, id), label);
}
