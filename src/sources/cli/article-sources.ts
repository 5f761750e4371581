/** What the commands about sources do for sites of the newsroom, whose articles are polled. */
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, findById, type JsonOption, printResult } from '../../core/cli/context.ts';
import type { ArticleSource } from '../../core/config/config.ts';
import { articleSources } from '../../core/config/sources.ts';
import { publishChanges } from '../../feeds/publish/publish.ts';
import { decideWithdrawals, describeChanges, pollNow } from '../../own-sites/poll-sources.ts';
import { testSource } from '../../own-sites/source-test.ts';
import { sourceIdOf, withNewSources, writeConfig } from '../add-source.ts';
import { formatSourceTest } from './format-sources.ts';

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
