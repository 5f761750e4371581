/** Commands that control the delivery of editions. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { findSubscriberByAddress } from '../../audience/subscriptions.ts';
import type { AppContext } from '../../core/app-context.ts';
import {
  type CliContext,
  CommandError,
  type JsonOption,
  newsletterNamed,
  printResult,
} from '../../core/cli/context.ts';
import { BY, type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { indent } from '../../core/cli/text.ts';
import { type Reissue, type ReissueRequest, reissueEdition } from '../../delivery/closing/reissue.ts';
import { pauseEdition } from '../../delivery/control/edition-control.ts';
import { cancel, type ResumeResult, resume, retry, settle } from '../../delivery/control/operator-control.ts';
import type { ReopenableKind, ReopenResult } from '../../delivery/control/reopen.ts';
import { providerNamed } from '../../delivery/holds/provider-holds.ts';
import { type EditionStatus, readEditionDetails, summariseEditions } from '../../delivery/status/edition-status.ts';
import { formatFailures, tooFewWords } from '../../delivery/status/format-editions.ts';
import { publish } from '../../feeds/publish/publish.ts';
import { count } from '../../lib/text/count.ts';
import { DAY, HOUR, MINUTE, rfc3339 } from '../../lib/time.ts';
import { findDraftTarget } from '../draft/draft-target.ts';
import { editDraft } from '../draft/edit-draft.ts';
import { findEditionById } from '../queries.ts';
import { addEditionCommand, type NamedEdition, withEdition } from './edition-command.ts';

const DEFAULT_REASON = 'by the operator';

interface RetryOptions extends JsonOption {
  failed?: boolean;
  expired?: boolean;
  cancelled?: boolean;
  provider?: string;
  extend?: number;
  dryRun?: boolean;
}

interface SettleOptions extends JsonOption {
  as: 'submitted' | 'retry';
  all?: boolean;
}

/** Adds to the group `editions`. */
export function addEditionControlCommands(editions: Command, cli: CliContext): void {
  addEditionCommand(editions, 'pause', 'submit no further deliveries until the edition is resumed')
    .option('--reason <text>', 'recorded with the pause', DEFAULT_REASON)
    .action((name: string, { reason, ...options }: JsonOption & { reason: string }) =>
      withEdition(cli, name, async (app, edition) => {
        await pauseEdition(app.store.db, edition.id, reason);
        const { fullName } = edition;
        await printChange(cli, app, edition, options, {
          text: `is paused; continue with "daywire editions resume ${fullName}"`,
        });
      }),
    );
  addEditionCommand(editions, 'resume', 'continue the deliveries of a paused edition')
    .option('--extend <time>', 'no delivery of it expires before that time has passed, such as 12h', parseTime)
    .addOption(new Option('--expire', 'let deliveries that have expired fail').conflicts('extend'))
    .action((name: string, { extend, expire, ...options }: JsonOption & { extend?: number; expire?: boolean }) =>
      withEdition(cli, name, async (app, edition) => {
        const value = await resume(app, edition, { extendBy: extend, expire });
        const text = resumeText(value);
        await printChange(cli, app, edition, options, { text, value });
      }),
    );
  addEditionCommand(editions, 'cancel', 'never submit the pending deliveries')
    .option('--reason <text>', 'recorded with the cancellation', DEFAULT_REASON)
    .action((name: string, { reason, ...options }: JsonOption & { reason: string }) =>
      withEdition(cli, name, async (app, edition) => {
        const cancelled = await cancel(app, edition.id, reason);
        const what = count(cancelled, 'pending delivery', 'pending deliveries');
        const text = `is cancelled: ${what} will not be submitted`;
        await printChange(cli, app, edition, options, { text });
      }),
    );
  addEditionCommand(editions, 'retry', 'make failed and expired deliveries pending again')
    .option('--failed', 'only those that were refused')
    .option('--expired', 'only those that expired')
    .option('--cancelled', 'those of a cancelled edition, which is delivered after all')
    .option(
      '--provider <name>',
      'all that did not reach a mailbox provider such as gmail.com, also copies that bounced',
    )
    .option('--extend <time>', 'none expires before that time, such as 12h; default: expireAfterHours', parseTime)
    .option('--dry-run', 'only count them')
    .action((name: string, options: RetryOptions) =>
      withEdition(cli, name, (app, edition) => retryDeliveries(cli, app, edition, options)),
    );
  addEditionCommand(editions, 'settle', 'record the outcome of an uncertain delivery, or of all')
    .argument('[address]', "the subscriber's address")
    .addOption(
      new Option('--as <outcome>', 'submitted: it was submitted; retry: submit it again')
        .choices(['submitted', 'retry'])
        .makeOptionMandatory(),
    )
    .option('--all', 'all uncertain deliveries of the edition')
    .action((name: string, address: string | undefined, options: SettleOptions) => {
      if ((address === undefined) === (options.all !== true)) {
        throw new CommandError('settle takes either the address of a subscriber or --all');
      }
      return withEdition(cli, name, (app, edition) =>
        address === undefined
          ? settleEvery(cli, app, edition, options)
          : settleOne(cli, app, edition, address, options),
      );
    });
}

