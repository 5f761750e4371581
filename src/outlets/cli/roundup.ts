/** The editor's commands to the reports of other outlets: what there is, and what enters the roundup. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, type JsonOption, jsonOption, newsletterNamed, printResult } from '../../core/cli/context.ts';
import type { EditorOptions } from '../../core/cli/editor.ts';
import { formatJson } from '../../core/cli/text.ts';
import { readRoundupLog } from '../story-groups/change-groups.ts';
import type { GroupCommand } from '../story-groups/commands.ts';
import { editGroups, findReference, type GroupEdit, lookAtGroup, seeGroup } from '../story-groups/edit-groups.ts';
import { listGroups } from '../story-groups/list-groups.ts';
import { addAddCommand } from './add.ts';
import {
  formatGroup,
  formatGroupEdit,
  formatListing,
  formatRoundupLog,
  groupEditJson,
  groupJson,
  listingJson,
} from './format-roundup.ts';
import { addPickCommands } from './pick.ts';
import { addRoundupCommand, GROUP, LISTED, reportNamed, withEditor } from './roundup-command.ts';

interface ListFlags extends EditorOptions {
  all?: boolean;
  limit: number;
}

export function addRoundupCommands(program: Command, cli: CliContext): void {
  const roundup = program.command('roundup').description('what other outlets report, and what enters the roundup');
  addRoundupCommand(roundup, 'list', 'list what other outlets reported: events of many outlets and fresh ones first')
    .argument('[newsletter]', 'for the hours of its roundup; default: the longest of all')
    .option('--all', 'also what editors dropped')
    .addOption(new Option('--limit <number>', 'at most this many groups').default(LISTED).argParser(parseLimit))
    .action((name: string | undefined, options: ListFlags) => list(cli, name, options));
  addRoundupCommand(roundup, 'show', 'show all reports of a group, with links and summaries')
    .argument('<group>', GROUP)
    .action((name: string, options: EditorOptions) =>
      withEditor(cli, options, async (app, editor) => {
        const group = await seeGroup(app, editor, name);
        printResult(cli, options, {
          value: groupJson(group),
          text: () => formatGroup(group, app.config.publication.zone),
        });
      }),
    );
  addPickCommands(roundup, cli);
  addAddCommand(roundup, cli);
  addGroupCommands(roundup, cli);
  roundup
    .command('log')
    .description('list all commands to the roundup, newest first')
    .addOption(new Option('--limit <number>', 'at most this many').default(50).argParser(parseLimit))
    .addOption(jsonOption())
    .action((options: JsonOption & { limit: number }) =>
      cli.withApp(async ({ store, config }) => {
        const value = await readRoundupLog(store.db, { limit: options.limit });
        printResult(cli, options, { value, text: () => formatRoundupLog(value, config.publication.zone) });
      }),
    );
}

function list(cli: CliContext, name: string | undefined, { all = false, limit, ...options }: ListFlags) {
  return withEditor(cli, options, async (app, editor) => {
    const newsletter = name === undefined ? undefined : newsletterNamed(app.config, name);
    const listing = await listGroups(app, editor, { newsletter, all, limit });
    printResult(cli, options, {
      value: listingJson(listing),
      text: () => formatListing(listing, app.config.publication.zone),
    });
  });
}

function addGroupCommands(roundup: Command, cli: CliContext): void {
  for (const [kind, description] of [
    ['drop', 'keep groups out of the list, and of the roundup if they are in it'],
    ['restore', 'take back a drop or a pick'],
  ] as const) {
    addRoundupCommand(roundup, kind, description)
      .argument('<group...>', GROUP)
      .action((names: string[], options: EditorOptions) =>
        withEditor(cli, options, async (app, editor) => {
          const done: GroupEdit[] = [];
          try {
            for (const name of names) {
              const edit = await editGroups(app, editor, [await findReference(app, editor, name)], { kind });
              done.push(edit);
              if (!options.json) cli.print(formatGroupEdit(kind, edit));
            }
          } finally {
            // Also of those before one that is refused.
            if (options.json && done.length > 0) cli.print(formatJson(done.map(groupEditJson), 2));
          }
        }),
      );
  }
  addRoundupCommand(roundup, 'merge', 'join groups that report the same event')
    .argument('<group>', GROUP)
    .argument('<others...>', 'the groups that join it')
    .action((name: string, others: string[], options: EditorOptions) =>
      withEditor(cli, options, (app, editor) =>
        carryOut(cli, app, editor, [name, ...others], { kind: 'merge' }, options),
      ),
    );
  addRoundupCommand(roundup, 'split', 'make reports of a group a group of their own')
    .argument('<group>', GROUP)
    .argument('<report...>', 'an outlet, or g and the id of the report')
    .action((name: string, reports: string[], options: EditorOptions) =>
      withEditor(cli, options, async (app, editor) => {
        const { group } = await lookAtGroup(app, editor, name);
        const items = reports.map((report) => reportNamed(group, report).id);
        await carryOut(cli, app, editor, [name], { kind: 'split', items }, options);
      }),
    );
  addRoundupCommand(roundup, 'first', 'name another outlet first, with its headline and link')
    .argument('<group>', GROUP)
    .argument('<report>', 'an outlet, or g and the id of the report')
    .action((name: string, report: string, options: EditorOptions) =>
      withEditor(cli, options, async (app, editor) => {
        const { group } = await lookAtGroup(app, editor, name);
        await carryOut(cli, app, editor, [name], { kind: 'first', item: reportNamed(group, report).id }, options);
      }),
    );
}

async function carryOut(
  cli: CliContext,
  app: AppContext,
  editor: string,
  names: string[],
  command: GroupCommand,
  options: JsonOption,
): Promise<void> {
  const references = [];
  for (const name of names) references.push(await findReference(app, editor, name));
  const edit = await editGroups(app, editor, references, command);
  printResult(cli, options, { value: groupEditJson(edit), text: () => formatGroupEdit(command.kind, edit) });
}

function parseLimit(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1 && number <= 10_000) return number;
  throw new InvalidArgumentError('It must be a whole number from 1 to 10000.');
}
