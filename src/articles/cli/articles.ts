/** Commands about articles. */

import { open } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { formatProgress } from '../../core/cli/progress.ts';
import { count, withLocalTimes } from '../../core/cli/text.ts';
import { formatPublish } from '../../feeds/publish/format-publish.ts';
import { publishChanges, summarise } from '../../feeds/publish/publish.ts';
import { cleanLine, cleanUrl } from '../../lib/text/clean-text.ts';
import { endIdleThreads } from '../../lib/threads/thread-pool.ts';
import { rfc3339 } from '../../lib/time.ts';
import {
  type CmsExport,
  importExport,
  importSiteFolder,
  type SiteImportResult,
} from '../../own-sites/exports/import-export.ts';
import { GENERATORS, type SiteGenerator } from '../../own-sites/exports/site-folder.ts';
import { type ArticleImportOptions, importPaths } from '../import/import.ts';
import { type ImportMessage, MessageKinds } from '../import/message-kinds.ts';
import type { ArticleImportResult } from '../import/result.ts';
import { importAsRun } from '../import/runs/import-runs.ts';
import { syncHeldAlerts } from '../import/runs/news-hold.ts';
import { countRejections, findRejection, listRejections, type RecordedRejection } from '../rejections.ts';
import { lookUpSomeImages } from '../remote-images/look-up.ts';
import { addImportRunCommands } from './import-runs.ts';

export function addArticleCommands(program: Command, cli: CliContext): void {
  const importing = program
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
    .addOption(
      new Option('--undated <as>', 'what becomes of articles without a date; default: they are rejected').choices([
        ...UNDATED,
      ]),
    )
    .option('--yes', 'also publish a first import with more than 20 articles dated within the last day')
    .option('--url <address>', 'of the site; for folders it may end in a pattern, such as /:year/:slug/')
    .option('--report <file>', 'write every message to a file, one a line')
    .addOption(jsonOption())
    .action((paths: string[], options: ArticleImportFlags) => importArticles(cli, paths, options));
  addImportRunCommands(importing, cli);

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

const UNDATED = ['now', 'draft'] as const;

interface ArticleImportFlags extends JsonOption {
  undated?: (typeof UNDATED)[number];
  yes?: boolean;
  from?: CmsExport | SiteGenerator;
  source?: string;
  url?: string;
  takeOver?: boolean;
  report?: string;
}

type SomeImport = ArticleImportResult & Partial<SiteImportResult>;
type ImportFlagsWithRun = ArticleImportFlags & Pick<ArticleImportOptions, 'run' | 'onMessages'>;

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
    printResult(cli, options, { count, page, pages, rejected: entries }, () =>
      formatRejections(entries, { count, page, pages, zone: config.publication.zone }),
    );
  });
}

