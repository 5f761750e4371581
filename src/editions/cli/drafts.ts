/**
 * The editor's commands to the draft of an edition.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, type JsonOption, printResult } from '../../core/cli/context.ts';
import type { EditorOptions } from '../../core/cli/editor.ts';
import { formatJson } from '../../core/cli/text.ts';
import { sendTestCopy } from '../../delivery/message/test-copy.ts';
import { parseBlock } from '../draft/commands.ts';
import type { DraftBlock, StoryPlace } from '../draft/decisions.ts';
import { readDraftLog } from '../draft/draft-store.ts';
import { type DraftTarget, targetName } from '../draft/draft-target.ts';
import { type DraftView, readDraftView } from '../draft/draft-views.ts';
import { blockSeen, type DraftEdit, type DraftRequest, editDraft } from '../draft/edit-draft.ts';
import type { LogEntry } from '../draft/history.ts';
import { addDraftCommand, addSlotCommand, draftNamed, withDraft } from './draft-command.ts';
import { draftEditJson, formatDraftLog, formatEdit } from './format-drafts.ts';
import { sendEdition } from './send-edition.ts';

interface TextOptions extends EditorOptions {
  auto?: boolean;
}

interface NoteOptions extends EditorOptions {
  file?: string;
  remove?: boolean;
}

interface MoveOptions extends EditorOptions {
  to?: DraftBlock;
  after?: string;
  before?: string;
  first?: boolean;
  last?: boolean;
}

const MAX_NOTE_BYTES = 100_000;

/** Adds to the group `editions`. */
export function addDraftCommands(editions: Command, cli: CliContext): void {
  addTextCommands(editions, cli);
  addStoryCommands(editions, cli);
  addDraftCommand(editions, 'hold', 'keep the edition from closing until it is let go')
    .option('--reason <text>', 'recorded with the hold')
    .action((name: string, { reason, ...options }: EditorOptions & { reason?: string }) =>
      edit(cli, name, options, () => ({ kind: 'hold', reason: reason ?? null })),
    );
  const plain = [
    ['unhold', 'let a held edition close'],
    ['approve', 'let the edition close with exactly the stories that "editions show" printed last; sends an alert'],
    ['undo', 'undo your last command'],
    ['redo', 'repeat the command that you undid last'],
  ] as const;
  for (const [kind, description] of plain) {
    addDraftCommand(editions, kind, description).action((name: string, options: EditorOptions) =>
      edit(cli, name, options, () => ({ kind })),
    );
  }
  addSlotCommand(editions, 'log', 'list all commands to the draft, newest first').action(
    (name: string, slot: string | undefined, options: JsonOption) =>
      cli.withApp(async (app) => {
        const value = (await logNamed(app, name, slot)).toReversed();
        printResult(cli, options, { value, text: () => formatDraftLog(value, app.config.publication.zone) });
      }),
  );
  addDraftCommand(editions, 'test', 'mail a marked copy of the edition to an address')
    .argument('<address>', 'an email address')
    .action((name: string, to: string, options: EditorOptions) =>
      withDraft(cli, name, options, async (app, { newsletter, slot }) => {
        const outcome = await sendTestCopy(app, newsletter, { to, slot: slot.label });
        if (outcome.kind === 'refused') throw new CommandError(`nothing to mail: ${outcome.reason}`);
        const { reply, stories, isSkipped } = outcome;
        printResult(cli, options, {
          value: { to, reply, stories, isSkipped },
          text: () => `submitted a test copy to ${to}: ${reply}`,
        });
      }),
    );
}

function addTextCommands(editions: Command, cli: CliContext): void {
  for (const kind of ['subject', 'preheader'] as const) {
    addDraftCommand(editions, kind, `write the ${kind} of the edition`)
      .argument('[text]', 'one line')
      .option('--auto', 'restore the automatic one')
      .action((name: string, text: string | undefined, { auto = false, ...options }: TextOptions) => {
        if ((text === undefined) !== auto) throw new CommandError(`${kind} takes either a text or --auto`);
        return edit(cli, name, options, () => ({ kind, text: text ?? null }));
      });
  }
  addDraftCommand(editions, 'note', "write the editor's note, in Markdown, at the top of the edition")
    .argument('[text]', 'the note')
    .addOption(new Option('--file <path>', 'read the note from a file; - for standard input').conflicts('remove'))
    .option('--remove', 'remove the note')
    .action(async (name: string, text: string | undefined, { file, remove = false, ...options }: NoteOptions) => {
      if ([text !== undefined, file !== undefined, remove].filter(Boolean).length !== 1) {
        throw new CommandError('note takes either a text, --file or --remove');
      }
      const note = file === undefined ? (text ?? null) : await readNote(cli, file);
      return edit(cli, name, options, () => ({ kind: 'note', text: note }));
    });
}

