/** Commands about articles. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { formatProgress } from '../../core/cli/progress.ts';
import { count, withLocalTimes } from '../../core/cli/text.ts';
import { formatPublish } from '../../feeds/publish/format-publish.ts';
import { publishChanges, summarise } from '../../feeds/publish/publish.ts';
import { cleanUrl } from '../../lib/text/clean-text.ts';
import { endIdleThreads } from '../../lib/threads/thread-pool.ts';
import { rfc3339 } from '../../lib/time.ts';
import {
  type CmsExport,
  importExport,
  importSiteFolder,
  type SiteImportResult,
} from '../../own-sites/exports/import-export.ts';
import { GENERATORS, type SiteGenerator } from '../../own-sites/exports/site-folder.ts';
import { importPaths } from '../import/import.ts';
import type { ArticleImportResult } from '../import/result.ts';
import { countRejections, findRejection, listRejections, type RecordedRejection } from '../rejections.ts';
import { lookUpSomeImages } from '../remote-images/look-up.ts';

export function addArticleCommands(program: Command, cli: CliContext): void {
  program
    .command('import')
    .description('import articles: Markdown files with front matter, JSON Lines, and folders of them')
    .argument('<path...>', 'files and folders; with --from, the export')
    .addOption(
      new Option('--from <system>', 'import an export: the file of a CMS, or the folder of a site').choices([
        ...CMS_EXPORTS,
        ...Object.keys(GENERATORS),
      ]),
    )
    .option('--source <id>', 'of a CMS: begins the ids, as in our-site.1234; default: the name of the system')
    .option('--take-over', 'also articles that belong to other files or to sources, from now on')
    .option('--url <address>', 'of the site; for folders it may end in a pattern, such as /:year/:slug/')
    .addOption(jsonOption())
    .action((paths: string[], options: ArticleImportFlags) => importArticles(cli, paths, options));

  const rejected = program.command('rejected').description('input that was not used, with the reason');
  rejected
    .command('list')
    .description('list all rejected input, newest first')
    .addOption(numberOption('--page <number>', 'which page, from 1').default(1))
    .addOption(numberOption('--limit <number>', 'entries of a page').default(50))
    .addOption(jsonOption())
    .action((options: PageOptions) => listRejected(cli, options));
  rejected
    .command('show')
    .description('print a rejected input as it was read, with the reason')
    .argument('<key>', 'as "daywire rejected list" prints it')
    .addOption(jsonOption())
    .action((key: string, options: JsonOption) => showRejected(cli, key, options));
}

const CMS_EXPORTS: readonly CmsExport[] = ['wordpress', 'ghost'];

/** As the id of a source in the configuration. */
const SOURCE_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;

interface ArticleImportFlags extends JsonOption {
  from?: CmsExport | SiteGenerator;
  source?: string;
  url?: string;
  takeOver?: boolean;
}

interface PageOptions extends JsonOption {
  page: number;
  limit: number;
}

function numberOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    const number = Number(text);
    if (Number.isSafeInteger(number) && number >= 1) return number;
    throw new InvalidArgumentError('It must be a whole number, 1 or more.');
  });
}

function listRejected(cli: CliContext, options: PageOptions): Promise<void> {
  return cli.withApp(async ({ store, config }) => {
    const { page, limit } = options;
    const count = await countRejections(store.db);
    const entries = await listRejections(store.reports, { limit, offset: (page - 1) * limit });
    const pages = Math.max(1, Math.ceil(count / limit));
    printResult(cli, options, {
      value: { count, page, pages, rejected: entries },
      text: () => formatRejections(entries, { count, page, pages, zone: config.publication.zone }),
    });
  });
}

function showRejected(cli: CliContext, key: string, options: JsonOption): Promise<void> {
  return cli.withApp(async ({ store }) => {
    const entry = await findRejection(store.reports, key);
    if (entry === null) throw new CommandError(`nothing is rejected at ${key}: see "daywire rejected list"`);
    printResult(cli, options, { value: entry, text: () => `${entry.problems.join('\n')}\n\n${entry.raw}` });
  });
}

/** For each entry its key and time, and a line for each reason, which names file and line. */
function formatRejections(
  entries: RecordedRejection[],
  { count, page, pages, zone }: { count: number; page: number; pages: number; zone: string },
): string {
  const lines = entries.flatMap(({ key, rejectedAt, problems }) => [
    `${key}, ${withLocalTimes(rfc3339(rejectedAt), zone)}`,
    ...problems.map((problem) => `  ${problem}`),
  ]);
  return [...lines, `${count} rejected${pages > 1 || page > 1 ? `, page ${page} of ${pages}` : ''}`].join('\n');
}

