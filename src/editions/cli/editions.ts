/** Commands about editions: composing, listing and showing them. edition-control.ts has those about their delivery. */
import type { Command } from 'commander';
import {
  type CliContext,
  CommandError,
  type JsonOption,
  jsonCommand,
  newsletterNamed,
  parseWholeNumber,
  printResult,
} from '../../core/cli/context.ts';
import { BY, type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { composeNow } from '../../delivery/closing/close.ts';
import { cancelSending, isClosing, refuseSecondSend, startSending } from '../../delivery/closing/send-now.ts';
import { expiringSentence, findExpiring } from '../../delivery/monitor/expiring.ts';
import { readEditionDetails, summariseEditions } from '../../delivery/status/edition-status.ts';
import { formatClosedEdition, formatEditionDetails, formatEditions } from '../../delivery/status/format-editions.ts';
import { publish } from '../../feeds/publish/publish.ts';
import { datelineTime, rfc3339 } from '../../lib/time.ts';
import { readArrangedDraft } from '../draft/arranged-draft.ts';
import { arrangeDraft, composeDraft } from '../draft/compose-draft.ts';
import { targetName } from '../draft/draft-target.ts';
import { checkDraft } from '../edition-checks/check-draft.ts';
import { fullEditionName, listEditions } from '../queries.ts';
import { addDraftCommands } from './drafts.ts';
import { addDraftCommand, draftNamed, findEditionNamed, withDraft } from './edition-command.ts';
import { addEditionControlCommands, addReissueCommand } from './edition-control.ts';
import { draftJson, formatDraft } from './format-drafts.ts';

interface ComposeOptions extends JsonOption {
  slot?: string;
}

export function addEditionCommands(program: Command, cli: CliContext): void {
  jsonCommand(program, 'compose', "compose and close a newsletter's edition now, and queue its deliveries")
    .argument('<newsletter>', 'its id')
    .option('--slot <slot>', 'such as 2026-11-24; default: one that waits, or the next one of today')
    .action((id: string, options: ComposeOptions) => compose(cli, id, options));

  const editions = program.command('editions').description('list and show editions; control their delivery');
  jsonCommand(editions, 'list', 'list the newest editions')
    .option('--newsletter <id>', 'only editions of this newsletter')
    .option('--limit <number>', 'number of editions', parseWholeNumber(100_000), 20)
    .action(({ newsletter, limit, ...options }: JsonOption & { newsletter?: string; limit: number }) =>
      cli.withApp(async (app) => {
        if (newsletter !== undefined) newsletterNamed(app.config, newsletter);
        const value = await summariseEditions(app, await listEditions(app.store.db, newsletter ?? null, limit));
        printResult(cli, options, value, () => formatEditions(value));
      }),
    );
  const shown = 'show what the next edition would contain, or a closed edition with its deliveries and failures';
  addDraftCommand(editions, 'show', shown).action((name: string, options: JsonOption) =>
    showEdition(cli, name, options),
  );
  addDraftCommands(editions, cli);
  addSendCommand(editions, cli);
  addReissueCommand(editions, cli);
  addEditionControlCommands(editions, cli);
}

function showEdition(cli: CliContext, name: string, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const { store, config } = app;
    const isNewsletter = config.newsletters.some(({ id }) => id === name);
    // Also one whose newsletter or slot is no longer in the configuration.
    const stored = isNewsletter ? null : await findEditionNamed(store.db, config, name);
    if (stored === null && !isNewsletter && (!name.includes('/') || name.includes('@'))) {
      throw new CommandError(`there is no edition ${name}: see "daywire editions list"`);
    }
    const target = stored === null ? await draftNamed(app, name) : null;
    const edition = target === null ? stored : target.edition;
    if (edition !== null) {
      const value = await readEditionDetails(app, edition);
      printResult(cli, options, value, () => formatEditionDetails(value));
    } else if (target !== null) {
      const arrangement = await arrangeDraft(app, target);
      const draft = await readArrangedDraft(app, target, arrangement);
      const composition = await composeDraft(app, target, { arrangement });
      const problems =
        composition.kind === 'empty'
          ? []
          : await checkDraft(app, target.newsletter, composition.composed, { links: 'cached' });
      const value = { draft, composition, problems };
      printResult(cli, options, draftJson(value), () => formatDraft(value, config.publication.zone));
    }
  });
}

function compose(cli: CliContext, id: string, options: ComposeOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const outcome = await composeNow(app, newsletterNamed(app.config, id), options.slot);
    if (outcome.kind === 'waiting' && outcome.remedy !== null) {
      const slot = options.slot === undefined ? '' : `/${options.slot}`;
      const remedy = `daywire editions ${outcome.remedy} ${id}${slot}`;
      throw new CommandError(`${id}: no edition: ${outcome.reason}: to change that, use "${remedy}"`);
    }
    if (outcome.kind !== 'closed') throw new CommandError(`${id}: no edition: ${outcome.reason}`);
    const { edition, queued, tooFew, isNew } = outcome;
    const [status] = await summariseEditions(app, [edition]);
    const name = fullEditionName(edition);
    const expiring = (await findExpiring(app, app.clock())).filter((one) => one.edition === name);
    printResult(cli, options, { ...status, queued, tooFew, isNew, expiring }, () =>
      [formatClosedEdition(outcome, app.config), ...expiring.map(expiringSentence)].join('\n'),
    );
    await publish(app);
  });
}

interface SendOptions extends EditorOptions {
  cancel?: boolean;
}

/** Adds to the group `editions`. */
function addSendCommand(editions: Command, cli: CliContext): void {
  addDraftCommand(editions, 'send', 'let a running daywire close the edition after undoSeconds, before its slot')
    .option('--cancel', 'cancel sending: the edition closes at its slot again')
    .option(...BY)
    .action((name: string, { cancel = false, by, ...options }: SendOptions) =>
      withDraft(cli, name, async (app, target) => {
        const editor = editorName(cli, by);
        const edition = targetName(target);
        if (cancel) {
          await cancelSending(app, target, editor);
          const value = { edition, outcome: 'cancelled' };
          printResult(cli, options, value, () => `cancelled: ${edition} was not sent`);
          return;
        }
        if (!name.includes('/')) await refuseSecondSend(app, target);
        const closeAt = await startSending(app, target, editor);
        const time = datelineTime(closeAt, app.config.publication.zone);
        printResult(
          cli,
          options,
          { edition, outcome: 'sending', closeAt: rfc3339(closeAt) },
          () => `${edition} closes on ${time}. To cancel that, use "daywire editions send ${edition} --cancel".`,
        );
        if (!(await isClosing(app))) cli.printError('no running daywire closes it: start one');
      }),
    );
}
