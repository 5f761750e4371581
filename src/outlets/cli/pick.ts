/** Picking groups: with `--text` for one of them, or in one document for all. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, printResult } from '../../core/cli/context.ts';
import type { EditorOptions } from '../../core/cli/editor.ts';
import { formatJson } from '../../core/cli/text.ts';
import type { GroupCommand } from '../story-groups/commands.ts';
import { editGroups, type GroupEdit, lookAtGroup, type SeenGroup } from '../story-groups/edit-groups.ts';
import { listGroups } from '../story-groups/list-groups.ts';
import type { StoryGroup } from '../story-groups/story-group.ts';
import { formatGroupEdit, groupEditJson } from './format-roundup.ts';
import { addRoundupCommand, describeConflict, GROUP, LISTED, reportNamed, withEditor } from './roundup-command.ts';
import { formatDocument, parseDocument } from './sentence-document.ts';
import { typeText } from './text-editor.ts';

export interface PickFlags extends EditorOptions {
  text?: string;
  file?: string;
  /** False where `--no-headline` and the like were given. */
  headline?: string | false;
  first?: string;
  section?: string | false;
  picture?: boolean;
}

/** Adds to the group `roundup`. */
export function addPickCommands(roundup: Command, cli: CliContext): void {
  const pick = addRoundupCommand(roundup, 'pick', 'put groups into the roundup, each with a sentence of your own')
    .argument('[group...]', `${GROUP}; default: all that "roundup list" prints and nobody has picked`)
    .addOption(
      new Option('--file <path>', 'read the sentences from a document that "pick" has kept').conflicts('text'),
    );
  addPickOptions(pick).action((names: string[], options: PickFlags) =>
    withEditor(cli, options, (app, editor) => pickGroups(cli, app, editor, names, options)),
  );
  const edit = addRoundupCommand(
    roundup,
    'edit',
    'change what the roundup says of a picked group, and credit new reports',
  );
  addPickOptions(edit.argument('<group>', GROUP)).action((name: string, options: PickFlags) =>
    withEditor(cli, options, async (app, editor) => {
      const seen = await lookAtGroup(app, editor, name);
      const changes = optionsOf(seen.group, options);
      const { text } = options;
      if (text !== undefined || Object.keys(changes).length > 0) {
        const command: GroupCommand = { kind: 'edit', ...(text === undefined ? {} : { text }), ...changes };
        const result = await editGroups(app, editor, [seen.named], command);
        printResult(cli, options, { value: groupEditJson(result), text: () => formatGroupEdit('edit', result) });
        return;
      }
      await pickInDocument(cli, app, editor, [seen], 'edit', options);
    }),
  );
}

function addPickOptions(command: Command): Command {
  return command
    .option(
      '--text <sentence>',
      'the sentence, in Markdown, for one group; default: it is written in $VISUAL or $EDITOR',
    )
    .option('--headline <text>', 'a headline of your own, for one group')
    .option('--no-headline', "the outlet's headline again")
    .option(
      '--first <outlet>',
      'the outlet that is named first, with its headline and link; or g and the id of a report',
    )
    .option('--section <id>', 'a section of the newsroom')
    .option('--no-section', 'in no section again')
    .option('--picture', "with the outlet's picture, and the outlet as its credit")
    .option('--no-picture', 'without a picture again');
}

export function optionsOf(group: StoryGroup, { headline, first, section, picture }: PickFlags) {
  return {
    ...(headline === undefined ? {} : { headline: headline === false ? null : headline }),
    ...(first === undefined ? {} : { first: reportNamed(group, first).id }),
    ...(section === undefined ? {} : { section: section === false ? null : section }),
    ...(picture === undefined ? {} : { hasPicture: picture }),
  };
}

async function pickGroups(
  cli: CliContext,
  app: AppContext,
  editor: string,
  names: string[],
  options: PickFlags,
): Promise<void> {
  const { text, file } = options;
  if (file !== undefined) {
    if (names.length > 0) throw new CommandError('--file names the groups: leave out the others');
    return pickFromFile(cli, app, editor, options, file);
  }
  if (names.length === 0) {
    requireNoOptions(options, text);
    const open = await lookAtOpen(app, editor);
    if (open.length === 0) throw new CommandError('nothing to pick: outlets reported nothing that is not picked');
    return pickInDocument(cli, app, editor, open, 'pick', options);
  }
  const seen = await lookAtAll(app, editor, names);
  const [only, ...others] = seen as [SeenGroup, ...SeenGroup[]];
  if (others.length > 0) requireNoOptions(options, text);
  if (text === undefined) return pickInDocument(cli, app, editor, seen, 'pick', options);
  const command: GroupCommand = { kind: 'pick', text, ...optionsOf(only.group, options) };
  const result = await editGroups(app, editor, [only.named], command);
  printResult(cli, options, { value: [groupEditJson(result)], text: () => formatGroupEdit('pick', result) });
}

