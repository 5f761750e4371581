/**
 * Commands to the reports of other outlets, as far as scripts and an emergency need them: what there is, and what
 * enters the roundup. Editors work at the desk.
 */
import type { Command } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import {
  type CliContext,
  CommandError,
  type JsonOption,
  jsonCommand,
  parseWholeNumber,
  printResult,
} from '../../core/cli/context.ts';
import { BY, type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { plainLine } from '../../lib/text/clean-text.ts';
import { addReport, type ReportOverrides } from '../story-groups/add-report.ts';
import { browseGroups } from '../story-groups/browse-groups.ts';
import type { GroupCommand } from '../story-groups/commands.ts';
import { editGroups, type GroupEdit } from '../story-groups/edit-groups.ts';
import { regroupIfDue } from '../story-groups/regroup.ts';
import { formatAdded, formatGroupEdit, formatListing, groupEditJson, listingJson } from './format-roundup.ts';

interface ListFlags extends JsonOption {
  all?: boolean;
  limit: number;
}

interface AddFlags extends EditorOptions, ReportOverrides {
  text: string;
}

const GROUP = 'g and the id of one of its reports, such as g17, as "roundup list" prints it';
const SENTENCE = ['--text <sentence>', 'your sentence, in Markdown'] as const;

export function addRoundupCommands(program: Command, cli: CliContext): void {
  const roundup = program.command('roundup').description('what other outlets report, and what enters the roundup');
  const command = (verb: string, description: string): Command => jsonCommand(roundup, verb, description);
  command('list', 'list what other outlets reported: events of many outlets and fresh ones first')
    .option('--all', 'also what editors dropped')
    .option('--limit <number>', 'at most this many groups', parseWholeNumber(10_000), 40)
    .action((options: ListFlags) => list(cli, options));
  command('pick', 'put a group into the roundup, with a sentence of your own')
    .argument('<group>', GROUP)
    .requiredOption(...SENTENCE)
    .option(...BY)
    .action((name: string, { text, ...options }: EditorOptions & { text: string }) =>
      edit(cli, name, options, { kind: 'pick', text }),
    );
  for (const [kind, description] of [
    ['drop', 'keep a group out of the list, and of the roundup if it is in it'],
    ['restore', 'take back a drop or a pick'],
  ] as const) {
    command(kind, description)
      .argument('<group>', GROUP)
      .option(...BY)
      .action((name: string, options: EditorOptions) => edit(cli, name, options, { kind }));
  }
  command('add', 'put a report into the roundup by its address: title, outlet and date are read there')
    .argument('<url>', 'the address of the report')
    .requiredOption(...SENTENCE)
    .option('--title <text>', "the outlet's headline, where the page does not say it")
    .option('--outlet <name>', 'the outlet, where the page does not say it')
    .option('--published <time>', 'when the outlet published it, such as "2026-11-24 07:30"')
    .option(...BY)
    .action((url: string, flags: AddFlags) => add(cli, url, flags));
}

function list(cli: CliContext, { all = false, limit, ...options }: ListFlags): Promise<void> {
  return cli.withApp(async (app) => {
    // Why the newest reports are missing: they could not be grouped.
    const problem = (await regroupIfDue(app))?.problem ?? null;
    const page = await browseGroups(app, { limit, filter: all ? 'all' : 'current', after: null });
    const listing = { ...page, dropped: all ? 0 : page.counts.dropped, problem };
    printResult(cli, options, listingJson(listing), () => formatListing(listing, app.config.publication.zone));
  });
}

function edit(cli: CliContext, name: string, { by, ...options }: EditorOptions, command: GroupCommand): Promise<void> {
  return cli.withApp(async (app) => {
    const result = await carryOut(app, editorName(cli, by), itemNamed(name), command);
    printResult(cli, options, groupEditJson(result), () => formatGroupEdit(command.kind, result));
  });
}

function add(cli: CliContext, url: string, { by, text, json, ...overrides }: AddFlags): Promise<void> {
  return cli.withApp(async (app) => {
    const editor = editorName(cli, by);
    const added = await addReport(app, url, overrides);
    for (const notice of added.notices) cli.printError(plainLine(notice));
    const result = await carryOut(app, editor, added.id, { kind: 'pick', text });
    const value = { added: { ...added.report, id: added.id, isNew: added.isNew }, ...groupEditJson(result) };
    printResult(cli, { json }, value, () =>
      [...formatAdded(added, app.config.publication.zone), formatGroupEdit('pick', result)].join('\n'),
    );
  });
}

/** Changes the group with the report, as it is now. */
function carryOut(app: AppContext, editor: string, item: number, command: GroupCommand): Promise<GroupEdit> {
  return editGroups(app, editor, [{ items: [item], seen: null }], command);
}

function itemNamed(name: string): number {
  const [, item] = /^g(\d{1,15})$/i.exec(name) ?? [];
  if (item !== undefined) return Number(item);
  throw new CommandError(
    `${plainLine(name)} names no group: use g and its id, such as g17: see "daywire roundup list"`,
  );
}
