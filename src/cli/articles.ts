/**
 * Commands about articles, feeds and editions.
 */
import type { Command } from 'commander';
import { composeByHand, publish, sendTestCopy } from '../app/jobs.ts';
import { preview } from '../app/preview.ts';
import { describeArchiving, describeImporting } from '../app/progress.ts';
import { importPaths } from '../articles/import/import.ts';
import { type CliContext, CommandError, named, newsletterNamed } from './context.ts';
import { describeEdition, describeImport, describePublish } from './describe.ts';

export function addArticleCommands(program: Command, cli: CliContext): void {
  const { withApp: inNewsroom, print: say, printError: complain, clock, progress } = cli;

  program
    .command('import')
    .description('import articles: Markdown files with front matter, JSON Lines, and folders of them')
    .argument('<path...>', 'files and folders')
    .action((paths: string[]) =>
      inNewsroom(async (app) => {
        const report = await importPaths(app.store, app.config, paths, {
          clock,
          onProgress: (so) => progress.show(describeImporting(so)),
        });
        progress.clear();
        const { problems, summary } = describeImport(report);
        for (const problem of problems) complain(problem);
        say(summary);
        if (report.added + report.updated > 0) say(describePublish(await publish(app), app.config));
        if (report.rejected.length > 0) cli.fail();
      }),
    );

  program
    .command('publish')
    .description('publish feeds now')
    .argument('[feed...]', 'ids of feeds; default all of them')
    .action((feeds: string[]) =>
      inNewsroom(async (app) => {
        for (const id of feeds) named(app.config.feeds, id, 'feed');
        const report = await publish(app, feeds.length === 0 ? undefined : feeds, {
          signal: cli.endOnSignal(),
          onProgress: (closed) => progress.show(describeArchiving(closed)),
        });
        progress.clear();
        say(describePublish(report, app.config));
        for (const { feed, articleId, problem } of report.rejected) complain(`${feed}: ${articleId}: ${problem}`);
        if (report.rejected.length > 0) cli.fail();
      }),
    );

  program
    .command('compose')
    .description("compose and close a newsletter's edition now, and queue its deliveries")
    .argument('<newsletter>', 'its id')
    .option('--slot <slot>', "the slot, such as 2026-11-24; default today's")
    .option('--test <address>', 'close nothing: mail a marked copy of what would go out now to that address')
    .action((id: string, { slot, test }: { slot?: string; test?: string }) =>
      inNewsroom(async (app) => {
        const newsletter = newsletterNamed(app.config, id);
        if (test !== undefined) {
          const sent = await sendTestCopy(app, newsletter, { to: test, slot });
          if (sent.kind === 'skipped') throw new CommandError(`${id}: nothing to mail: ${sent.reason}`);
          say(`a test copy went to ${test}: ${sent.reply}`);
          return;
        }
        const outcome = await composeByHand(app, newsletter, slot);
        if (outcome.kind === 'skipped') throw new CommandError(`${id}: no edition: ${outcome.reason}`);
        say(describeEdition(outcome, app.config));
        await publish(app);
      }),
    );

  program
    .command('preview')
    .description('write the HTML of the edition that would go out now, and print its path')
    .argument('<newsletter>', 'its id')
    .action((id: string) =>
      inNewsroom(async (app) => {
        const outcome = await preview(app, newsletterNamed(app.config, id));
        if (outcome.kind === 'skipped') throw new CommandError(`${id}: nothing to preview: ${outcome.reason}`);
        say(outcome.htmlPath);
      }),
    );
}