function addStoryCommands(editions: Command, cli: CliContext): void {
  const story = 'its number in what "editions show" printed last, or the id of the article';
  const simple = [
    ['pin', 'keep a story in the edition, as if the article were pinned; also one that is too old'],
    ['drop', 'keep a story out of the edition'],
    ['restore', 'leave a story to the rules again'],
  ] as const;
  for (const [kind, description] of simple) {
    addDraftCommand(editions, kind, description)
      .argument('<story...>', story)
      .action((name: string, stories: string[], options: EditorOptions) =>
        withDraft(cli, name, options, async (app, target, editor) => {
          const view = await viewOf(app, target, editor);
          const done: DraftEdit[] = [];
          try {
            for (const id of stories.map((one) => storyNamed(view, one, target))) {
              const result = await editDraft(app, target, editor, { kind, story: id });
              done.push(result);
              if (!options.json) cli.print(formatEdit(target, result));
            }
          } finally {
            // Also of those before one that is refused.
            if (options.json && done.length > 0)
              cli.print(
                formatJson(
                  done.map((one) => draftEditJson(target, one)),
                  2,
                ),
              );
          }
        }),
      );
  }
  addDraftCommand(editions, 'move', 'move a story within its block or to another')
    .argument('<story>', story)
    .addOption(new Option('--to <block>', 'lead, news, analysis, roundup or latest').argParser(parseBlockName))
    .addOption(new Option('--after <story>', 'below that story').conflicts(['before', 'first', 'last']))
    .addOption(new Option('--before <story>', 'above that story').conflicts(['first', 'last']))
    .addOption(new Option('--first', 'to the top of the block').conflicts('last'))
    .option('--last', 'to the end of the block')
    .action((name: string, moved: string, options: MoveOptions) =>
      withDraft(cli, name, options, async (app, target, editor) => {
        const view = await viewOf(app, target, editor);
        const id = storyNamed(view, moved, target);
        const place = placeOf(options, (one) => storyNamed(view, one, target));
        const anchor = 'story' in place ? blockSeen(view, place.story) : null;
        const block = options.to ?? anchor ?? blockSeen(view, id);
        if (block === null) throw new CommandError(`${id} is in no block: name one with --to`);
        await carryOut(cli, app, { target, editor, options }, { kind: 'move', story: id, block, place });
      }),
    );
}

function edit(cli: CliContext, name: string, options: EditorOptions, request: () => DraftRequest): Promise<void> {
  return withDraft(cli, name, options, (app, target, editor) =>
    carryOut(cli, app, { target, editor, options }, request()),
  );
}

async function carryOut(
  cli: CliContext,
  app: AppContext,
  { target, editor, options }: { target: DraftTarget; editor: string; options: EditorOptions },
  request: DraftRequest,
): Promise<void> {
  const result: DraftEdit = await editDraft(app, target, editor, request);
  // An alert has no slot to wait for.
  if (request.kind === 'approve' && target.newsletter.kind === 'alert') {
    return sendEdition(cli, app, { target, editor }, options);
  }
  printResult(cli, options, {
    value: draftEditJson(target, result),
    text: () => formatEdit(target, result),
  });
}

/** Also the log of a slot that is no longer scheduled, or of a newsletter that is no longer configured. */
async function logNamed(app: AppContext, name: string, label?: string): Promise<LogEntry[]> {
  const [, newsletter = name, slot = label] = /^([^/]*)\/(.*)$/s.exec(name) ?? [];
  const log = slot === undefined ? [] : await readDraftLog(app.store.db, newsletter, slot);
  if (log.length > 0) return log;
  const target = await draftNamed(app, name, label);
  return readDraftLog(app.store.db, target.newsletter.id, target.slot.label);
}

function viewOf(app: AppContext, { newsletter, slot }: DraftTarget, editor: string): Promise<DraftView | null> {
  return readDraftView(app.store.db, newsletter.id, slot.label, editor);
}

/** The id of a story named by its number or its id. @throws CommandError for a number that the editor has not seen */
function storyNamed(view: DraftView | null, name: string, target: DraftTarget): string {
  if (!/^\d{1,4}$/.test(name)) return name;
  const story = view?.stories[Number(name) - 1];
  if (story !== undefined) return story.id;
  const command = `"daywire editions show ${targetName(target)}"`;
  if (view === null && target.edition !== null) {
    throw new CommandError(
      `${name} names no story: the edition is closed, and ${command} lists the ids of its articles`,
    );
  }
  throw new CommandError(
    view === null
      ? `${name} names no story yet: ${command} prints the numbers`
      : `there is no story ${name}: ${command} printed ${view.stories.length} numbers`,
  );
}

function placeOf({ after, before, first }: MoveOptions, named: (story: string) => string): StoryPlace {
  if (after !== undefined) return { kind: 'after', story: named(after) };
  if (before !== undefined) return { kind: 'before', story: named(before) };
  return { kind: first === true ? 'first' : 'last' };
}

async function readNote(cli: CliContext, file: string): Promise<string> {
  if (file === '-') return (await cli.readInput(MAX_NOTE_BYTES)).toString('utf8');
  try {
    return readFileSync(resolve(cli.processEnv('warn').cwd, file), 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function parseBlockName(name: string): DraftBlock {
  try {
    return parseBlock(name);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
