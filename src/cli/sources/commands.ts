/**
 * Commands about sources: the newsroom's own sites, whose articles are polled.
 */

import { type Command, Option } from 'commander';
import type { AppContext } from '../../app/app-context.ts';
import { publish } from '../../app/publish.ts';
import { sourceIdOf, withNewSources, writeConfig } from '../../app/sources/add-source.ts';
import { decideWithdrawals, describeChanges, pollNow } from '../../app/sources/poll-sources.ts';
import { readSourceStatus } from '../../app/sources/source-status.ts';
import { testSource } from '../../app/sources/source-test.ts';
import type { ArticleSource } from '../../config/config.ts';
import { articleSources } from '../../config/sources.ts';
import { registerSources, setPaused } from '../../sources/source-state.ts';
import { webhookSecret } from '../../sources/webhook.ts';
import { type CliContext, CommandError, findById, type JsonOption, jsonOption, printResult } from '../context.ts';
import { formatSource, formatSourceDetails, formatSourceTest } from '../format/sources.ts';
import { withLocalTimes } from '../format/text.ts';
import { addOpmlCommands } from './opml.ts';

export function addSourceCommands(program: Command, cli: CliContext): void {
  const sources = program.command('sources').description('the sites whose articles are polled');
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
    .action((id: string, options: ShowOptions) => showSource(cli, id, options));
  sources
    .command('test')
    .description('find out what can be polled, and print what its newest posts would become; nothing is stored')
    .argument('<id-or-url>', 'of a source, or any address')
    .addOption(jsonOption())
    .action((name: string, options: JsonOption) => tryToPoll(cli, name, options));
  sources
    .command('add')
    .description('try a site, and add it to the configuration')
    .argument('<url>', 'of the site, or of its feed')
    .option('--id <id>', 'begins the ids of its articles; default: from the address')
    .addOption(jsonOption())
    .action((url: string, options: JsonOption & { id?: string }) => addSource(cli, url, options));
  for (const verb of ['pause', 'resume'] as const) {
    sources
      .command(verb)
      .description(verb === 'pause' ? 'poll a source no longer, until it is resumed' : 'poll a paused source again')
      .argument('<id>', 'of the source')
      .action((id: string) => pauseOrResume(cli, id, verb));
  }
  sources
    .command('poll')
    .description('poll a source now, then publish what changed')
    .argument('<id>', 'of the source')
    .option('--all', 'read all posts again, for example after a change of "sections" or "kinds"')
    .addOption(jsonOption())
    .action((id: string, options: PollCommandOptions) => pollSourceNow(cli, id, options));
  sources
    .command('withdraw')
    .description('retract the articles of posts that are gone and wait for a decision')
    .argument('<id>', 'of the source')
    .addOption(new Option('--keep', 'keep them as they are instead'))
    .action((id: string, options: { keep?: boolean }) => decide(cli, id, options.keep ? 'keep' : 'retract'));
  addOpmlCommands(sources, cli);
}

interface ShowOptions extends JsonOption {
  webhook?: boolean;
}

interface PollCommandOptions extends JsonOption {
  all?: boolean;
}

function named({ config }: AppContext, id: string): ArticleSource {
  return findById(articleSources(config), id, 'source');
}

function listSources(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const sources = await readSourceStatus(app);
    const none = 'no sources: add one with "daywire sources add https://…"';
    printResult(cli, options, {
      value: sources,
      text: () => withLocalTimes(sources.map(formatSource).join('\n') || none, app.config.publication.zone),
    });
  });
}

function showSource(cli: CliContext, id: string, options: ShowOptions): Promise<void> {
  return cli.withApp(async (app) => {
    named(app, id);
    const source = (await readSourceStatus(app)).find((one) => one.id === id);
    if (source === undefined) throw new CommandError(`there is no source ${id}`);
    if (!options.webhook) {
      const text = () => withLocalTimes(formatSourceDetails(source), app.config.publication.zone);
      printResult(cli, options, { value: source, text });
      return;
    }
    const [secret] = await app.keys.signingSecrets();
    const value = { url: `${app.config.publication.url}/hooks/sources/${id}`, secret: webhookSecret(secret, id) };
    printResult(cli, options, { value, text: () => `address ${value.url}\nsecret  ${value.secret}` });
  });
}

function tryToPoll(cli: CliContext, name: string, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const source = /^https?:\/\//.test(name) ? unconfigured(app, cli, name, sourceIdOf(name)).source : named(app, name);
    const result = await testSource(app, source);
    printResult(cli, options, { value: result, text: () => formatSourceTest(result) });
  });
}

function addSource(cli: CliContext, url: string, options: JsonOption & { id?: string }): Promise<void> {
  return cli.withApp(async (app) => {
    if (!URL.canParse(url)) throw new CommandError(`${url} is not an address such as https://times.example`);
    const id = options.id ?? sourceIdOf(url);
    const { source, text } = unconfigured(app, cli, url, id);
    const result = await testSource(app, source);
    writeConfig(app, cli.processEnv('silent').cwd, text);
    printResult(cli, options, {
      value: { id, ...result },
      text: () => {
        const added = `added ${id} to ${app.config.file}: "daywire start" polls it (restart one that runs)`;
        return `${formatSourceTest(result)}\n${added}`;
      },
    });
  });
}

function unconfigured(app: AppContext, cli: CliContext, url: string, id: string) {
  if (!URL.canParse(url)) throw new CommandError(`${url} is not an address such as https://times.example`);
  const { text, config } = withNewSources(app, cli.processEnv('silent'), [{ id, url, use: 'articles' }]);
  return { text, source: findById(articleSources(config), id, 'source') };
}

function pauseOrResume(cli: CliContext, id: string, verb: 'pause' | 'resume'): Promise<void> {
  return cli.withApp(async (app) => {
    const { store, config, clock } = app;
    named(app, id);
    await registerSources(store.db, config, clock());
    await setPaused(store.db, id, verb === 'pause', clock());
    cli.print(verb === 'pause' ? `${id} is paused: "daywire sources resume ${id}" ends that` : `${id} is polled again`);
  });
}

function pollSourceNow(cli: CliContext, id: string, options: PollCommandOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const outcome = await pollNow(app, named(app, id), { signal: cli.stopSignal(), isWhole: options.all ?? false });
    if (outcome === null) throw new CommandError(`${id} is being polled by another process`);
    if (outcome.kind === 'stopped') throw new CommandError(`${id}: stopped; the next poll continues`);
    const { report } = outcome;
    await publish(app);
    for (const { problems } of report.rejected) for (const problem of problems) cli.printError(problem);
    printResult(cli, options, {
      value: report,
      text: () => `${id}: ${describeChanges(report) ?? 'nothing has changed'}`,
    });
    if (outcome.kind === 'failed') throw new CommandError(`${id}: ${outcome.problem}`);
  });
}

function decide(cli: CliContext, id: string, decision: 'retract' | 'keep'): Promise<void> {
  return cli.withApp(async (app) => {
    const count = await decideWithdrawals(app, named(app, id), decision);
    if (count === 0) throw new CommandError(`${id}: no withdrawal waits for a decision`);
    await publish(app);
    cli.print(decision === 'retract' ? `${id}: retracted ${count} articles` : `${id}: kept ${count} articles`);
  });
}
