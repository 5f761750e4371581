/** Commands about articles. */
import { open } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import {
  type CliContext,
  CommandError,
  type JsonOption,
  jsonCommand,
  parseWholeNumber,
  printResult,
} from '../../core/cli/context.ts';
import { formatProgress } from '../../core/cli/progress.ts';
import { withLocalTimes } from '../../core/cli/text.ts';
import { INDEXED_NOTHING, INDEXED_TO, writeMeta } from '../../core/store/meta.ts';
import { formatPublish } from '../../feeds/publish/format-publish.ts';
import { publishChanges, summarise } from '../../feeds/publish/publish.ts';
import { cleanLine, cleanUrl } from '../../lib/text/clean-text.ts';
import { count } from '../../lib/text/count.ts';
import { endIdleThreads } from '../../lib/threads/thread-pool.ts';
import { rfc3339 } from '../../lib/time.ts';
import {
  type CmsExport,
  importExport,
  importSiteFolder,
  type SiteImportResult,
} from '../../own-sites/exports/import-export.ts';
import { GENERATORS, type SiteGenerator } from '../../own-sites/exports/site-folder.ts';
import { type ExportedArticles, ExportFolderError, exportArticles } from '../export/export-articles.ts';
import { type ArticleImportOptions, importPaths } from '../import/import.ts';
import { type ImportMessage, MessageKinds, messagesOf } from '../import/message-kinds.ts';
import type { ArticleImportResult } from '../import/result.ts';
import { importAsRun, listImportRuns, undoRun } from '../import/runs/import-runs.ts';
import { syncHeldAlerts } from '../import/runs/news-hold.ts';
import { countRejections, findRejection, listRejections, type RecordedRejection } from '../rejections.ts';
import { lookUpSomeImages } from '../remote-images/look-up.ts';
import { indexing } from '../search/search-index.ts';

export function addArticleCommands(program: Command, cli: CliContext): void {
  const importing = jsonCommand(
    program,
    'import',
    'import articles: Markdown files with front matter, JSON Lines, and folders of them',
  )
    .argument('<path...>', 'files and folders; with --from, the export')
    .addOption(
      new Option('--from <system>', 'import an export: the file of a CMS, or the folder of a site').choices([
        ...['wordpress', 'ghost'],
        ...Object.keys(GENERATORS),
      ]),
    )
    .option('--source <id>', 'of a CMS: begins the ids, as in our-site.1234; default: the name of the system')
    .option('--take-over', 'also articles that belong to other files or to sources, from now on')
    .addOption(
      new Option('--undated <as>', 'what becomes of articles without a date; default: they are rejected').choices([
        'now',
        'draft',
      ]),
    )
    .option('--yes', 'also publish a first import with more than 20 articles dated within the last day')
    .option('--dry-run', 'count what would be done, and store nothing but copies of pictures')
    .option('--url <address>', 'of the site; for folders it may end in a pattern, such as /:year/:slug/')
    .option('--report <file>', 'write every message to a file, one a line')
    .action((paths: string[], options: ArticleImportFlags) => importArticles(cli, paths, options));
  addImportRunCommands(importing, cli);

  const articles = program.command('articles').description('stored articles');
  articles
    .command('reindex')
    .description('build the index of words again, while searches use the one that is there')
    .action(() => reindexArticles(cli));
  jsonCommand(
    articles,
    'export',
    'write all articles, drafts too, and their media to a folder that "daywire import" reads',
  )
    .argument('<folder>', 'a new one')
    .action((folder: string, options: JsonOption) => exportToFolder(cli, folder, options));

  const rejected = program.command('rejected').description('input that was not used, with the reason');
  jsonCommand(rejected, 'list', 'list all rejected input, newest first')
    .option('--page <number>', 'which page, from 1', parseWholeNumber(1_000_000), 1)
    .option('--limit <number>', 'entries of a page', parseWholeNumber(100_000), 50)
    .action((options: Parameters<typeof listRejected>[1]) => listRejected(cli, options));
  jsonCommand(rejected, 'show', 'print a rejected input as it was read, with the reason')
    .argument('<key>', 'as "daywire rejected list" prints it')
    .action((key: string, options: JsonOption) => showRejected(cli, key, options));
}

