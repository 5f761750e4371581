/**
 * Commands to set up a newsroom.
 */
import type { Command } from 'commander';
import { check } from '../app/check.ts';
import { init } from '../app/init.ts';
import { configJsonSchema } from '../config/config.ts';
import { type CliContext, type JsonOption, jsonOption, printResult } from './context.ts';

const MARKS = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' };

export function addSetupCommands(program: Command, cli: CliContext): void {
  program
    .command('init')
    .description('create a newsroom: configuration, templates and an empty store')
    .argument('[folder]', 'where', '.')
    .option('--name <name>', "the publication's name", 'My Newsroom')
    .option('--url <url>', 'its public address', 'http://127.0.0.1:8080')
    .option('--zone <zone>', 'its IANA time zone', 'UTC')
    .option('--language <tag>', 'its language (BCP 47)', 'en')
    .option('--email <address>', 'contact and sender', 'newsroom@example.com')
    .action(async (folder: string, answers: Parameters<typeof init>[1]) => {
      const created = await init(folder, answers, cli.clock());
      cli.print(`created in ${folder}: ${created.join(', ')}`);
      cli.print(
        'next: put articles (Markdown with front matter, or JSON Lines) into articles/, then run "daywire start"',
      );
    });

  program
    .command('check')
    .description('check configuration, templates, store and SMTP login')
    .addOption(jsonOption())
    .action(async (options: JsonOption) => {
      const findings = await check(cli.processEnv('silent'));
      printResult(cli, options, {
        value: findings,
        text: () => findings.map(({ kind, message }) => `${MARKS[kind].padEnd(8)} ${message}`).join('\n'),
      });
      if (findings.some((finding) => finding.kind === 'problem')) cli.fail();
    });

  program
    .command('schema', { hidden: true })
    .description('print the JSON Schema of the configuration')
    .action(() => cli.print(JSON.stringify(configJsonSchema(), null, 2)));
}
