/**
 * Commands about the newsroom as a whole: making one, checking it, looking at it, running it.
 */
import { type Command, Option } from 'commander';
import { check } from '../app/check.ts';
import { init } from '../app/init.ts';
import { ROLES, type Role } from '../app/roles.ts';
import { readStatus } from '../app/status.ts';
import type { CliContext } from './context.ts';
import { describeCheck, describeFirstRound, describeStatus } from './describe.ts';

export function addNewsroomCommands(program: Command, cli: CliContext): void {
  const { withApp: inNewsroom, print: say, clock, progress } = cli;

  program
    .command('init')
    .description('make a newsroom of your own: configuration, templates and an empty store')
    .argument('[folder]', 'where', '.')
    .option('--name <name>', "the publication's name", 'My Newsroom')
    .option('--url <url>', 'its public address', 'http://127.0.0.1:8080')
    .option('--zone <zone>', 'its IANA time zone', 'UTC')
    .option('--language <tag>', 'its language (BCP 47)', 'en')
    .option('--email <address>', 'contact and sender', 'newsroom@example.com')
    .action(async (folder: string, answers: Parameters<typeof init>[1]) => {
      const made = await init(folder, answers, clock());
      say(`made in ${folder}: ${made.join(', ')}`);
      say('next: put articles (Markdown with front matter, or JSON Lines) into articles/, then run "daywire start"');
    });

  program
    .command('check')
    .description('check configuration, templates, store and SMTP login')
    .action(async () => {
      const findings = await check(cli.processEnv('silent'));
      say(describeCheck(findings));
      if (findings.some((finding) => finding.kind === 'problem')) cli.fail();
    });

  program
    .command('status')
    .description('articles, feeds, editions, deliveries, runs, and what was rejected or failed')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) =>
      inNewsroom(async (app) => {
        const status = await readStatus(app, clock());
        say(json ? JSON.stringify(status, null, 2) : describeStatus(status));
      }),
    );

  program
    .command('start')
    .description('publish, compose and deliver what is due, serve the pages, and keep to the schedule')
    .option('--once', 'do what is due and end, without the server')
    .addOption(
      new Option('--role <role...>', 'only that part of the work, where several processes share it').choices(ROLES),
    )
    .action(({ once, role }: { once?: boolean; role?: Role[] }) =>
      inNewsroom(
        async (app) => {
          const { hasFailed, keepRunning, runOnce } = await import('../app/start.ts');
          const ending = cli.endOnSignal();
          const steering = { progress, ending, roles: role ?? ROLES };
          const said = { version: cli.version, now: clock() };
          if (once) {
            const round = await runOnce(app, steering);
            say(describeFirstRound(app, round, { ...said, url: null }));
            if (hasFailed(round)) cli.fail();
            return;
          }
          const running = await keepRunning(app, steering);
          say(describeFirstRound(app, running.round, { ...said, url: running.url }));
          await aborted(ending);
          app.log.info({}, 'stopping: what is under way is finished first');
          await running.stop();
        },
        once ? 'warn' : 'info',
      ),
    );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
