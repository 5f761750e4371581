/** Commands to set up a newsroom. */
import type { Command } from 'commander';
import { type CliContext, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { record } from '../../core/cli/text.ts';
import { configJsonSchema } from '../../core/config/config.ts';
import type { ResolvingContext } from '../../delivery/sending-domain/dns-resolver.ts';
import { check } from '../check/check.ts';
import { answerProblem, assertNoNewsroom, DEFAULT_ANSWERS, type InitAnswers, init } from '../init.ts';

const MARKS = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' };

export function addSetupCommands(program: Command, cli: ResolvingContext): void {
  program
    .command('init')
    .description('create a newsroom: configuration, an example article and an empty store; asks for what is missing')
    .argument('[folder]', 'where', '.')
    .option('--name <name>', `the publication's name; without a terminal: ${DEFAULT_ANSWERS.name}`)
    .option('--url <url>', `its public address; ${DEFAULT_ANSWERS.url}`)
    .option('--zone <zone>', `its IANA time zone; ${DEFAULT_ANSWERS.zone}`)
    .option('--language <tag>', `its language (BCP 47); ${DEFAULT_ANSWERS.language}`)
    .option('--email <address>', `contact and sender; ${DEFAULT_ANSWERS.email}`)
    .option('--site <url>', 'your present site, whose articles are polled; none')
    .action(async (folder: string, given: Partial<InitAnswers>) => {
      assertNoNewsroom(folder);
      const answers = await completeAnswers(cli, given);
      const created = await init(folder, answers, cli.clock());
      cli.print(`created in ${folder}: ${created.join(', ')}`);
      cli.print(
        answers.site === ''
          ? 'next: put articles (Markdown with front matter, or JSON Lines) into articles/, then run "daywire start"'
          : `next: run "daywire sources test our-site", which shows what ${answers.site} has, then "daywire start"`,
      );
      if (created.some((path) => path.endsWith('example.md'))) {
        cli.print('articles/example.md shows the keys of an article. It is a draft, so it is not published.');
      }
    });

  jsonCommand(program, 'check', 'check configuration, templates, store, SMTP login and sources').action(
    async (options: JsonOption) => {
      const findings = await check(cli.processEnv('silent'), cli.openResolver);
      printResult(cli, options, findings, () =>
        record(findings.map(({ kind, message }) => [MARKS[kind], message])).join('\n'),
      );
      if (findings.some((finding) => finding.kind === 'problem')) cli.fail();
    },
  );

  program
    .command('schema', { hidden: true })
    .description('print the JSON Schema of the configuration')
    .action(() => cli.print(JSON.stringify(configJsonSchema(), null, 2)));
}

const QUESTIONS: Record<keyof InitAnswers, string> = {
  name: 'Name of the publication',
  url: 'Public address of its feeds and pages',
  zone: 'Time zone',
  language: 'Language (BCP 47 tag)',
  email: 'Email address, as contact and sender',
  site: 'URL of your present site, whose articles daywire takes over (empty: none)',
};

/** Asks for what was not given, until each answer is valid. Without a terminal, takes the defaults. */
async function completeAnswers(cli: CliContext, given: Partial<InitAnswers>): Promise<InitAnswers> {
  const answers = { ...DEFAULT_ANSWERS, ...given };
  for (const key of Object.keys(QUESTIONS) as (keyof InitAnswers)[]) {
    if (given[key] !== undefined) continue;
    const fallback = key === 'zone' ? Intl.DateTimeFormat().resolvedOptions().timeZone : DEFAULT_ANSWERS[key];
    for (;;) {
      const typed = await cli.ask(`${QUESTIONS[key]}${fallback === '' ? '' : ` [${fallback}]`}: `);
      if (typed === null) break;
      const answer = typed === '' ? fallback : typed;
      const problem = await answerProblem(key, answer);
      if (problem === null) {
        answers[key] = answer;
        break;
      }
      cli.printError(`${key} ${problem}`);
    }
  }
  return answers;
}
