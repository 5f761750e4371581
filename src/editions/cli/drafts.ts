/** Commands to the draft of an edition, as far as scripts and an emergency need them. Editors work at the desk. */
import { type Command, Option } from 'commander';
import { type CliContext, CommandError, type JsonOption, printResult } from '../../core/cli/context.ts';
import { BY, type EditorOptions, editorName } from '../../core/cli/editor.ts';
import { sendTestCopy } from '../../delivery/message/test-copy.ts';
import { composeDraft } from '../draft/compose-draft.ts';
import { readDraftLog } from '../draft/draft-store.ts';
import { targetName } from '../draft/draft-target.ts';
import { type DraftRequest, editDraft } from '../draft/edit-draft.ts';
import { checkDraft } from '../edition-checks/check-draft.ts';
import { writePreviewFiles } from '../preview.ts';
import { MAX_HTML_BYTES } from '../rendering/size-limit.ts';
import { addDraftCommand, draftNamed, withDraft } from './edition-command.ts';
import { draftEditJson, formatDraftLog, formatEdit, formatEditionProblems, formatStoryCount } from './format-drafts.ts';

/** Adds to the group `editions`. */
export function addDraftCommands(editions: Command, cli: CliContext): void {
  addLookCommands(editions, cli);
  const editing = (verb: string, description: string): Command =>
    addDraftCommand(editions, verb, description).option(...BY);
  for (const [kind, description] of [
    ['drop', 'keep a story out of the edition'],
    ['restore', 'leave a story to the rules again'],
  ] as const) {
    editing(kind, description)
      .argument('<article>', 'its id')
      .action((name: string, story: string, options: EditorOptions) => edit(cli, name, options, { kind, story }));
  }
  editing('subject', 'write the subject of the edition')
    .argument('[text]', 'one line')
    .option('--auto', 'restore the automatic one')
    .action(
      (name: string, text: string | undefined, { auto = false, ...options }: EditorOptions & { auto?: boolean }) => {
        if ((text === undefined) !== auto) throw new CommandError('subject takes either a text or --auto');
        return edit(cli, name, options, { kind: 'subject', text: text ?? null });
      },
    );
  editing('hold', 'keep the edition from closing until it is let go')
    .option('--reason <text>', 'recorded with the hold')
    .action((name: string, { reason = null, ...options }: EditorOptions & { reason?: string | null }) =>
      edit(cli, name, options, { kind: 'hold', reason }),
    );
  editing('unhold', 'let a held edition close').action((name: string, options: EditorOptions) =>
    edit(cli, name, options, { kind: 'unhold' }),
  );
  editing('approve', 'let the edition close with exactly the stories that "editions show" printed')
    .requiredOption('--hash <hash>', 'the one that "editions show" printed')
    .action((name: string, { hash, ...options }: EditorOptions & { hash: string }) =>
      edit(cli, name, options, { kind: 'approve' }, hash),
    );
}

/** Adds the commands that change nothing. */
function addLookCommands(editions: Command, cli: CliContext): void {
  addDraftCommand(editions, 'log', 'list all commands to the draft, newest first').action(
    (name: string, options: JsonOption) =>
      cli.withApp(async (app) => {
        const { db } = app.store;
        const [newsletter = '', slot] = name.split('/', 2);
        // Also of a slot or a newsletter that is no longer configured.
        const stored = slot === undefined ? [] : await readDraftLog(db, newsletter, slot);
        const target = stored.length > 0 ? null : await draftNamed(app, name);
        const log = target === null ? stored : await readDraftLog(db, target.newsletter.id, target.slot.label);
        const value = log.toReversed();
        printResult(cli, options, value, () => formatDraftLog(value, app.config.publication.zone));
      }),
  );
  addDraftCommand(editions, 'preview', 'write a coming edition as HTML and text; print the path of the HTML')
    .addOption(new Option('--text', 'print the text version instead').conflicts('json'))
    .action((name: string, { text: isText, ...options }: JsonOption & { text?: boolean }) =>
      withDraft(cli, name, async (app, target) => {
        const composition = await composeDraft(app, target, {}, 0);
        if (composition.kind === 'empty') throw new CommandError(`there is nothing to preview: ${composition.reason}`);
        const { composed, stories, isSkipped } = composition;
        const { htmlPath, textPath, text } = writePreviewFiles(app, composed);
        const { subject, preheader } = composed;
        printResult(
          cli,
          options,
          { edition: targetName(target), subject, preheader, stories, isSkipped, htmlPath, textPath },
          () =>
            isText
              ? text.trimEnd()
              : `${htmlPath}\n${targetName(target)}: ${formatStoryCount(composition, target)}; ` +
                `"daywire editions show ${targetName(target)}" lists them, and what is left out`,
        );
      }),
    );
  addDraftCommand(editions, 'check', 'check a coming edition: links, pictures, words left in, size, repeated stories')
    .option('--no-links', 'look up no links')
    .action((name: string, { links, ...options }: JsonOption & { links: boolean }) =>
      withDraft(cli, name, async (app, target) => {
        const composition = await composeDraft(app, target);
        if (composition.kind === 'empty') throw new CommandError(`there is nothing to check: ${composition.reason}`);
        const { composed, stories, isSkipped } = composition;
        const lookUp = { links: links ? 'look-up' : 'none', signal: cli.stopSignal() } as const;
        const problems = await checkDraft(app, target.newsletter, composed, lookUp);
        const { bytes } = composed.size;
        const html = { bytes, maximum: MAX_HTML_BYTES };
        printResult(cli, options, { edition: targetName(target), stories, isSkipped, html, problems }, () =>
          [
            `${targetName(target)}: ${formatStoryCount(composition, target)}`,
            `${bytes} of ${MAX_HTML_BYTES} bytes of HTML (${Math.floor((100 * bytes) / MAX_HTML_BYTES)}%)`,
            ...formatEditionProblems(problems),
          ].join('\n'),
        );
        if (problems.some(({ severity }) => severity === 'error')) cli.fail();
      }),
    );
  addDraftCommand(editions, 'test', 'mail a marked copy of a coming edition to an address')
    .argument('<address>', 'an email address')
    .action((name: string, to: string, options: JsonOption) =>
      withDraft(cli, name, async (app, target) => {
        const outcome = await sendTestCopy(app, target, { to });
        if (outcome.kind === 'empty') throw new CommandError(`there is nothing to mail: ${outcome.reason}`);
        const { reply } = outcome;
        printResult(cli, options, { to, reply }, () => `submitted a test copy to ${to}: ${reply}`);
      }),
    );
}

function edit(
  cli: CliContext,
  name: string,
  { by, ...options }: EditorOptions,
  request: DraftRequest,
  hash?: string,
): Promise<void> {
  return withDraft(cli, name, async (app, target) => {
    const result = await editDraft(app, target, editorName(cli, by), request, { seen: { hash } });
    printResult(cli, options, draftEditJson(target, result), () => formatEdit(target, result));
  });
}
