/** What the commands about sources do for sites of the newsroom, whose articles are polled. */
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, findById, type JsonOption, printResult } from '../../core/cli/context.ts';
import { withLocalTimes } from '../../core/cli/text.ts';
import type { ArticleSource, RoundupSource } from '../../core/config/config.ts';
import { articleSources } from '../../core/config/sources.ts';
import { publishChanges } from '../../feeds/publish/publish.ts';
import { decideWithdrawals, describeChanges, pollNow } from '../../own-sites/poll-sources.ts';
import { readSourceStatus } from '../../own-sites/source-status.ts';
import { testSource } from '../../own-sites/source-test.ts';
import { webhookSecret } from '../../own-sites/webhook.ts';
import { sourceIdOf, withNewSources, writeConfig } from '../add-source.ts';
import { pauseSource, resumeSource } from '../control-sources.ts';
import { kindOf } from '../desk/source-kinds.ts';
import { formatSourceDetails, formatSourceTest } from './format-sources.ts';

export interface ShowOptions extends JsonOption {
  webhook?: boolean;
}

export async function showSite(
  cli: CliContext,
  app: AppContext,
  { id }: ArticleSource,
  { webhook, ...options }: ShowOptions,
): Promise<void> {
  const source = findById(await readSourceStatus(app), id, 'source');
  if (!webhook) {
    const text = () => withLocalTimes(formatSourceDetails(source), app.config.publication.zone);
    printResult(cli, options, { value: source, text });
    return;
  }
  const [secret] = await app.keys.signingSecrets();
  const value = { url: `${app.config.publication.url}/hooks/sources/${id}`, secret: webhookSecret(secret, id) };
  printResult(cli, options, { value, text: () => `address ${value.url}\nsecret  ${value.secret}` });
}

/** @param source one of the configuration, or any address */
export async function testSite(
  cli: CliContext,
  app: AppContext,
  source: ArticleSource | string,
  options: JsonOption,
): Promise<void> {
  const tried = typeof source === 'string' ? unconfigured(cli, app, source, sourceIdOfAddress(source)).source : source;
  const result = await testSource(app, tried);
  printResult(cli, options, { value: result, text: () => formatSourceTest(result) });
}

export async function addSite(
  cli: CliContext,
  app: AppContext,
  url: string,
  options: JsonOption & { id?: string },
): Promise<void> {
  const id = options.id ?? sourceIdOfAddress(url);
  const { source, text } = unconfigured(cli, app, url, id);
  const result = await testSource(app, source);
  writeConfig(app, cli.processEnv('silent').cwd, text);
  printResult(cli, options, {
    value: { id, ...result },
    text: () => `${formatSourceTest(result)}\n${addedNote(id, app)}`,
  });
}

export function addedNote(id: string, { config }: AppContext): string {
  return `added ${id} to ${config.file}: "daywire start" polls it (restart one that runs)`;
}

/** @throws CommandError if it is none */
export function sourceIdOfAddress(url: string): string {
  if (!URL.canParse(url)) throw new CommandError(`${url} is not an address such as https://times.example`);
  return sourceIdOf(url);
}

function unconfigured(cli: CliContext, app: AppContext, url: string, id: string) {
  if (!URL.canParse(url)) throw new CommandError(`${url} is not an address such as https://times.example`);
  const { text, config } = withNewSources(app, cli.processEnv('silent'), [{ id, url, use: 'articles' }]);
  return { text, source: findById(articleSources(config), id, 'source') };
}

export async function pausePolls(
  cli: CliContext,
  app: AppContext,
  source: ArticleSource | RoundupSource,
  { verb, ...options }: JsonOption & { verb: 'pause' | 'resume' },
): Promise<void> {
  await (verb === 'pause' ? pauseSource : resumeSource)(app, kindOf(source), source);
  printPaused(cli, source.id, verb, options);
}

function printPaused(cli: CliContext, id: string, verb: 'pause' | 'resume', options: JsonOption): void {
  const isPaused = verb === 'pause';
  printResult(cli, options, {
    value: { id, isPaused },
    text: () => (isPaused ? `${id} is paused: "daywire sources resume ${id}" ends that` : `${id} is polled again`),
  });
}

export interface PollFlags extends JsonOption {
  all?: boolean;
}

export async function pollSite(
  cli: CliContext,
  app: AppContext,
  source: ArticleSource,
  { all = false, ...options }: PollFlags,
): Promise<void> {
  const { id } = source;
  const outcome = await pollNow(app, source, { signal: cli.stopSignal(), isWhole: all });
  if (outcome === null) throw new CommandError(`${id} is being polled by another process`);
  if (outcome.kind === 'stopped') throw new CommandError(`${id}: stopped; the next poll continues`);
  const { report } = outcome;
  await publishChanges(app);
  for (const { problems } of report.rejected) for (const problem of problems) cli.printError(problem);
  printResult(cli, options, {
    value: report,
    text: () => `${id}: ${describeChanges(report) ?? 'nothing has changed'}`,
  });
  if (outcome.kind === 'failed') throw new CommandError(`${id}: ${outcome.problem}`);
}

export async function decideOnWithdrawals(
  cli: CliContext,
  app: AppContext,
  source: ArticleSource,
  { decision, ...options }: JsonOption & { decision: 'retract' | 'keep' },
): Promise<void> {
  const { id } = source;
  const count = await decideWithdrawals(app, source, decision);
  if (count === 0) throw new CommandError(`${id}: no withdrawal waits for a decision`);
  await publishChanges(app);
  printResult(cli, options, {
    value: { id, decision, articles: count },
    text: () => (decision === 'retract' ? `${id}: retracted ${count} articles` : `${id}: kept ${count} articles`),
  });
}
