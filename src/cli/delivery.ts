/**
 * Commands about deliveries: doing them, steering them, and taking in what comes back.
 */
import type { Command } from 'commander';
import type { AppContext } from '../app/app-context.ts';
import { describeDelivering } from '../app/progress.ts';
import { handleIncomingMail, INCOMING_LIMIT } from '../delivery/bounces/mail.ts';
import {
  cancelEdition,
  pauseEdition,
  releaseQueue,
  resumeEdition,
  settleDelivery,
} from '../delivery/control/edition-control.ts';
import { resolveAlerts } from '../schedule/alerts.ts';
import { findSubscriberByAddress } from '../subscribers/subscriptions.ts';
import { loadSigningSecrets } from '../subscribers/tokens/secret.ts';
import { type CliContext, CommandError, editionNamed } from './context.ts';
import { describeDelivery } from './describe.ts';

interface Steering {
  pause?: string;
  resume?: string;
  cancel?: string;
  settle?: string;
  address?: string;
  as?: string;
  reason?: string;
  release?: boolean;
}

/** sysexits.h EX_TEMPFAIL: a mail server keeps the message and tries its pipe again. */
const TRY_AGAIN = 75;

export function addDeliveryCommands(program: Command, cli: CliContext): void {
  const { withApp: inNewsroom, env, print: say, printError: complain, progress, clock } = cli;

  program
    .command('deliver')
    .description('deliver what is due; or steer what is queued')
    .option('--pause <edition>', 'submit nothing more of it, such as daily-roundup/2026-11-24, until it is resumed')
    .option('--resume <edition>', 'go on with it')
    .option('--cancel <edition>', 'never submit what is still pending of it')
    .option('--settle <edition>', 'say what became of a delivery that was interrupted, with --address and --as')
    .option('--address <address>', 'whose delivery')
    .option('--as <outcome>', 'submitted: it went out; again: submit it once more')
    .option('--reason <text>', 'kept with a pause or a cancellation', 'by the operator')
    .option('--release', 'release the queue of a restored store')
    .action((steering: Steering) =>
      inNewsroom(async (app) => {
        if (await steer(app, steering)) return;
        const { deliverDue } = await import('../app/jobs.ts');
        const report = await deliverDue(app, {
          signal: cli.endOnSignal(),
          onProgress: (so) => progress.show(describeDelivering(so)),
        });
        progress.clear();
        say(describeDelivery(report));
        if (report.failed + report.service.failed > 0 || report.stopped !== null) cli.fail();
      }),
    );

  program
    .command('bounce')
    .description('take in one message that came back, on stdin: for the pipe of a mail server')
    .option('--to <address>', 'the recipient it came to', env.ORIGINAL_RECIPIENT ?? env.RECIPIENT)
    .action(async ({ to }: { to?: string }) => {
      const raw = await cli.readInput(INCOMING_LIMIT);
      try {
        await inNewsroom(async ({ store, config }) => {
          const secrets = loadSigningSecrets(config, store.dialect);
          const outcome = await handleIncomingMail(store, config, secrets, raw, { envelopeTo: to }, clock());
          say(outcome.description);
        });
      } catch (error) {
        complain((error as Error).message);
        cli.fail(TRY_AGAIN);
      }
    });

  /** @returns whether anything of it was asked for */
  async function steer(app: AppContext, steering: Steering): Promise<boolean> {
    const { store, config } = app;
    const { pause, resume, cancel, settle, address, as, reason = 'by the operator', release } = steering;
    const asked = [pause, resume, cancel, settle, release].filter((one) => one !== undefined).length;
    if (asked > 1)
      throw new CommandError('--pause, --resume, --cancel, --settle and --release are asked for one at a time');
    const edition = async (name: string) => {
      const found = await editionNamed(store.db, config, name);
      return { id: found.id, name: `${found.newsletter}/${found.slot}` };
    };
    if (pause !== undefined) {
      const { id, name } = await edition(pause);
      await pauseEdition(store.db, id, reason);
      say(`${name} is paused: nothing more of it is submitted until "daywire deliver --resume ${name}"`);
    } else if (resume !== undefined) {
      const { id, name } = await edition(resume);
      await resumeEdition(store.db, id);
      await resolveAlerts(store.db, [`edition:${id}`, `retraction:${id}`], clock());
      say(`${name} goes on`);
    } else if (cancel !== undefined) {
      const { id, name } = await edition(cancel);
      const cancelled = await cancelEdition(store, id, reason, clock());
      await resolveAlerts(store.db, [`edition:${id}`, `retraction:${id}`], clock());
      say(`${name} is cancelled: ${cancelled} that were pending are never submitted`);
    } else if (settle !== undefined) {
      if (address === undefined || (as !== 'submitted' && as !== 'again')) {
        throw new CommandError('--settle needs --address ADDRESS and --as submitted or --as again');
      }
      const { id, name } = await edition(settle);
      const subscriber = await findSubscriberByAddress(store.db, address);
      if (subscriber === null) throw new CommandError(`${address}: there is no such subscriber`);
      await settleDelivery(store.db, id, subscriber.id, as, clock());
      say(`${name} for ${address}: ${as === 'submitted' ? 'counts as submitted' : 'is submitted once more'}`);
    } else if (release) {
      const released = await releaseQueue(store.db);
      await resolveAlerts(store.db, ['delivery'], clock());
      say(released ? 'the queue is released' : 'the queue was not held');
    }
    return asked > 0;
  }
}
