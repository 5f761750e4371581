/**
 * Commands about articles.
 */
import type { Command } from 'commander';
import { publish } from '../app/publish.ts';
import { importPaths } from '../articles/import/import.ts';
import type { ArticleImportReport } from '../articles/import/report.ts';
import { type CliContext, type JsonOption, jsonOption, printResult } from './context.ts';
import { formatPublish } from './format/feeds.ts';
import { formatProgress } from './progress.ts';

export function addArticleCommands(program: Command, cli: CliContext): void {
  program
    .command('import')
    .description('import articles: Markdown files with front matter, JSON Lines, and folders of them')
    .argument('<path...>', 'files and folders')
    .addOption(jsonOption())
    .action((paths: string[], options: JsonOption) => importArticles(cli, paths, options));
}

function importArticles(cli: CliContext, paths: string[], options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const report = await importPaths(app.store, app.config, paths, {
      clock: app.clock,
      onProgress: (progress) => cli.progress.show(formatProgress({ kind: 'importing', ...progress })),
    });
    const published = report.added + report.updated > 0 ? await publish(app) : null;
    const { problems, summary } = formatImport(report);
    for (const problem of problems) cli.printError(problem);
    printResult(cli, options, {
      value: { import: report, publish: published },
      text: () => (published === null ? summary : `${summary}\n${formatPublish(published, app.config)}`),
    });
    if (report.rejectedCount > 0) cli.fail();
  });
}

/** Problems, one a line, and a summary. */
function formatImport(report: ArticleImportReport): { problems: string[]; summary: string } {
  const { added, updated, unchanged, rejected, rejectedCount, warnings, warningCount } = report;
  const problems = [...rejected, ...warnings].flatMap((entry) => entry.problems);
  const unlisted = rejectedCount + warningCount - rejected.length - warnings.length;
  if (unlisted > 0) problems.push(`and ${unlisted} more: "daywire status" lists what was rejected`);
  const rejections = rejectedCount === 0 ? '' : `, ${rejectedCount} rejected`;
  return { problems, summary: `${added} added, ${updated} updated, ${unchanged} unchanged${rejections}` };
}