/** Text after the name of the edition. */
function resumeText({ extended, wasPaused }: ResumeResult): string {
  const more = extended === 0 ? '' : `; ${count(extended, 'delivery', 'deliveries')} extended`;
  return `${wasPaused ? 'is resumed' : 'was not paused'}${more}`;
}

async function retryDeliveries(
  cli: CliContext,
  app: AppContext,
  edition: NamedEdition,
  { failed, expired, cancelled, provider: at, extend, dryRun = false, ...options }: RetryOptions,
): Promise<void> {
  const named = Object.entries({ failed, expired, cancelled }).flatMap(([kind, isNamed]) => (isNamed ? [kind] : []));
  const provider = at === undefined ? undefined : providerNamed(at);
  const usual = ['failed', 'expired', ...(at === undefined ? [] : ['bounced'])];
  const kinds = (named.length > 0 ? named : usual) as ReopenableKind[];
  const result = await retry(app, edition, { kinds, provider, extendBy: extend, isDryRun: dryRun });
  const [status] = await summariseEditions(app, [edition]);
  printResult(cli, options, { ...status, dryRun, ...result }, () =>
    [retrySentence(result, edition, dryRun, status), ...indent(formatFailures(result.groups))].join('\n'),
  );
}

function retrySentence(
  { reopened, ineligible }: ReopenResult,
  { fullName }: NamedEdition,
  isDryRun: boolean,
  status: EditionStatus | undefined,
): string {
  const verb = isDryRun ? 'would be pending again' : reopened === 1 ? 'is pending again' : 'are pending again';
  const left = `${ineligible} of people who have left, are suppressed or paused ${ineligible === 1 ? 'stays' : 'stay'}`;
  const isPaused = status?.deliveryState === 'paused';
  return [
    `${fullName}: ${count(reopened, 'delivery', 'deliveries')} ${verb}`,
    ...(ineligible === 0 ? [] : [`${left} as they are`]),
    ...(isPaused ? [`the edition is paused: continue with "daywire editions resume ${fullName}"`] : []),
  ].join('; ');
}

async function settleOne(
  cli: CliContext,
  app: AppContext,
  edition: NamedEdition,
  address: string,
  { as, ...options }: SettleOptions,
): Promise<void> {
  const subscriber = await findSubscriberByAddress(app.store.db, address);
  if (subscriber === null) throw new CommandError(`${address}: there is no such subscriber`);
  await settle(app, { editionId: edition.id, subscriberId: subscriber.id }, as);
  await printChange(cli, app, edition, options, { text: `for ${address}: ${outcomeText(as)}` });
}

async function settleEvery(
  cli: CliContext,
  app: AppContext,
  edition: NamedEdition,
  { as, ...options }: SettleOptions,
): Promise<void> {
  const { settled, inProgress, until } = await settle(app, { editionId: edition.id }, as);
  const rest =
    inProgress === 0 || until === null
      ? ''
      : `; ${inProgress} may still be in progress: settle again after ${rfc3339(until)}`;
  const text = `: ${count(settled, 'uncertain delivery', 'uncertain deliveries')} ${outcomeText(as)}${rest}`;
  await printChange(cli, app, edition, options, { text, value: { settled, inProgress } });
}

function outcomeText(as: 'submitted' | 'retry'): string {
  return as === 'submitted' ? 'recorded as submitted' : 'pending again';
}