function requireNoOptions({ headline, first }: PickFlags, text: string | undefined): void {
  const given = Object.entries({ text, headline, first }).find(([, value]) => value !== undefined);
  if (given !== undefined) throw new CommandError(`--${given[0]} is for one group: pick the others by themselves`);
}

/** The groups that "roundup list" prints, without picked ones. Their numbers count from now on. */
async function lookAtOpen(app: AppContext, editor: string): Promise<SeenGroup[]> {
  const { groups } = await listGroups(app, editor, { all: false, limit: LISTED });
  const open = groups.filter(({ group }) => group.decision?.state !== 'picked');
  return lookAtAll(
    app,
    editor,
    open.map(({ number }) => String(number)),
  );
}

/** Groups that are named twice count once. */
async function lookAtAll(app: AppContext, editor: string, names: string[]): Promise<SeenGroup[]> {
  const seen = new Map<number, SeenGroup>();
  for (const name of names) {
    const one = await lookAtGroup(app, editor, name);
    seen.set(one.group.id, one);
  }
  return [...seen.values()];
}

export async function pickInDocument(
  cli: CliContext,
  app: AppContext,
  editor: string,
  seen: SeenGroup[],
  kind: 'pick' | 'edit',
  options: PickFlags,
): Promise<void> {
  const groups = seen.map(({ group }) => group);
  // Before anything is typed.
  for (const group of groups) optionsOf(group, options);
  if (kind === 'edit' && groups[0]?.decision?.state !== 'picked') throw new CommandError('it is not picked: use pick');
  const { path, text, remove } = await typeText(cli, formatDocument(groups, app.config.publication.zone));
  const kept = `what you wrote is in ${path}; "daywire roundup pick --file ${path}" picks from it`;
  let sentences: Map<number, string>;
  try {
    sentences = parseDocument(
      text,
      groups.map(({ id }) => id),
    );
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n${kept}`);
  }
  if (await pickEach(cli, app, editor, seen, { kind, sentences }, options)) await remove();
  else cli.printError(kept);
}

async function pickFromFile(
  cli: CliContext,
  app: AppContext,
  editor: string,
  options: PickFlags,
  file: string,
): Promise<void> {
  const path = resolve(cli.processEnv('warn').cwd, file);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${file} cannot be read: ${error.code}`);
  });
  const sentences = parseDocument(text);
  if (sentences.size > 1) requireNoOptions(options, undefined);
  const names = [...sentences.keys()].map((id) => `g${id}`);
  if (names.length === 0) throw new CommandError(`${file} has no headings such as "===== g17 ====="`);
  const seen: SeenGroup[] = [];
  const byId = new Map<number, string>();
  for (const [id, sentence] of sentences) {
    const one = await lookAtGroup(app, editor, `g${id}`);
    seen.push(one);
    byId.set(one.group.id, sentence);
  }
  await pickEach(cli, app, editor, seen, { kind: 'pick', sentences: byId }, options);
}

/** Picks each group that has a sentence. One that is refused does not hold up the others. @returns whether none was */
async function pickEach(
  cli: CliContext,
  app: AppContext,
  editor: string,
  seen: readonly SeenGroup[],
  { kind, sentences }: { kind: 'pick' | 'edit'; sentences: ReadonlyMap<number, string> },
  options: PickFlags,
): Promise<boolean> {
  const done: { edit: GroupEdit; line: string }[] = [];
  const notPicked: number[] = [];
  let isComplete = true;
  for (const { group, reference } of seen) {
    const text = sentences.get(group.id) ?? '';
    if (text === '') {
      notPicked.push(group.id);
      continue;
    }
    try {
      const edit = await editGroups(app, editor, [reference], { kind, text, ...optionsOf(group, options) });
      done.push({ edit, line: formatGroupEdit(kind, edit) });
      if (!options.json) cli.print(formatGroupEdit(kind, edit));
    } catch (error) {
      isComplete = false;
      const { message } = describeConflict(error, app) as Error;
      for (const line of `g${group.id}: ${message}`.split('\n')) cli.printError(line);
      cli.fail();
    }
  }
  if (!options.json && notPicked.length > 0) cli.print(describeNotPicked(notPicked));
  if (options.json) cli.print(formatJson({ picked: done.map(({ edit }) => groupEditJson(edit)), notPicked }, 2));
  return isComplete;
}

function describeNotPicked(ids: readonly number[]): string {
  const named = ids.map((id) => `g${id}`).join(', ');
  return ids.length === 1
    ? `left ${named} as it is: it has no sentence`
    : `left ${named} as they are: they have no sentence`;
}