/** A running daywire helps, and goes on if this is ended. */
function reindexArticles(cli: CliContext): Promise<void> {
  return cli.withApp(async ({ store }) => {
    await writeMeta(store.db, INDEXED_TO, INDEXED_NOTHING);
    await indexing(store.db)(new AbortController().signal);
    cli.print('all articles are indexed');
  });
}

function exportToFolder(cli: CliContext, folder: string, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const exported = await exportArticles(app, folder).catch((error: unknown) => {
      throw error instanceof ExportFolderError ? new CommandError(error.message) : error;
    });
    for (const problem of exported.problems) cli.printError(cleanLine(problem));
    printResult(cli, options, exported, () => formatExport(exported, folder));
    if (exported.problems.length > 0) cli.fail();
  });
}

function formatExport({ articles, media, roundups, problems }: ExportedArticles, folder: string): string {
  const left = roundups === 0 ? '' : `; ${count(roundups, 'roundup')} of editions left out`;
  const differences = problems.length === 0 ? '' : `; ${count(problems.length, 'difference')} from what is stored`;
  return `${count(articles, 'article')} and ${count(media, 'file')} of media are in ${folder}${left}${differences}`;
}

/** As the id of a source in the configuration. */
const SOURCE_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;

interface ArticleImportFlags extends JsonOption {
  undated?: 'now' | 'draft';
  yes?: boolean;
  from?: CmsExport | SiteGenerator;
  source?: string;
  url?: string;
  takeOver?: boolean;
  dryRun?: boolean;
  report?: string;
}

type SomeImport = ArticleImportResult & Partial<SiteImportResult>;

