/**
 * Commands about editions: composing, listing and showing them. edition-control.ts has those about their delivery.
 */
import { type Command, InvalidArgumentError } from 'commander';
import {
  type CliContext,
  CommandError,
  type JsonOption,
  jsonOption,
  newsletterNamed,
  printResult,
} from '../../core/cli/context.ts';
import { type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { composeNow } from '../../delivery/closing/close.ts';
import { sendTestCopy } from '../../delivery/message/test-copy.ts';
import { readEditionDetails, summariseEditions } from '../../delivery/status/edition-status.ts';
import { formatClosedEdition, formatEditionDetails, formatEditions } from '../../delivery/status/format-editions.ts';
import { publish } from '../../feeds/publish/publish.ts';
import { showDraft } from '../draft/show-draft.ts';
import { writePreview } from '../preview.ts';
import { listEditions } from '../queries.ts';
import { addCheckCommand } from './check.ts';
import { addSlotCommand, draftNamed } from './draft-command.ts';
import { addDraftCommands } from './drafts.ts';
import { editionNamed, findEditionNamed } from './edition-command.ts';
import { addEditionControlCommands } from './edition-control.ts';
import { formatDraft } from './format-drafts.ts';
import { formatPreview, formatSkipped, previewJson } from './format-preview.ts';
import { addReissueCommand } from './reissue-edition.ts';
import { addSendCommand } from './send-edition.ts';

interface ComposeOptions extends JsonOption {
  slot?: string;
  test?: string;
}

interface PreviewOptions extends JsonOption {
  slot?: string;
  text?: boolean;
}

export function addEditionCommands(program: Command, cli: CliContext): void {
  program
    .command('compose')
    .description("compose and close a newsletter's edition now, and queue its deliveries")
    .argument('<newsletter>', 'its id')
    .option('--slot <slot>', 'such as 2026-11-24; default: one that waits, or the next one of today')
    .option('--test <address>', 'mail a marked copy to that address instead; nothing is closed or recorded')
    .addOption(jsonOption())
    .action((id: string, options: ComposeOptions) =>
      options.test === undefined ? compose(cli, id, options) : mailTestCopy(cli, id, options.test, options),
    );

  program
    .command('preview')
    .description('write a coming edition as HTML and text; print the path of the HTML, what is in it and what is not')
    .argument('<newsletter>', 'its id')
    .option('--slot <slot>', 'such as 2026-11-24, past or coming; default: the next one of the schedule')
    .option('--text', 'print the text version instead')
    .addOption(jsonOption().conflicts('text'))
    .action((id: string, options: PreviewOptions) => previewEdition(cli, id, options));

  const editions = program.command('editions').description('list and show editions; control their delivery');
  editions
    .command('list')
    .description('list the newest editions')
    .option('--newsletter <id>', 'only editions of this newsletter')
    .option('--limit <number>', 'number of editions', parseLimit, 20)
    .addOption(jsonOption())
    .action(({ newsletter, limit, ...options }: JsonOption & { newsletter?: string; limit: number }) =>
      cli.withApp(async (app) => {
        if (newsletter !== undefined) newsletterNamed(app.config, newsletter);
        const value = await summariseEditions(app, await listEditions(app.store.db, newsletter ?? null, limit));
        printResult(cli, options, { value, text: () => formatEditions(value) });
      }),
    );
  const shown = 'show what the next edition would contain, or a closed edition with its deliveries and failures';
  addSlotCommand(editions, 'show', shown)
    .option('--by <name>', 'who looks: their commands may use the numbers; default: as for those commands')
    .action((name: string, slot: string | undefined, options: EditorOptions) => showEdition(cli, name, slot, options));
  addDraftCommands(editions, cli);
  addCheckCommand(editions, cli);
  addSendCommand(editions, cli);
  addReissueCommand(editions, cli);
  addEditionControlCommands(editions, cli);
}

function showEdition(
  cli: CliContext,
  name: string,
  slot: string | undefined,
  { by, ...options }: EditorOptions,
): Promise<void> {
  return cli.withApp(async (app) => {
    const { store, config } = app;
    const fullName = slot === undefined ? name : `${name}/${slot}`;
    const isNewsletter = config.newsletters.some(({ id }) => id === fullName);
    // Also one whose newsletter or slot is not in the configuration any more.
    const stored = isNewsletter ? null : await findEditionNamed(store.db, config, fullName);
    const isDraft = isNewsletter || (fullName.includes('/') && !fullName.includes('@'));
    const target = stored === null && isDraft ? await draftNamed(app, fullName) : null;
    const edition = target === null ? (stored ?? (await editionNamed(store.db, config, fullName))) : target.edition;
    if (edition !== null) {
      const value = await readEditionDetails(app, edition);
      printResult(cli, options, { value, text: () => formatEditionDetails(value) });
    } else if (target !== null) {
      const report = await showDraft(app, target, editorName(cli, by));
      if (report.kind === 'refused') throw new CommandError(report.reason);
      const { minimumStories } = target.newsletter;
      printResult(cli, options, {
        value: { ...report, minimumStories },
        text: () => formatDraft(report, minimumStories, app.config.publication.zone),
      });
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
    const { edition, queued, isNew } = outcome;
    const [status] = await summariseEditions(app, [edition]);
    printResult(cli, options, {
      value: { ...status, queued, isNew },
      text: () => formatClosedEdition(outcome, app.config),
    });
    await publish(app);
  });
}

function mailTestCopy(cli: CliContext, id: string, to: string, options: ComposeOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const newsletter = newsletterNamed(app.config, id);
    const outcome = await sendTestCopy(app, newsletter, { to, slot: options.slot });
    if (outcome.kind === 'refused') throw new CommandError(`${id}: nothing to mail: ${outcome.reason}`);
    const { reply, stories, isSkipped } = outcome;
    printResult(cli, options, {
      value: { to, reply, stories, isSkipped },
      text: () =>
        [
          `submitted a test copy to ${to}: ${reply}`,
          ...(isSkipped ? [formatSkipped(stories, newsletter.minimumStories)] : []),
        ].join('\n'),
    });
  });
}

function previewEdition(cli: CliContext, id: string, options: PreviewOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const newsletter = newsletterNamed(app.config, id);
    const outcome = await writePreview(app, newsletter, options.slot);
    if (outcome.kind === 'refused') throw new CommandError(`${id}: nothing to preview: ${outcome.reason}`);
    printResult(cli, options, {
      value: previewJson(outcome, newsletter),
      text: () =>
        options.text && outcome.kind === 'written'
          ? outcome.text.trimEnd()
          : formatPreview(outcome, newsletter, app.config.publication.zone),
    });
  });
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, 1 or more.');
}
