/** `daywire alert`: an edition of one article, at any time. */
import { type Command, Option } from 'commander';
import {
  type CliContext,
  CommandError,
  type JsonOption,
  jsonCommand,
  newsletterNamed,
  printResult,
} from '../../core/cli/context.ts';
import { BY, editorName } from '../../core/cli/editor.ts';
import type { Config } from '../../core/config/config.ts';
import type { NewsletterConfig } from '../../core/config/schema.ts';
import { makeAlertEdition } from '../../delivery/closing/newsletter-jobs.ts';
import { publish } from '../../feeds/publish/publish.ts';
import { localDateTime } from '../../lib/time.ts';
import { ALERT_LAPSE } from '../alert-newsletters/alert-limits.ts';

interface AlertOptions extends JsonOption {
  newsletter?: string;
  by?: string;
}

export function addAlertCommand(program: Command, cli: CliContext): void {
  jsonCommand(program, 'alert', 'make an alert of one article; it closes when an editor has approved it')
    .argument('<article>', 'its id')
    .addOption(new Option('--newsletter <id>', 'a newsletter of kind alert; default: the only one'))
    .option(...BY)
    .action((article: string, options: AlertOptions) => alert(cli, article, options));
}

function alert(cli: CliContext, article: string, { newsletter: id, by, ...options }: AlertOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const newsletter = id === undefined ? onlyAlert(app.config) : newsletterNamed(app.config, id);
    const { slot, run } = await makeAlertEdition(app, newsletter, article, editorName(cli, by));
    const name = `${newsletter.id}/${slot.label}`;
    const { zone } = app.config.publication;
    const lapsesAt = slot.slotAt + ALERT_LAPSE;
    printResult(
      cli,
      options,
      { newsletter: newsletter.id, slot: slot.label, slotAt: slot.slotAt, run: run?.state ?? null },
      () =>
        run === null
          ? [
              `made the alert ${name}, which waits for an approval until ${localDateTime(lapsesAt, zone)} (${zone}):`,
              `  daywire editions show ${name}    # look at it; this prints how to approve it`,
              `  daywire editions send ${name}    # send it once it is approved`,
            ].join('\n')
          : `${name}: ${run.state}${run.reason === null ? '' : `: ${run.reason}`}`,
    );
    if (run !== null) await publish(app);
    if (run !== null && run.state !== 'done' && run.state !== 'late') cli.fail();
  });
}

/** @throws CommandError unless exactly one newsletter is of kind alert */
function onlyAlert({ newsletters }: Config): NewsletterConfig {
  const alerts = newsletters.filter(({ kind }) => kind === 'alert');
  const [first] = alerts;
  if (first !== undefined && alerts.length === 1) return first;
  throw new CommandError(
    alerts.length === 0
      ? 'no newsletter is of kind alert: add one to the configuration'
      : `name one of the alert newsletters by --newsletter: ${alerts.map(({ id }) => id).join(', ')}`,
  );
}