function listRejected(cli: CliContext, options: JsonOption & { page: number; limit: number }): Promise<void> {
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
    const { store, config, clock } = app;
    const { takeOver, undated, yes, dryRun: isDryRun = false } = flags;
    const importAll = (run?: number): Promise<SomeImport> => {
      const options = { clock, takeOver, undated, yes, run, isDryRun, onMessages, onProgress: progressOf(cli) };
      return from === undefined
        ? importPaths(store, config, paths, options)
        : importFrom(app, paths, { ...flags, from }, options);
    };
    const { result, run } = isDryRun
      ? { result: await importAll(), run: null }
      : await importAsRun(store.db, input, startedAt, importAll);
    await endIdleThreads();
    const { pictures, published } = isDryRun ? NOTHING_PUBLISHED : await publishImported(app, result, startedAt);
    const givenUp = pictures.givenUp.map(({ url, reason }) => [`picture ${url}`, `picture ${url}: ${reason}`] as const);
    await onMessages(givenUp.map(([source, text]) => ({ kind: 'warning', source, text })));
    await file?.close();
    for (const line of kinds.lines()) cli.printError(line);
    const ignored = result.ignoredKeys.join(', ');
    if (ignored !== '') cli.printError(`left out, as they mean nothing here: ${ignored}`);
    const shown = { import: result, dryRun: isDryRun, run, messages: kinds.list(), pictures, publish: published };
    printResult(cli, flags, shown, () =>
      [
        ...(isDryRun ? ['dry run: nothing was stored; this is what an import would do'] : []),
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

const NOTHING_PUBLISHED = { pictures: { found: 0, waiting: 0, givenUp: [] }, published: null };

async function publishImported(app: AppContext, { added, updated }: ArticleImportResult, startedAt: number) {
  await syncHeldAlerts(app.store.db, app.config.import.watch, app.clock());
  // Changes that others have left unpublished are theirs to publish.
  const publish = () => publishChanges(app, { since: startedAt });
  const imported = added + updated > 0 ? await publish() : null;
  // Afterwards: the servers of others may be slow.
  const pictures = await lookUpSomeImages(app);
  const completed = pictures.found > 0 ? await publish() : null;
  const results = [imported, completed].filter((result) => result !== null);
  return { pictures, published: results.length === 0 ? null : summarise(results) };
}

async function importFrom(
  { store, config }: AppContext,
  [path, ...others]: string[],
  { from, source, url }: ArticleImportFlags & { from: CmsExport | SiteGenerator },
  options: ArticleImportOptions,
): Promise<SomeImport> {
  if (path === undefined || others.length > 0) throw new CommandError('--from takes one file or folder');
  const siteUrl = url === undefined ? null : cleanUrl(url);
  if (url !== undefined && siteUrl === null) throw new CommandError(`--url ${url}: must be an http or https address`);
  if (source !== undefined && !SOURCE_ID.test(source)) {
    throw new CommandError(`--source ${source}: must be lower-case letters, digits and hyphens`);
  }
  const result =
    from === 'wordpress' || from === 'ghost'
      ? await importExport(store, config, path, { ...options, from, sourceId: source ?? from, siteUrl })
      : await importSiteFolder(store, config, path, { ...options, from, url: siteUrl });
  const problems = result.leftOut.map((line) => `${path}: ${line}`);
  await options.onMessages?.(messagesOf('notice', [{ source: path, problems }]));
  return result;
}

/** @param importing the command `import`, which takes `--json` before those of its own commands do */
function addImportRunCommands(importing: Command, cli: CliContext): void {
  jsonCommand(importing, 'runs', 'list the last 50 imports that have added articles, newest first').action(
    (_: JsonOption, command: Command) => showRuns(cli, command.optsWithGlobals()),
  );
  jsonCommand(
    importing,
    'undo',
    'take back what an import has added: deletes what nothing has shown yet, and retracts the rest',
  )
    .argument('<run>', 'its number, as "daywire import runs" prints it')
    .action((run: string, _: JsonOption, command: Command) => undoImport(cli, run, command.optsWithGlobals()));
}

function showRuns(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async ({ store }) => {
    const runs = (await listImportRuns(store.db)).map(({ id, started_at, input, added, undone_at }) => {
      const undoneAt = undone_at === null ? null : rfc3339(undone_at);
      return { id, startedAt: rfc3339(started_at), input, added, undoneAt };
    });
    const lines = runs.map(({ id, startedAt, input, added, undoneAt }) => {
      return `${id}  ${startedAt}  ${input}: ${added} added${undoneAt === null ? '' : `, undone ${undoneAt}`}`;
    });
    printResult(cli, options, { runs }, () => lines.join('\n') || 'no import has added articles');
  });
}

function undoImport(cli: CliContext, run: string, options: JsonOption): Promise<void> {
  return cli.withApp(async (app) => {
    const startedAt = app.clock();
    const undone = /^\d{1,15}$/.test(run) ? await undoRun(app, Number(run)) : null;
    if (undone === null) throw new CommandError(`there is no run ${run} to undo: see "daywire import runs"`);
    const published = await publishChanges(app, { since: startedAt });
    const done = `${undone.deleted} deleted, ${undone.retracted} retracted`;
    const text = () => `${done}\n${formatPublish(published, app.config)}`;
    printResult(cli, options, { undo: undone, publish: published }, text);
  });
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
  const isRejected = kinds.list().some(({ kind }) => kind === 'rejected');
  const rejections = isRejected ? '; "daywire rejected list" lists what was rejected' : '';
  return [`${kinds.count} messages: --report FILE writes all${rejections}`];
}

function formatImport({ added, updated, unchanged, rejectedCount }: ArticleImportResult): string {
  const rejections = rejectedCount === 0 ? '' : `, ${rejectedCount} rejected`;
  return `${added} added, ${updated} updated, ${unchanged} unchanged${rejections}`;
}