/** Prints the status of the edition after the change where `--json` was given, else what has changed. */
async function printChange(
  cli: CliContext,
  app: AppContext,
  edition: NamedEdition,
  options: JsonOption,
  { text, value = {} }: { text: string; value?: object },
): Promise<void> {
  const [status] = await summariseEditions(app, [edition]);
  const separator = text.startsWith(':') ? '' : ' ';
  printResult(cli, options, { ...status, ...value }, () => `${edition.fullName}${separator}${text}`);
}

const UNITS: Record<string, number> = { m: MINUTE, h: HOUR, d: DAY };

/** `90m`, `12h` or `2d` in milliseconds. */
function parseTime(text: string): number {
  const [, number = '', unit = ''] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  const milliseconds = Number(number) * (UNITS[unit] ?? 0);
  if (milliseconds > 0) return milliseconds;
  throw new InvalidArgumentError('It must be minutes, hours or days, such as 90m, 12h or 2d.');
}

interface ReissueOptions extends EditorOptions {
  note?: string;
  asCorrection?: boolean;
  dryRun?: boolean;
}

/** Adds to the group `editions`. */
export function addReissueCommand(editions: Command, cli: CliContext): void {
  addEditionCommand(editions, 'reissue', 'close a paused, cancelled or done edition again, with what has changed since')
    .option('--as-correction', 'mail it also to those who have the edition, as a correction; needs an editor’s note')
    .option('--note <text>', 'first write the editor’s note, in Markdown')
    .option('--dry-run', 'only count who would get it, and write a preview, without the --note')
    .option(...BY)
    .action((name: string, { note, by, asCorrection = false, dryRun = false, ...options }: ReissueOptions) =>
      withEdition(cli, name, async (app, edition) => {
        // All that can be refused is refused before the note is written.
        const dry = { asCorrection, isDryRun: true, isNoteComing: note !== undefined };
        let reissue = note === undefined && !dryRun ? null : await reissueEdition(app, edition, dry);
        if (note !== undefined && !dryRun) {
          const target = await findDraftTarget(app, newsletterNamed(app.config, edition.newsletter), edition.slot);
          await editDraft(app, target, editorName(cli, by), { kind: 'note', text: note });
        }
        if (reissue === null || !dryRun)
          reissue = await reissueEdition(app, edition, { asCorrection, isDryRun: false });
        const { edition: revision, ...counts } = reissue;
        const closed = dryRun ? null : await findEditionById(app.store.db, revision.id);
        const details = closed === null ? { revision: revision.revision } : await readEditionDetails(app, closed);
        printResult(cli, options, { ...details, ...counts, asCorrection, dryRun }, () =>
          formatReissue(reissue, edition.fullName, { asCorrection, isDryRun: dryRun }),
        );
        if (!dryRun) await publish(app);
      }),
    );
}

/** @param name of the edition, such as `daily-roundup/2026-11-24` */
function formatReissue(reissue: Reissue, name: string, { asCorrection, isDryRun }: ReissueRequest): string {
  const { edition, subject, queued, tooFew, suppressed, submitted, uncertain, removed, added, previewPath } = reissue;
  const deliveries = (number: number): string => count(number, 'delivery', 'deliveries');
  const others = asCorrection ? 'these subscribers get the correction, too' : 'no second mail to these subscribers';
  return [
    `${name} ${isDryRun ? 'would be' : 'is'} reissued as revision ${edition.revision}: ${subject}`,
    `${deliveries(queued)} ${isDryRun ? 'would be queued' : 'queued'}${tooFewWords(tooFew)}`,
    ...(suppressed === 0 ? [] : [`${deliveries(suppressed)} of the revision before it: no longer submitted`]),
    ...(submitted === 0 ? [] : [`${deliveries(submitted)} of earlier revisions submitted: ${others}`]),
    ...(uncertain === 0
      ? []
      : [`${deliveries(uncertain)} of an earlier revision may have arrived: no second mail there either`]),
    ...(added.length === 0 ? [] : [`new in it: ${added.join(', ')}`]),
    ...(removed.length === 0 ? [] : [`no longer in it: ${removed.join(', ')}`]),
    ...(previewPath === null ? [] : [previewPath]),
  ].join('\n');
}
