/**
 * Commands about sources: the newsroom's own sites, whose articles are polled, and feeds of other outlets, from which
 * editors pick.
 */
import { type Command, Option } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import {
  type CliContext,
  CommandError,
  findById,
  type JsonOption,
  jsonOption,
  printResult,
} from '../../core/cli/context.ts';
import { withLocalTimes } from '../../core/cli/text.ts';
import type { ArticleSource, Config, RoundupSource } from '../../core/config/config.ts';
import { readOutletStatus } from '../../outlets/outlet-status.ts';
import { readSourceStatus } from '../../own-sites/source-status.ts';
import {
  addSite,
  decideOnWithdrawals,
  type PollFlags,
  pausePolls,
  pollSite,
  type ShowOptions,
  showSite,
  testSite,
} from './article-sources.ts';
import { formatOutlet } from './format-outlets.ts';
import { formatSource } from './format-sources.ts';
import { addOpmlCommands } from './opml.ts';
import {
  type AddOptions,
  acceptHeld,
  addOutlet,
  pollOutlet,
  showOutlet,
  testOutlet,
  testUnconfigured,
} from './outlet-sources.ts';

export function addCommands(program: Command, cli: CliContext): void {
  const sources = program.command('sources').description('the sites and feeds that are polled');
  const forOutlet = () =>
    new Option('--roundup', 'the feed of another outlet, from which editors pick for the roundup');
  sources
    .command('list')
    .description('list the sources, with their last poll')
    .addOption(jsonOption())
    .action((options: JsonOption) => listSources(cli, options));
  sources
    .command('show')
    .description('show a source; with --webhook, the address and secret for its CMS')
    .argument('<id>', 'of the source')
    .option('--webhook', 'print the address and the secret of its webhook')
    .addOption(jsonOption())
    .action((id: string, options: ShowOptions) =>
      bySource(cli, id, {
        articles: (app, source) => showSite(cli, app, source, options),
        roundup: (app, source) => {
          if (options.webhook) throw new CommandError(`${id} is the feed of another outlet: it has no webhook`);
          return showOutlet(cli, app, source, options);
        },
      }),
    );
  sources
    .command('test')
    .description('find out what can be polled, and print its newest posts; nothing is stored')
    .argument('<id-or-url>', 'of a source, or any address')
    .addOption(forOutlet())
    .addOption(jsonOption())
    .action((name: string, options: JsonOption & { roundup?: boolean }) => {
      if (isAddress(name)) {
        return cli.withApp((app) => (options.roundup ? testUnconfigured : testSite)(cli, app, name, options));
      }
      return bySource(cli, name, {
        articles: (app, source) => testSite(cli, app, source, options),
        roundup: (app, source) => testOutlet(cli, app, source, options),
      });
    });
  sources
    .command('add')
    .description('try a site, and add it to the configuration')
    .argument('<url>', 'of the site, or of its feed')
    .option('--id <id>', 'name of the source; begins the ids of its articles; default: from the address')
    .addOption(forOutlet())
    .option('--outlet <name>', 'with --roundup: the name of the outlet; default: the title of the feed')
    .addOption(jsonOption())
    .action((url: string, options: AddOptions & { roundup?: boolean }) => {
      if (options.outlet !== undefined && !options.roundup) throw new CommandError('--outlet is for --roundup');
      return cli.withApp((app) => (options.roundup ? addOutlet : addSite)(cli, app, url, options));
    });
  for (const verb of ['pause', 'resume'] as const) {
    sources
      .command(verb)
      .description(verb === 'pause' ? 'poll a source no longer, until it is resumed' : 'poll a paused source again')
      .argument('<id>', 'of the source')
      .addOption(jsonOption())
      .action((id: string, options: JsonOption) =>
        bySource(cli, id, {
          articles: (app, source) => pausePolls(cli, app, source, { ...options, verb }),
          roundup: (app, source) => pausePolls(cli, app, source, { ...options, verb }),
        }),
      );
  }
  sources
    .command('poll')
    .description('poll a source now, then publish what changed')
    .argument('<id>', 'of the source')
    .option('--all', 'read all posts again, for example after a change of "sections" or "kinds"')
    .addOption(jsonOption())
    .action((id: string, options: PollFlags) =>
      bySource(cli, id, {
        articles: (app, source) => pollSite(cli, app, source, options),
        roundup: (app, source) => {
          if (options.all)
            throw new CommandError(`${id} is the feed of another outlet: --all is for the newsroom's sites`);
          return pollOutlet(cli, app, source, options);
        },
      }),
    );
  sources
    .command('accept')
    .description('take the items of an outlet that are held because so many are new')
    .argument('<id>', 'of the source')
    .option('--ignore', 'show none of them, ever')
    .addOption(jsonOption())
    .action((id: string, options: JsonOption & { ignore?: boolean }) =>
      bySource(cli, id, {
        articles: () => {
          throw new CommandError(`${id} is a site of the newsroom: only items of other outlets are held`);
        },
        roundup: (app, source) => acceptHeld(cli, app, source, options),
      }),
    );
  sources
    .command('withdraw')
    .description('retract the articles of posts that are gone and wait for a decision')
    .argument('<id>', 'of the source')
    .addOption(new Option('--keep', 'keep them as they are instead'))
    .addOption(jsonOption())
    .action((id: string, { keep, ...options }: JsonOption & { keep?: boolean }) =>
      bySource(cli, id, {
        articles: (app, source) =>
          decideOnWithdrawals(cli, app, source, { ...options, decision: keep ? 'keep' : 'retract' }),
        roundup: () => {
          throw new CommandError(`${id} is the feed of another outlet: "daywire roundup drop" takes an item back`);
        },
      }),
    );
  addOpmlCommands(sources, cli);
}

function isAddress(name: string): boolean {
  return /^https?:\/\//i.test(name);
}

interface ByUse {
  articles: (app: AppContext, source: ArticleSource) => Promise<void>;
  roundup: (app: AppContext, source: RoundupSource) => Promise<void>;
}

/** Does what suits the use of the source. @throws CommandError if there is no such source */
function bySource(cli: CliContext, id: string, { articles, roundup }: ByUse): Promise<void> {
  return cli.withApp(async (app) => {
    const source = findById<Config['sources'][number]>(app.config.sources, id, 'source');
    await (source.use === 'articles' ? articles(app, source) : roundup(app, source));
  });
}

function listSources(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const sites = await readSourceStatus(app);
    const outlets = await readOutletStatus(app);
    const none = 'no sources: add one with "daywire sources add https://…"';
    const lines = [...sites.map(formatSource), ...outlets.map(formatOutlet)];
    printResult(cli, options, {
      value: [...sites, ...outlets],
      text: () => withLocalTimes(lines.join('\n') || none, app.config.publication.zone),
    });
  });
}
