/** Sending an edition by hand, after a countdown that can be cancelled. */
import type { Command } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, type JsonOption, printResult } from '../../core/cli/context.ts';
import { BY, type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { awaitCountdown, cancelSending, refuseSecondSend, startSending } from '../../delivery/closing/countdown.ts';
import { formatClosedEdition } from '../../delivery/status/format-editions.ts';
import { publish } from '../../feeds/publish/publish.ts';
import { datelineTime, formatDuration } from '../../lib/time.ts';
import { type DraftTarget, targetName } from '../draft/draft-target.ts';
import { addDraftCommand, withDraft } from './edition-command.ts';

interface SendOptions extends EditorOptions {
  cancel?: boolean;
}

/** Adds to the group `editions`. */
export function addSendCommand(editions: Command, cli: CliContext): void {
  addDraftCommand(editions, 'send', 'close the edition and queue its deliveries, after a countdown')
    .option('--cancel', 'cancel the countdown instead, whichever process started it')
    .option(...BY)
    .action((name: string, { cancel = false, by, ...options }: SendOptions) =>
      withDraft(cli, name, async (app, target) => {
        const editor = editorName(cli, by);
        if (!cancel && !name.includes('/')) await refuseSecondSend(app, target);
        if (!cancel) return sendEdition(cli, app, { target, editor }, options);
        await cancelSending(app, target, editor);
        printCancelled(cli, target, options);
      }),
    );
}

function printCancelled(cli: CliContext, target: DraftTarget, options: JsonOption): void {
  const edition = targetName(target);
  printResult(cli, options, { edition, outcome: 'cancelled' }, () => `cancelled: ${edition} was not sent`);
}

/** Starts the countdown of an edition, waits for its end, and closes the edition. */
async function sendEdition(
  cli: CliContext,
  app: AppContext,
  { target, editor }: { target: DraftTarget; editor: string },
  options: JsonOption,
): Promise<void> {
  const edition = targetName(target);
  const closeAt = await startSending(app, target, editor);
  const left = closeAt - app.clock();
  if (left > 0) {
    const { zone } = app.config.publication;
    cli.printError(
      `${edition} closes in ${formatDuration(left)}, on ${datelineTime(closeAt, zone)}. ` +
        `To cancel that, press Ctrl-C, or use "daywire editions send ${edition} --cancel".`,
    );
  }
  const outcome = await awaitCountdown(app, target, closeAt, { editor, signal: cli.stopSignal() });
  if (outcome.kind === 'lapsed') throw new CommandError(`${edition} was not sent: ${outcome.reason}`);
  if (outcome.kind === 'cancelled') {
    cli.fail();
    printCancelled(cli, target, options);
    return;
  }
  printResult(
    cli,
    options,
    { edition, outcome: 'closed', number: outcome.edition.number, queued: outcome.queued },
    () => formatClosedEdition(outcome, app.config),
  );
  await publish(app);
}
