/** The commands `sources import` and `sources export`: feeds of other outlets as OPML, which feed readers exchange. */
import { createReadStream, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { type CliContext, CommandError, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { roundupSources } from '../../core/config/sources.ts';
import { feedOutline, writeOpml } from '../../feeds/formats/opml.ts';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { count } from '../../lib/text/count.ts';
import { MAX_OPML_BYTES, type OpmlImport, sourcesOfOpml } from '../../outlets/import-opml.ts';
import { withNewSources, writeConfig } from '../add-source.ts';

interface ImportOptions extends JsonOption {
  dryRun?: boolean;
}

export function addOpmlCommands(sources: Command, cli: CliContext): void {
  jsonCommand(
    sources,
    'import',
    'add the feeds of an OPML file to the configuration, as feeds of other outlets; none is requested',
  )
    .argument('<file>', 'OPML, as feed readers export it; - for stdin')
    .option('--dry-run', 'say what would be added, and change nothing')
    .action((file: string, options: ImportOptions) => importOpml(cli, file, options));
  sources
    .command('export')
    .description('write the feeds of other outlets as OPML 2.0')
    .argument('[file]', 'default: stdout')
    .action((file: string | undefined) => exportOpml(cli, file));
}

function importOpml(cli: CliContext, file: string, { dryRun = false, ...options }: ImportOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const processEnv = cli.processEnv('silent');
    const bytes =
      file === '-' ? await cli.readInput(MAX_OPML_BYTES + 1) : await readInput(resolve(processEnv.cwd, file), file);
    const result = sourcesOfOpml(app.config, bytes);
    if (result.added.length > 0) {
      const { text } = withNewSources(app, processEnv, result.added);
      if (!dryRun) writeConfig(app, processEnv.cwd, text);
    }
    const where = dryRun ? { verb: 'would add', to: '' } : { verb: 'added', to: ` to ${app.config.file}` };
    printResult(cli, options, { ...result, dryRun }, () => formatImport(result, where));
  });
}

/** One byte more than may be: the reader then says that it is too long. */
async function readInput(path: string, name: string): Promise<Buffer> {
  try {
    return await buffer(createReadStream(path, { end: MAX_OPML_BYTES }));
  } catch (error) {
    throw new CommandError(`${name} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

const NEXT = 'try one with "daywire sources test ID"; "daywire start" polls them (restart one that runs)';

function formatImport({ added, known, rejected, problems }: OpmlImport, where: { verb: string; to: string }): string {
  const parts = [
    `${where.verb} ${count(added.length, 'feed')}${added.length === 0 ? '' : where.to}`,
    ...(known.length === 0 ? [] : [`${known.length} known`]),
    ...(rejected.length === 0 ? [] : [`${rejected.length} rejected`]),
  ];
  return [
    ...added.map(({ id, outlet, url }) => `  ${id}: ${outlet}, ${url}`),
    ...known.map(({ url, id }) => `known: ${url} is the source ${id}`),
    ...rejected.map(({ title, url, reason }) => `rejected: ${title ?? 'no title'}, ${url}: ${reason}`),
    ...problems.map((problem) => `note: ${problem}`),
    parts.join(', '),
    ...(added.length === 0 || where.to === '' ? [] : [NEXT]),
  ].join('\n');
}

function exportOpml(cli: CliContext, file: string | undefined): Promise<void> {
  return cli.withApp(async ({ config }) => {
    const feeds = roundupSources(config).map(({ outlet, url, language }) =>
      feedOutline({ title: cleanLine(outlet), xmlUrl: url, ...(language === undefined ? {} : { language }) }),
    );
    const text = writeOpml({ title: cleanLine(`${config.publication.name}: outlets`) }, feeds);
    if (file === undefined) {
      cli.print(text.trimEnd());
      return;
    }
    try {
      writeFileSync(resolve(cli.processEnv('silent').cwd, file), text);
    } catch (error) {
      throw new CommandError(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
    }
    cli.print(`wrote ${count(feeds.length, 'feed')} to ${file}`);
  });
}
