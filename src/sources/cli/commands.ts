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
import type { ArticleSource, RoundupSource } from '../../core/config/config.ts';
import type { AnySource } from '../../core/config/sources.ts';
import { SOURCE_KINDS } from '../../outlets/polling/outlet-feeds.ts';
import { webhookSecret } from '../../own-sites/webhook.ts';
import { pauseSource, resumeSource } from '../control-sources.ts';
import { readSourceStatus, type SourceStatus } from '../source-status.ts';
import { addSite, decideOnWithdrawals, type PollFlags, pollSite, testSite } from './article-sources.ts';
import { formatSource, formatSourceDetails, sourceJson } from './format-sources.ts';
import { addOpmlCommands } from './opml.ts';
import { type AddOptions, acceptHeld, addOutlet, pollOutlet, testOutlet } from './outlet-sources.ts';

export function addSourceCommands(program: Command, cli: CliContext): void {
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
    .action((id: string, { webhook, ...options }: JsonOption & { webhook?: boolean }) =>
      bySource(cli, id, {
        articles: (app) => (webhook ? showWebhook(cli, app, id, options) : showSource(cli, app, id, options)),
        roundup: (app) => {
          if (webhook) throw new CommandError(`${id} is the feed of another outlet: it has no webhook`);
          return showSource(cli, app, id, options);
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
        return cli.withApp((app) => (options.roundup ? testOutlet : testSite)(cli, app, name, options));
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
      .action((id: string, options: JsonOption) => {
        const act = (app: AppContext, source: AnySource) => pausePolls(cli, app, source, { ...options, verb });
        return bySource(cli, id, { articles: act, roundup: act });
      });
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
    const source = findById<AnySource>(app.config.sources, id, 'source');
    await (source.use === 'articles' ? articles(app, source) : roundup(app, source));
  });
}

function listSources(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const sources = await readSources(app);
    const none = 'no sources: add one with "daywire sources add https://…"';
    printResult(cli, options, {
      value: sources.map(sourceJson),
      text: () => withLocalTimes(sources.map(formatSource).join('\n') || none, app.config.publication.zone),
    });
  });
}

async function showSource(cli: CliContext, app: AppContext, id: string, options: JsonOption): Promise<void> {
  const source = findById(await readSources(app), id, 'source');
  const text = () => withLocalTimes(formatSourceDetails(source), app.config.publication.zone);
  printResult(cli, options, { value: sourceJson(source), text });
}

/** Sites before outlets. */
async function readSources({ store, config, clock }: AppContext): Promise<SourceStatus[]> {
  const { sites, outlets } = await readSourceStatus(store.reports, config, clock());
  return [...sites, ...outlets];
}

async function showWebhook(cli: CliContext, app: AppContext, id: string, options: JsonOption): Promise<void> {
  const [secret] = await app.keys.signingSecrets();
  const value = { url: `${app.config.publication.url}/hooks/sources/${id}`, secret: webhookSecret(secret, id) };
  printResult(cli, options, { value, text: () => `address ${value.url}\nsecret  ${value.secret}` });
}

async function pausePolls(
  cli: CliContext,
  app: AppContext,
  source: AnySource,
  { verb, ...options }: JsonOption & { verb: 'pause' | 'resume' },
): Promise<void> {
  const { id } = source;
  const isPaused = verb === 'pause';
  await (isPaused ? pauseSource : resumeSource)(app, SOURCE_KINDS[source.use], source);
  printResult(cli, options, {
    value: { id, isPaused },
    text: () => (isPaused ? `${id} is paused: "daywire sources resume ${id}" ends that` : `${id} is polled again`),
  });
}
