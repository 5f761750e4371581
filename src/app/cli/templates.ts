/**
 * Commands about a newsroom's own templates.
 */
import type { Command } from 'commander';
import { type CliContext, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { displayPath, table } from '../../core/cli/text.ts';
import { loadConfig } from '../../core/config/config.ts';
import {
  ejectTemplate,
  keepTemplate,
  listTemplates,
  readBoth,
  type TemplateEntry,
} from '../templates/own-templates.ts';
import { formatDiff } from './line-diff.ts';

const WORDS: Record<TemplateEntry['state'], string> = {
  'built-in': 'built-in',
  same: 'your copy, the same as the built-in one',
  edited: 'your copy',
  outdated: 'your copy; daywire has changed the built-in one since you ejected it',
  unknown: 'your copy, which was not ejected: whether daywire has changed the built-in one is not known',
  removed: 'your copy of a template that daywire no longer uses',
  own: 'your own',
};

export function addCommands(program: Command, cli: CliContext): void {
  const templates = program.command('templates').description('list, copy and compare the templates of pages and mail');
  const folder = (): string => {
    const { configFile, env, cwd } = cli.processEnv('warn');
    return loadConfig(configFile, env, cwd).paths.templates;
  };

  templates
    .command('list')
    .description('list all templates, and which of them you have replaced')
    .addOption(jsonOption())
    .action((options: JsonOption) => {
      const value = listTemplates(folder());
      printResult(cli, options, {
        value,
        text: () => table(value.map(({ name, state }) => [name, WORDS[state]])).join('\n'),
      });
    });
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
