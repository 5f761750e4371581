/**
 * Sending an edition by hand, after a countdown that can be cancelled.
 */
import type { Command } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, printResult } from '../../core/cli/context.ts';
import type { EditorOptions } from '../../core/cli/editor.ts';
import { awaitCountdown, cancelSending, refuseSecondSend, startSending } from '../../delivery/closing/countdown.ts';
import { formatClosedEdition } from '../../delivery/status/format-editions.ts';
import { publish } from '../../feeds/publish/publish.ts';
import { datelineTime, formatDuration } from '../../lib/time.ts';
import { type DraftTarget, targetName } from '../draft/draft-target.ts';
import { addSlotCommand, withDraft } from './draft-command.ts';

interface SendOptions extends EditorOptions {
  cancel?: boolean;
}

/** Adds to the group `editions`. */
export function addSendCommand(editions: Command, cli: CliContext): void {
  addSlotCommand(editions, 'send', 'close the edition and queue its deliveries, after a countdown')
    .option('--cancel', 'cancel the countdown instead, whichever process started it')
    .option('--by <name>', 'who sends it; default: as for other commands')
    .action((name: string, slot: string | undefined, { cancel = false, ...options }: SendOptions) =>
      withDraft(cli, name, { ...options, slot }, async (app, target, editor) => {
        if (!cancel && slot === undefined && !name.includes('/')) await refuseSecondSend(app, target);
        if (!cancel) return sendEdition(cli, app, { target, editor }, options);
        await cancelSending(app, target, editor);
        const edition = targetName(target);
        printResult(cli, options, {
          value: { edition, outcome: 'cancelled' },
          text: () => `cancelled: ${edition} was not sent`,
        });
      }),
    );
}

/** Starts the countdown of an edition, waits for its end, and closes the edition. */
export async function sendEdition(
  cli: CliContext,
  app: AppContext,
  { target, editor }: { target: DraftTarget; editor: string },
  options: EditorOptions,
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
    printResult(cli, options, {
      value: { edition, outcome: 'cancelled' },
      text: () => `cancelled: ${edition} was not sent`,
    });
    return;
  }
  printResult(cli, options, {
    value: { edition, outcome: 'closed', number: outcome.edition.number, queued: outcome.queued },
    text: () => formatClosedEdition(outcome, app.config),
  });
  await publish(app);
}