function showRejected(cli: CliContext, key: string, options: JsonOption): Promise<void> {
  return cli.withApp(async ({ store }) => {
    const entry = await findRejection(store.reports, key);
    if (entry === null) throw new CommandError(`nothing is rejected at ${key}: see "daywire rejected list"`);
    printResult(cli, options, entry, () => `${entry.problems.join('\n')}\n\n${entry.raw}`);
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
    const file = flags.report === undefined ? null : await open(flags.report, 'w');
    const kinds = new MessageKinds();
    const onMessages = async (messages: ImportMessage[]): Promise<void> => {
      for (const message of messages) kinds.add(message);
      await file?.writeFile(messages.map(({ kind, text }) => `${kind}: ${cleanLine(text)}\n`).join(''));
    };
    const input = [...(from === undefined ? [] : ['--from', from]), ...paths].join(' ');
    const { result, run } = await importAsRun(
      app.store.db,
      input,
      startedAt,
      async (run): Promise<SomeImport> =>
        from === undefined
          ? importFromPaths(cli, app, paths, { ...flags, run, onMessages })
          : importFrom(cli, app, paths, { ...flags, from, run, onMessages }),
    );
    await syncHeldAlerts(app.store.db, app.config.import.watch, app.clock());
    await endIdleThreads();
    // Changes that others have left unpublished are theirs to publish.
    const publish = () => publishChanges(app, { since: startedAt });
    const imported = result.added + result.updated > 0 ? await publish() : null;
    // Afterwards: the servers of others may be slow.
    const pictures = await lookUpSomeImages(app);
    const completed = pictures.found > 0 ? await publish() : null;
    const results = [imported, completed].filter((result) => result !== null);
    const published = results.length === 0 ? null : summarise(results);
    const givenUp = pictures.givenUp.map(({ url, reason }) => [`picture ${url}`, `picture ${url}: ${reason}`] as const);
    await onMessages(givenUp.map(([source, text]) => ({ kind: 'warning', source, text })));
    await file?.close();
    for (const line of kinds.lines()) cli.printError(line);
    const ignored = result.ignoredKeys.join(', ');
    if (ignored !== '') cli.printError(`left out, as they mean nothing here: ${ignored}`);
    printResult(cli, flags, { import: result, run, messages: kinds.list(), pictures, publish: published }, () =>
      [
        formatImport(result),
        ...formatMessageCount(kinds, flags.report),
        ...formatSamples(result),
        ...formatPictures(pictures),
        ...(published === null ? [] : [formatPublish(published, app.config)]),
        ...(run === null ? [] : [`run ${run}: "daywire import undo ${run}" takes it back`]),
      ].join('\n'),
    );
    if (result.heldNews > 0) cli.printError(formatHeld(result));
    if (result.rejectedCount + result.heldNews > 0) cli.fail();
  });
}

function importFromPaths(
  cli: CliContext,
  { store, config, clock }: AppContext,
  paths: string[],
  { takeOver, undated, yes, run, onMessages }: ImportFlagsWithRun,
) {
  const options = { clock, takeOver, undated, yes, run, onMessages, onProgress: progressOf(cli) };
  return importPaths(store, config, paths, options);
}

async function importFrom(
  cli: CliContext,
  { store, config, clock }: AppContext,
  paths: string[],
  { from, source, url, ...flags }: ImportFlagsWithRun & { from: CmsExport | SiteGenerator },
): Promise<SomeImport> {
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) throw new CommandError('--from takes one file or folder');
  const siteUrl = url === undefined ? null : cleanUrl(url);
  if (url !== undefined && siteUrl === null) throw new CommandError(`--url ${url}: must be an http or https address`);
  if (source !== undefined && !SOURCE_ID.test(source)) {
    throw new CommandError(`--source ${source}: must be lower-case letters, digits and hyphens`);
  }
  const { takeOver, undated, yes, run, onMessages } = flags;
  const options = { clock, takeOver, undated, yes, run, onMessages };
  const result = isCmsExport(from)
    ? await importExport(store, config, path, { ...options, from, sourceId: source ?? from, siteUrl })
    : await importSiteFolder(store, config, path, { ...options, from, url: siteUrl, onProgress: progressOf(cli) });
  await onMessages?.(result.leftOut.map((line) => ({ kind: 'notice', source: path, text: `${path}: ${line}` })));
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

function formatHeld({ heldNews, heldExamples }: ArticleImportResult): string {
  const what = `${count(heldNews, 'article')} of this first import are dated within the last day`;
  const advice = 'look at them ("daywire rejected list" has them), then run the same command with --yes';
  return `${what}, such as ${heldExamples.join(', ')}: none of these was published; ${advice}`;
}

/** Where all messages are, unless all were printed. */
function formatMessageCount(kinds: MessageKinds, report: string | undefined): string[] {
  if (report !== undefined) return [`${count(kinds.count, 'message')} in ${report}`];
  if (kinds.count === kinds.list().length) return [];
  return [`${kinds.count} messages: --report FILE writes all; "daywire rejected list" lists what was rejected`];
}

function formatImport({ added, updated, unchanged, rejectedCount }: ArticleImportResult): string {
  const rejections = rejectedCount === 0 ? '' : `, ${rejectedCount} rejected`;
  return `${added} added, ${updated} updated, ${unchanged} unchanged${rejections}`;
}
