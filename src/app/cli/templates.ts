/** Commands about a newsroom's own templates. */
import { diff } from 'node:util';
import type { Command } from 'commander';
import { type CliContext, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { displayPath, table } from '../../core/cli/text.ts';
import { loadConfig } from '../../core/config/config.ts';
import {
  ejectTemplate,
  keepTemplate,
  listTemplates,
  readBoth,
  type TemplateEntry,
} from '../templates/own-templates.ts';

const WORDS: Record<TemplateEntry['state'], string> = {
  'built-in': 'built-in',
  same: 'your copy, the same as the built-in one',
  edited: 'your copy',
  outdated: 'your copy; daywire has changed the built-in one since you ejected it',
  unknown: 'your copy, which was not ejected: whether daywire has changed the built-in one is not known',
  removed: 'your copy of a template that daywire no longer uses',
  own: 'your own',
};

export function addTemplateCommands(program: Command, cli: CliContext): void {
  const templates = program.command('templates').description('list, copy and compare the templates of pages and mail');
  const folder = (): string => {
    const { configFile, env, cwd } = cli.processEnv('warn');
    return loadConfig(configFile, env, cwd).paths.templates;
  };

  jsonCommand(templates, 'list', 'list all templates, and which of them you have replaced').action(
    (options: JsonOption) => {
      const value = listTemplates(folder());
      printResult(cli, options, value, () => table(value.map(({ name, state }) => [name, WORDS[state]])).join('\n'));
    },
  );
  templates
    .command('eject')
    .description('copy built-in templates into your folder, where you can edit them')
    .argument('<names...>', 'such as pages/article.liquid or daily-roundup.mjml')
    .option('--force', 'overwrite your copies')
    .action((names: string[], { force = false }: { force?: boolean }) => {
      for (const name of names) cli.print(displayPath(ejectTemplate(folder(), name, force)));
    });
  templates
    .command('diff')
    .description('show how your copy of a template differs from the built-in one')
    .argument('<name>', 'such as pages/article.liquid')
    .action((name: string) => {
      const { name: known, path, own, builtIn } = readBoth(folder(), name);
      const before = { name: `${displayPath(path)} (yours)`, text: own };
      const after = { name: `${known} (built-in, daywire ${cli.version})`, text: builtIn };
      cli.print(formatDiff(before, after) || `${known}: your copy is the same as the built-in one`);
    });
  templates
    .command('keep')
    .description('record that your copy takes the present built-in template into account, so that check is silent')
    .argument('<name>', 'such as pages/article.liquid')
    .action((name: string) => cli.print(`${keepTemplate(folder(), name)}: your copy is kept`));
}

/** Unchanged lines around a change. */
const CONTEXT_LINES = 3;

/** The differences of two texts, as `diff -u` shows them. @returns an empty text if they do not differ */
function formatDiff(before: { name: string; text: string }, after: { name: string; text: string }): string {
  // 1: only in `before`, -1: only in `after`.
  const entries = diff(before.text.split('\n'), after.text.split('\n'));
  const isShown = entries.map(() => false);
  for (const [index, [kind]] of entries.entries()) {
    if (kind === 0) continue;
    isShown.fill(true, Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1);
  }
  if (!isShown.includes(true)) return '';
  const lines = [`--- ${before.name}`, `+++ ${after.name}`];
  let [line, otherLine] = [1, 1];
  for (const [index, [kind, text]] of entries.entries()) {
    if (isShown[index]) {
      if (!isShown[index - 1]) lines.push(`@@ line ${line}, and line ${otherLine} of the other @@`);
      lines.push(`${kind === 0 ? ' ' : kind === 1 ? '-' : '+'}${text}`);
    }
    if (kind !== -1) line += 1;
    if (kind !== 1) otherLine += 1;
  }
  return lines.join('\n');
}