function importArticles(cli: CliContext, paths: string[], flags: ArticleImportFlags): Promise<void> {
  const { from } = flags;
  if (from === undefined && (flags.source !== undefined || flags.url !== undefined)) {
    throw new CommandError('--source and --url are for an export: add --from');
  }
  return cli.withApp(async (app) => {
    const startedAt = app.clock();
    const result: ArticleImportResult & Partial<SiteImportResult> =
      from === undefined
        ? await importFromPaths(cli, app, paths, flags)
        : await importFrom(cli, app, paths, { ...flags, from });
    await endIdleThreads();
    // Changes that others have left unpublished are theirs to publish.
    const publish = () => publishChanges(app, { since: startedAt });
    const imported = result.added + result.updated > 0 ? await publish() : null;
    // Afterwards: the servers of others may be slow.
    const pictures = await lookUpSomeImages(app);
    const completed = pictures.found > 0 ? await publish() : null;
    const results = [imported, completed].filter((result) => result !== null);
    const published = results.length === 0 ? null : summarise(results);
    const { problems, summary } = formatImport(result);
    problems.push(...pictures.givenUp.map(({ url, reason }) => `picture ${url}: ${reason}`));
    for (const problem of problems) cli.printError(problem);
    printResult(cli, flags, {
      value: { import: result, pictures, publish: published },
      text: () =>
        [
          summary,
          ...formatSamples(result),
          ...formatPictures(pictures),
          ...(published === null ? [] : [formatPublish(published, app.config)]),
        ].join('\n'),
    });
    if (result.rejectedCount > 0) cli.fail();
  });
}

function importFromPaths(
  cli: CliContext,
  { store, config, clock }: AppContext,
  paths: string[],
  { takeOver }: ArticleImportFlags,
) {
  return importPaths(store, config, paths, { clock, takeOver, onProgress: progressOf(cli) });
}

async function importFrom(
  cli: CliContext,
  { store, config, clock }: AppContext,
  paths: string[],
  { from, source, url, takeOver }: ArticleImportFlags & { from: CmsExport | SiteGenerator },
): Promise<ArticleImportResult & Partial<SiteImportResult>> {
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) throw new CommandError('--from takes one file or folder');
  const siteUrl = url === undefined ? null : cleanUrl(url);
  if (url !== undefined && siteUrl === null) throw new CommandError(`--url ${url}: must be an http or https address`);
  if (source !== undefined && !SOURCE_ID.test(source)) {
    throw new CommandError(`--source ${source}: must be lower-case letters, digits and hyphens`);
  }
  const result = isCmsExport(from)
    ? await importExport(store, config, path, { from, sourceId: source ?? from, siteUrl, clock, takeOver })
    : await importSiteFolder(store, config, path, { from, url: siteUrl, clock, takeOver, onProgress: progressOf(cli) });
  for (const line of result.leftOut) cli.printError(`${path}: ${line}`);
  return result;
}

function formatPictures({ found, waiting }: { found: number; waiting: number }): string[] {
  return [
    ...(found > 0 ? [`${count(found, 'picture')} on other servers looked up`] : []),
    ...(waiting > 0 ? [`${count(waiting, 'picture')} not looked up yet: a running daywire tries again`] : []),
  ];
}

/** For the operator to compare with the site. */
function formatSamples({ samples = [], siteUrl = null }: Partial<SiteImportResult>): string[] {
  const named = `the site's configuration says ${siteUrl}: add --url ${siteUrl} for addresses there`;
  return [
    ...(samples.length > 0 ? ['addresses, such as'] : []),
    ...samples.map(({ file, url }) => `  ${file}: ${url}`),
    ...(siteUrl === null ? [] : [`articles without an address of their own are published here; ${named}`]),
  ];
}

function isCmsExport(from: CmsExport | SiteGenerator): from is CmsExport {
  return (CMS_EXPORTS as readonly string[]).includes(from);
}

function progressOf(cli: CliContext): (progress: { read: number; bytes: number; totalBytes: number }) => void {
  return (progress) => cli.progress.show(formatProgress({ kind: 'importing', ...progress }));
}

/** Problems, one a line, and a summary. */
function formatImport(result: ArticleImportResult): { problems: string[]; summary: string } {
  const { added, updated, unchanged, rejected, rejectedCount, warnings, warningCount, ignoredKeys } = result;
  const problems = [...rejected, ...warnings].flatMap((entry) => entry.problems);
  const unlisted = rejectedCount + warningCount - rejected.length - warnings.length;
  if (unlisted > 0) problems.push(`and ${unlisted} more: see "daywire rejected list"`);
  if (ignoredKeys.length > 0) problems.push(`left out, as they mean nothing here: ${ignoredKeys.join(', ')}`);
  const rejections = rejectedCount === 0 ? '' : `, ${rejectedCount} rejected`;
  return { problems, summary: `${added} added, ${updated} updated, ${unchanged} unchanged${rejections}` };
}
