/** What the commands about sources do. */
import { withCommands } from '../../core/actions.ts';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, findById, type JsonOption, printResult } from '../../core/cli/context.ts';
import { withLocalTimes } from '../../core/cli/text.ts';
import { ConfigError } from '../../core/config/config.ts';
import type { AnySource } from '../../core/config/sources.ts';
import { publishChanges } from '../../feeds/publish/publish.ts';
import { count } from '../../lib/text/count.ts';
import { rfc3339 } from '../../lib/time.ts';
import { decideHeld } from '../../outlets/items/held-items.ts';
import { SOURCE_KINDS } from '../../outlets/polling/outlets.ts';
import { regroup } from '../../outlets/story-groups/regroup.ts';
import { decideHeldPosts } from '../../own-sites/held-posts.ts';
import { decideWithdrawals } from '../../own-sites/sweep.ts';
import { webhookSecret } from '../../own-sites/webhook.ts';
import { type NewSource, newSource, sourceIdOf, withNewSources, writeConfig } from '../add-source.ts';
import { canonicalLink } from '../canonical-link.ts';
import { setPaused, sourceAction } from '../control-sources.ts';
import { describePoll, pollNow, trySource } from '../polling/poller.ts';
import type { SourceTest } from '../polling/source-kind.ts';
import { findSourceRow } from '../source-state.ts';
import { readSourceStatus } from '../source-status.ts';
import { formatSource, formatSourceDetails, formatSourceTest, sourceJson } from './format-sources.ts';

/** Does something with a source of the configuration. @throws CommandError if there is no such source */
export function withSource(
  cli: CliContext,
  id: string,
  act: (app: AppContext, source: AnySource) => Promise<void>,
): Promise<void> {
  return cli.withApp((app) => act(app, findById<AnySource>(app.config.sources, id, 'source')));
}

/** @throws CommandError for the feed of another outlet */
export function requireSite(source: AnySource): Extract<AnySource, { use: 'articles' }> {
  if (source.use === 'articles') return source;
  throw new CommandError(`${source.id} is the feed of another outlet, for which there is no such command`);
}

export function listSources(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async ({ store, config, clock }) => {
    const sources = await readSourceStatus(store.reports, config, clock());
    const none = 'no sources: add one with "daywire sources add https://…"';
    printResult(cli, options, sources.map(sourceJson), () =>
      withLocalTimes(sources.map(formatSource).join('\n') || none, config.publication.zone),
    );
  });
}

export async function showSource(cli: CliContext, app: AppContext, id: string, options: JsonOption): Promise<void> {
  const { store, config, clock } = app;
  const source = findById(await readSourceStatus(store.reports, config, clock()), id, 'source');
  const text = () => withLocalTimes(formatSourceDetails(source), config.publication.zone);
  printResult(cli, options, sourceJson(source), text);
}

export async function showWebhook(cli: CliContext, app: AppContext, id: string, options: JsonOption): Promise<void> {
  const [secret] = await app.keys.signingSecrets();
  const value = { url: `${app.config.publication.url}/hooks/sources/${id}`, secret: webhookSecret(secret, id) };
  printResult(cli, options, value, () => `address ${value.url}\nsecret  ${value.secret}`);
}

export async function testSource(
  cli: CliContext,
  app: AppContext,
  source: AnySource,
  options: JsonOption,
): Promise<void> {
  const value = await trySource(app, SOURCE_KINDS[source.use], source, cli.stopSignal());
  printResult(cli, options, value, () => testText(app, value));
}

function testText({ config }: AppContext, test: SourceTest): string {
  return withLocalTimes(formatSourceTest(test), config.publication.zone);
}

interface AddressOptions extends JsonOption {
  roundup?: boolean;
}

/** Tests an address that is no source. */
export function testAddress(cli: CliContext, url: string, options: AddressOptions): Promise<void> {
  return cli.withApp(async (app) =>
    testSource(cli, app, unconfigured(cli, app, entryOf(url, options)).source, options),
  );
}

export interface AddOptions extends AddressOptions {
  id?: string;
  outlet?: string;
}

export function addSource(cli: CliContext, url: string, { id, outlet, ...options }: AddOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const { source } = unconfigured(cli, app, entryOf(url, options));
    const test = await trySource(app, SOURCE_KINDS[source.use], source, cli.stopSignal());
    const entry = newSource(entryOf(url, options), test, { id, outlet });
    const { text } = unconfigured(cli, app, entry);
    const known = app.config.sources.find((one) => canonicalLink(one.url) === canonicalLink(entry.url));
    if (known !== undefined) throw new CommandError(`${entry.url} is the source ${known.id} already`);
    writeConfig(app, cli.processEnv('silent').cwd, text);
    printResult(cli, options, { ...entry, ...test }, () => {
      const name = entry.use === 'roundup' ? `${entry.id} (${entry.outlet})` : entry.id;
      const added = `added ${name} to ${app.config.file}: "daywire start" polls it (restart one that runs)`;
      return `${testText(app, test)}\n${added}`;
    });
  });
}

