/** What the commands about sources do for feeds of other outlets, from which editors pick. */
import { withCommands } from '../../core/actions.ts';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, type JsonOption, printResult } from '../../core/cli/context.ts';
import { count, withLocalTimes } from '../../core/cli/text.ts';
import type { RoundupSource } from '../../core/config/config.ts';
import { roundupSources } from '../../core/config/sources.ts';
import { publishChanges } from '../../feeds/publish/publish.ts';
import { hasVisibleCharacter } from '../../lib/text/clean-text.ts';
import { rfc3339 } from '../../lib/time.ts';
import { decideHeld } from '../../outlets/items/held-items.ts';
import { MAX_OUTLET } from '../../outlets/opml/import-opml.ts';
import { describeOutletChanges, pollOutletNow } from '../../outlets/polling/poll-outlets.ts';
import { type OutletTest, tryOutlet } from '../../outlets/polling/try-outlet.ts';
import { regroup } from '../../outlets/story-groups/regroup.ts';
import { withNewSources, writeConfig } from '../add-source.ts';
import { canonicalLink } from '../canonical-link.ts';
import { sourceAction } from '../source-action.ts';
import { findSourceRow } from '../source-state.ts';
import { addedNote, sourceIdOfAddress } from './article-sources.ts';
import { formatOutletTest } from './format-sources.ts';

/** @param source one of the configuration, or any address */
export async function testOutlet(
  cli: CliContext,
  app: AppContext,
  source: RoundupSource | string,
  options: JsonOption,
): Promise<void> {
  const value = await (typeof source === 'string'
    ? tryAddress(cli, app, source)
    : tryOutlet(app, source, cli.stopSignal()));
  const text = () => withLocalTimes(formatOutletTest(value), app.config.publication.zone);
  printResult(cli, options, { value, text });
}

/** The outlet is named in sentences about its feed. */
function tryAddress(cli: CliContext, app: AppContext, url: string): Promise<OutletTest> {
  // Checked by the rules of the configuration.
  const source = { id: sourceIdOfAddress(url), url, use: 'roundup', outlet: 'the outlet' } as const;
  withNewSources(app, cli.processEnv('silent'), [source]);
  return tryOutlet(app, source, cli.stopSignal());
}

export interface AddOptions extends JsonOption {
  id?: string;
  outlet?: string;
}

export async function addOutlet(cli: CliContext, app: AppContext, url: string, options: AddOptions): Promise<void> {
  const result = await tryAddress(cli, app, url);
  // Where its pages name a feed, the feed is the source.
  const { endpoint } = result;
  const known = roundupSources(app.config).find((one) => canonicalLink(one.url) === canonicalLink(endpoint));
  if (known !== undefined) throw new CommandError(`${endpoint} is the source ${known.id} already`);
  const id = options.id ?? sourceIdOfAddress(url);
  const outlet = options.outlet ?? outletOf(result);
  const processEnv = cli.processEnv('silent');
  const { text } = withNewSources(app, processEnv, [{ id, url: endpoint, use: 'roundup', outlet }]);
  writeConfig(app, processEnv.cwd, text);
  printResult(cli, options, {
    value: { id, outlet, ...result },
    text: () => {
      const tested = withLocalTimes(formatOutletTest(result), app.config.publication.zone);
      return `${tested}\n${addedNote(`${id} (${outlet})`, app)}`;
    },
  });
}

/** @throws CommandError for a feed without a title */
function outletOf({ title, endpoint }: OutletTest): string {
  const name = (title ?? '').slice(0, MAX_OUTLET).toWellFormed().trim();
  if (hasVisibleCharacter(name)) return name;
  throw new CommandError(`${endpoint} has no title: name the outlet by --outlet`);
}

export async function pollOutlet(
  cli: CliContext,
  app: AppContext,
  source: RoundupSource,
  options: JsonOption,
): Promise<void> {
  const { id } = source;
  const poll = await pollOutletNow(app, source, { signal: cli.stopSignal() });
  if (poll.kind === 'busy') throw new CommandError(`${id} is being polled by another process`);
  if (poll.kind === 'waiting') {
    throw new CommandError(`${id}: its server asks not to be called before ${rfc3339(poll.until)}`);
  }
  const { outcome } = poll;
  if (outcome.kind === 'stopped') throw new CommandError(`${id}: stopped; nothing was recorded`);
  await groupAndPublish(cli, app);
  for (const problem of outcome.problems) cli.printError(problem);
  const { after, added, old, held } = outcome;
  // A paused source stays paused.
  const isPaused = (await findSourceRow(app.store.db, id))?.paused_at != null;
  const next = isPaused || outcome.nextAt === null ? null : rfc3339(outcome.nextAt);
  printResult(cli, options, {
    value: { id, added, old, held, state: after.state, reason: after.reason, next, problems: outcome.problems },
    text: () => {
      const changes = describeOutletChanges(outcome) ?? 'nothing has changed';
      const then = isPaused ? '; it stays paused' : next === null ? '' : `, next poll ${next}`;
      return withLocalTimes(`${id}: ${changes}${then}`, app.config.publication.zone);
    },
  });
  const actions = after.state === 'gone' ? [sourceAction('resume', 'try it again', id)] : [];
  if (after.failures > 0) throw new CommandError(withCommands(`${id}: ${after.reason}`, actions));
}

export async function acceptHeld(
  cli: CliContext,
  app: AppContext,
  source: RoundupSource,
  { ignore = false, ...options }: JsonOption & { ignore?: boolean },
): Promise<void> {
  const { id } = source;
  const decided = await decideHeld(app, source, ignore ? 'ignore' : 'accept');
  const { open, old, ignored } = decided;
  if (open + old + ignored === 0) throw new CommandError(`${id}: no item is held`);
  await groupAndPublish(cli, app);
  printResult(cli, options, {
    value: { id, ...decided },
    text: () =>
      ignore
        ? `${id}: ${count(ignored, 'item')} will not be shown`
        : `${id}: ${count(open, 'item')} accepted for the roundup, ${old} older than it`,
  });
}

/** A running daywire does the same within seconds. */
async function groupAndPublish(cli: CliContext, app: AppContext): Promise<void> {
  const { articles, problem } = await regroup(app, cli.stopSignal());
  if (problem !== null) cli.printError(`the reports could not be grouped: ${problem}; "daywire start" tries again`);
  if (articles > 0) await publishChanges(app);
}
