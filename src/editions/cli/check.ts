/**
 * `daywire editions check`: what an editor should know of a coming edition. Exit code 1 if an error is among it.
 */
import type { Command } from 'commander';
import { type CliContext, CommandError, type JsonOption, printResult } from '../../core/cli/context.ts';
import { count } from '../../core/cli/text.ts';
import { checkDraft, type DraftCheckOptions } from '../edition-checks/check-draft.ts';
import { composeUnrecorded } from '../preview.ts';
import { MAX_HTML_BYTES } from '../rendering/size-limit.ts';
import { addSlotCommand, draftNamed } from './draft-command.ts';
import { formatSkipped } from './format-preview.ts';
import { formatEditionProblems } from './format-problems.ts';

interface CheckOptions extends JsonOption {
  /** False with `--no-links`. */
  links: boolean;
}

/** Adds to the group `editions`. */
export function addCheckCommand(editions: Command, cli: CliContext): void {
  addSlotCommand(editions, 'check', 'check a coming edition: links, pictures, words left in, size, repeated stories')
    .option('--no-links', 'look up no links')
    .action((name: string, slot: string | undefined, options: CheckOptions) => check(cli, name, slot, options));
}

function check(cli: CliContext, name: string, label: string | undefined, options: CheckOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const target = await draftNamed(app, name, label);
    const { newsletter } = target;
    const { id } = newsletter;
    const outcome = await composeUnrecorded(app, newsletter, target.slot.label);
    if (outcome.kind === 'refused') throw new CommandError(`${id}: nothing to check: ${outcome.reason}`);
    const { composed, slot, isSkipped } = outcome;
    if (composed.kind === 'skipped') throw new CommandError(`${id}: nothing to check: ${composed.reason}`);
    const links: DraftCheckOptions['links'] = options.links ? 'look-up' : 'none';
    const problems = await checkDraft(app, newsletter, composed, { links, signal: cli.stopSignal() });
    const stories = composed.articles.filter(({ block }) => block !== 'also').length;
    const { bytes } = composed.size;
    printResult(cli, options, {
      value: {
        newsletter: id,
        slot: slot.label,
        slotAt: slot.slotAt,
        stories,
        isSkipped,
        html: { bytes, maximum: MAX_HTML_BYTES },
        problems,
      },
      text: () =>
        [
          `${id} of ${slot.label}: ` +
            (isSkipped ? formatSkipped(stories, newsletter.minimumStories) : count(stories, 'story', 'stories')),
          `${bytes} of ${MAX_HTML_BYTES} bytes of HTML (${Math.floor((100 * bytes) / MAX_HTML_BYTES)}%)`,
          ...formatEditionProblems(problems),
        ].join('\n'),
    });
    if (problems.some(({ severity }) => severity === 'error')) cli.fail();
  });
}