/** @throws CommandError if it is no address */
function entryOf(url: string, { roundup = false }: AddressOptions): NewSource {
  if (!URL.canParse(url)) throw new CommandError(`${url} is not an address such as https://times.example`);
  const id = sourceIdOf(url);
  // Until its feed is read, sentences about it call it so.
  return roundup ? { id, url, use: 'roundup', outlet: 'the outlet' } : { id, url, use: 'articles' };
}

/** An entry with all defaults. @throws CommandError where it breaks a rule of the configuration */
function unconfigured(cli: CliContext, app: AppContext, entry: NewSource): { text: string; source: AnySource } {
  try {
    const { text, config } = withNewSources(app, cli.processEnv('silent'), [entry]);
    return { text, source: findById<AnySource>(config.sources, entry.id, 'source') };
  } catch (error) {
    throw error instanceof ConfigError ? new CommandError(error.message) : error;
  }
}

export async function changePause(
  cli: CliContext,
  app: AppContext,
  source: AnySource,
  { isPaused, ...options }: JsonOption & { isPaused: boolean },
): Promise<void> {
  const { id } = source;
  await setPaused(app, source, isPaused);
  printResult(cli, options, { id, isPaused }, () =>
    isPaused ? `${id} is paused: "daywire sources resume ${id}" ends that` : `${id} is polled again`,
  );
}

export async function pollSource(
  cli: CliContext,
  app: AppContext,
  source: AnySource,
  { all = false, ...options }: JsonOption & { all?: boolean },
): Promise<void> {
  const { id, use } = source;
  const kind = SOURCE_KINDS[use];
  const poll = await pollNow(app, kind, source, { signal: cli.stopSignal(), isWhole: all });
  if (poll.kind === 'busy') throw new CommandError(`${id}, or another source of its site, is being polled`);
  if (poll.kind === 'waiting') {
    throw new CommandError(`${id}: its server asks not to be called before ${rfc3339(poll.until)}`);
  }
  const { outcome } = poll;
  if (outcome.kind === 'stopped') throw new CommandError(`${id}: stopped; the next poll continues`);
  await groupAndPublish(cli, app);
  const { after, nextAt, result } = outcome;
  for (const problem of kind.problems(result)) cli.printError(problem);
  // A paused source stays paused.
  const isPaused = (await findSourceRow(app.store.db, id))?.paused_at != null;
  const next = isPaused || nextAt === null ? null : rfc3339(nextAt);
  printResult(cli, options, { id, ...(result as object), state: after.state, reason: after.reason, next }, () => {
    const changes = describePoll(kind, outcome) ?? 'nothing has changed';
    const then = isPaused ? '; it stays paused' : next === null ? '' : `, next poll ${next}`;
    return withLocalTimes(`${id}: ${changes}${then}`, app.config.publication.zone);
  });
  const actions = after.state === 'gone' ? [sourceAction('resume', 'try it again', id)] : [];
  if (after.failures > 0) throw new CommandError(withCommands(`${id}: ${after.reason}`, actions));
  const toDecide = sourceAction('accept', 'take them', id);
  if (after.state === 'held') cli.printError(withCommands(`${id}: ${after.reason}`, [toDecide]));
}

export async function acceptHeld(
  cli: CliContext,
  app: AppContext,
  source: AnySource,
  { ignore = false, ...options }: JsonOption & { ignore?: boolean },
): Promise<void> {
  const { id, use } = source;
  const decided = await (use === 'roundup' ? decideHeld : decideHeldPosts)(app, source, ignore ? 'ignore' : 'accept');
  const { open, old, ignored } = decided;
  if (open + old + ignored === 0) throw new CommandError(`${id}: no item is held`);
  await groupAndPublish(cli, app);
  const items = count(open, 'item');
  const accepted = use === 'roundup' ? `${items} accepted for the roundup, ${old} older than it` : `${items} imported`;
  const text = () => `${id}: ${ignore ? `${count(ignored, 'item')} will not be shown` : accepted}`;
  printResult(cli, options, { id, ...decided }, text);
}

export async function decideOnWithdrawals(
  cli: CliContext,
  app: AppContext,
  source: Extract<AnySource, { use: 'articles' }>,
  { keep = false, ...options }: JsonOption & { keep?: boolean },
): Promise<void> {
  const { id } = source;
  const decision = keep ? 'keep' : 'retract';
  const articles = await decideWithdrawals(app, source, decision);
  if (articles === 0) throw new CommandError(`${id}: no withdrawal waits for a decision`);
  await publishChanges(app);
  const text = () => `${id}: ${keep ? 'kept' : 'retracted'} ${articles} articles`;
  printResult(cli, options, { id, decision, articles }, text);
}

/** A running daywire does the same within seconds. */
async function groupAndPublish(cli: CliContext, app: AppContext): Promise<void> {
  const { problem } = await regroup(app, cli.stopSignal());
  if (problem !== null) cli.printError(`the reports could not be grouped: ${problem}; "daywire start" tries again`);
  await publishChanges(app);
}
