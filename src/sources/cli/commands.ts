/**
 * Commands about sources: the newsroom's own sites, whose articles are polled, and feeds of other outlets, from which
 * editors pick.
 */
import { type Command, Option } from 'commander';
import { type CliContext, CommandError, type JsonOption, jsonCommand } from '../../core/cli/context.ts';
import { addOpmlCommands } from './opml.ts';
import {
  type AddOptions,
  acceptHeld,
  addSource,
  changePause,
  decideOnWithdrawals,
  listSources,
  pollSource,
  requireSite,
  showSource,
  showWebhook,
  testAddress,
  testSource,
  withSource,
} from './sources.ts';

export function addSourceCommands(program: Command, cli: CliContext): void {
  const sources = program.command('sources').description('the sites and feeds that are polled');
  const forOutlet = () =>
    new Option('--roundup', 'the feed of another outlet, from which editors pick for the roundup');
  jsonCommand(sources, 'list', 'list the sources, with their last poll').action((options: JsonOption) =>
    listSources(cli, options),
  );
  jsonCommand(sources, 'show', 'show a source; with --webhook, the address and secret for its CMS')
    .argument('<id>', 'of the source')
    .option('--webhook', 'print the address and the secret of its webhook')
    .action((id: string, { webhook, ...options }: JsonOption & { webhook?: boolean }) =>
      withSource(cli, id, (app, source) => {
        if (!webhook) return showSource(cli, app, id, options);
        return showWebhook(cli, app, requireSite(source).id, options);
      }),
    );
  jsonCommand(sources, 'test', 'find out what can be polled, and print its newest posts; nothing is stored')
    .argument('<id-or-url>', 'of a source, or any address')
    .addOption(forOutlet())
    .action((name: string, options: JsonOption & { roundup?: boolean }) =>
      /^https?:\/\//i.test(name)
        ? testAddress(cli, name, options)
        : withSource(cli, name, (app, source) => testSource(cli, app, source, options)),
    );
  jsonCommand(sources, 'add', 'try a site, and add it to the configuration')
    .argument('<url>', 'of the site, or of its feed')
    .option('--id <id>', 'name of the source; begins the ids of its articles; default: from the address')
    .addOption(forOutlet())
    .option('--outlet <name>', 'with --roundup: the name of the outlet; default: the title of the feed')
    .action((url: string, options: AddOptions) => {
      if (options.outlet !== undefined && !options.roundup) throw new CommandError('--outlet is for --roundup');
      return addSource(cli, url, options);
    });
  for (const verb of ['pause', 'resume'] as const) {
    jsonCommand(
      sources,
      verb,
      verb === 'pause' ? 'poll a source no longer, until it is resumed' : 'poll a paused source again',
    )
      .argument('<id>', 'of the source')
      .action((id: string, options: JsonOption) =>
        withSource(cli, id, (app, source) => changePause(cli, app, source, { ...options, isPaused: verb === 'pause' })),
      );
  }
  jsonCommand(sources, 'poll', 'poll a source now, then publish what changed')
    .argument('<id>', 'of the source')
    .option('--all', 'read all of it again, for example after a change of "sections" or "kinds"')
    .action((id: string, options: JsonOption & { all?: boolean }) =>
      withSource(cli, id, (app, source) => pollSource(cli, app, source, options)),
    );
  jsonCommand(sources, 'accept', 'take the items of a source that are held because so many are new')
    .argument('<id>', 'of the source')
    .option('--ignore', 'show none of them, ever')
    .action((id: string, options: JsonOption & { ignore?: boolean }) =>
      withSource(cli, id, (app, source) => acceptHeld(cli, app, source, options)),
    );
  jsonCommand(sources, 'withdraw', 'retract the articles of posts that are gone and wait for a decision')
    .argument('<id>', 'of the source')
    .addOption(new Option('--keep', 'keep them as they are instead'))
    .action((id: string, options: JsonOption & { keep?: boolean }) =>
      withSource(cli, id, (app, source) => decideOnWithdrawals(cli, app, requireSite(source), options)),
    );
  addOpmlCommands(sources, cli);
}
