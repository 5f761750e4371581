/** Adding a report by its address. */
import type { Command } from 'commander';
import { type CliContext, printResult } from '../../core/cli/context.ts';
import { plainLine } from '../../lib/text/clean-text.ts';
import { localDateTime } from '../../lib/time.ts';
import { type AddedReport, addReport } from '../story-groups/add-report.ts';
import type { GroupCommand } from '../story-groups/commands.ts';
import { editGroups, lookAtGroup } from '../story-groups/edit-groups.ts';
import { formatGroupEdit, groupEditJson } from './format-roundup.ts';
import { optionsOf, type PickFlags, pickInDocument } from './pick.ts';
import { addRoundupCommand, withEditor } from './roundup-command.ts';

interface AddFlags extends Pick<PickFlags, 'by' | 'json' | 'text' | 'section' | 'picture'> {
  title?: string;
  outlet?: string;
  published?: string;
}

/** Adds to the group `roundup`. */
export function addAddCommand(roundup: Command, cli: CliContext): void {
  addRoundupCommand(
    roundup,
    'add',
    'put a report into the roundup by its address: title, outlet and date are read there',
  )
    .argument('<url>', 'the address of the report')
    .option('--text <sentence>', 'your sentence, in Markdown; default: it is written in $VISUAL or $EDITOR')
    .option('--title <text>', "the outlet's headline, where the page does not say it")
    .option('--outlet <name>', 'the outlet, where the page does not say it')
    .option('--published <time>', 'when the outlet published it, such as "2026-11-24 07:30"')
    .option('--section <id>', 'a section of the newsroom')
    .option('--picture', "with the page's picture, and the outlet as its credit")
    .action((url: string, flags: AddFlags) =>
      withEditor(cli, flags, async (app, editor) => {
        const { title, outlet, published, text, ...options } = flags;
        const added = await addReport(app, url, { title, outlet, published });
        for (const notice of added.notices) cli.printError(plainLine(notice));
        if (!options.json) cli.print(formatAdded(added, app.config.publication.zone));
        const seen = await lookAtGroup(app, editor, `g${added.id}`);
        if (text === undefined) return pickInDocument(cli, app, editor, [seen], 'pick', options);
        const command: GroupCommand = { kind: 'pick', text, ...optionsOf(seen.group, options) };
        const result = await editGroups(app, editor, [seen.reference], command);
        printResult(cli, options, {
          value: { added: { ...added.report, id: added.id, isNew: added.isNew }, ...groupEditJson(result) },
          text: () => formatGroupEdit('pick', result),
        });
      }),
    );
}

function formatAdded({ id, isNew, report }: AddedReport, zone: string): string {
  const { outlet, title, url, publishedAt, imageUrl } = report;
  const time = publishedAt === null ? 'no date' : localDateTime(publishedAt, zone);
  return [
    `${isNew ? 'added' : 'known already as'} g${id}: ${plainLine(title)}`,
    `    ${plainLine(outlet)}, ${time}`,
    `    ${url}`,
    ...(imageUrl === null ? [] : [`    picture, used with --picture: ${imageUrl}`]),
  ].join('\n');
}
