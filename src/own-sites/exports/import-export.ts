/**
 * Imports the export of a CMS, as the source that polls it would be, or the folder of a site generator, through the
 * import of articles.
 */
import { stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { articleUrl } from '../../articles/article.ts';
import type { ImportFile } from '../../articles/import/files/import-files.ts';
import { type ArticleImportOptions, analyseArticles, holdingNews, importFiles } from '../../articles/import/import.ts';
import { sourceOrigin } from '../../articles/import/origin.ts';
import { type ArticleImportResult, addToResult, emptyResult } from '../../articles/import/result.ts';
import { findArticles } from '../../articles/queries.ts';
import type { Config } from '../../core/config/config.ts';
import { articleSources } from '../../core/config/sources.ts';
import type { Store } from '../../core/store/store.ts';
import { findSourceItems } from '../../sources/item-state.ts';
import { type RecordRules, toArticleRecord } from '../article-record.ts';
import { itemFile, recordContent } from '../import-entries.ts';
import { type ExportEntry, ExportError, LeftOut, throwFileError } from './export-entry.ts';
import { readGhostExport } from './ghost.ts';
import { findSitePosts, type SiteGenerator } from './site-folder.ts';
import { readWordPressExport } from './wordpress.ts';

export type CmsExport = 'wordpress' | 'ghost';

export interface ExportImportOptions extends ArticleImportOptions {
  from: CmsExport;
  /** Begins the ids of the articles, and names the source that they belong to. */
  sourceId: string;
  /** Address of the site; Ghost's export does not say it. */
  siteUrl: string | null;
}

export interface ExportImportResult extends ArticleImportResult {
  /** What was not imported, each reason and each key once. */
  leftOut: string[];
}

export interface SiteImportResult extends ExportImportResult {
  /** Three of its articles, so that wrong addresses are noticed. */
  samples: { file: string; url: string }[];
  /** Address of the site by its own configuration, where no `url` is given; else null. */
  siteUrl: string | null;
}

/** Entries of one call of the import. */
const PART = 100;

/**
 * Imports the published posts of a file. Their ids are those of the source with that id, so that polling it later
 * doubles nothing. Doing it again changes nothing.
 * @throws ExportError if the file cannot be read, or is no such export
 */
export async function importExport(
  store: Store,
  config: Config,
  file: string,
  options: ExportImportOptions,
): Promise<ExportImportResult> {
  const { from, sourceId, siteUrl } = options;
  const rules = rulesOf(config, sourceId);
  await stat(file).catch((error: unknown) => throwFileError(file, error));
  const leftOut = new LeftOut();
  const entries =
    from === 'wordpress'
      ? readWordPressExport(file, config.publication.zone, leftOut)
      : readGhostExport(file, ghostUrl(file, siteUrl), leftOut);
  const result = await holdingNews(store, config, { roots: [sourceOrigin(sourceId)] }, options, async (hold) => {
    const imported = emptyResult();
    for await (const whole of partsOf(entries)) {
      const part = await withoutPolled(store, sourceId, whole, leftOut);
      const files = part.flatMap((entry) => importFileOf(entry, rules, leftOut) ?? []);
      addToResult(imported, await importFiles(store, config, files, { ...options, hold, onProgress: undefined }));
    }
    return imported;
  });
  await analyseArticles(store, result);
  return { ...result, leftOut: leftOut.lines() };
}

/**
 * Imports the posts in the folder of a site generator. Each file keeps its articles, and their ids are those of an
 * import without `from`, which knows no addresses of the site. Doing it again changes nothing.
 * @param options.url address of the site, which may end in a pattern; null: articles get no address elsewhere
 * @throws ExportError if the folder holds no posts
 */
export async function importSiteFolder(
  store: Store,
  config: Config,
  folder: string,
  options: ArticleImportOptions & { from: SiteGenerator; url: string | null },
): Promise<SiteImportResult> {
  const { from, url, ...importOptions } = options;
  const leftOut = new LeftOut();
  const { language } = config.publication;
  const { files, siteUrl } = await findSitePosts(folder, from, { url, language, leftOut });
  const result = await holdingNews(store, config, { roots: [resolve(folder)] }, importOptions, (hold) =>
    importFiles(store, config, files, { ...importOptions, hold }),
  );
  const samples = await sampleAddresses(store, config, folder);
  return { ...result, leftOut: leftOut.lines(), samples, siteUrl: url === null ? siteUrl : null };
}

/** The first, the middle and the last file that has brought an article, with its address. */
async function sampleAddresses({ db }: Store, { publication }: Config, folder: string) {
  const root = resolve(folder);
  // "0" follows "/".
  const within = db.selectFrom('articles').where('origin', '>', `${root}/`).where('origin', '<', `${root}0`);
  const rows = await within.select(['id', 'origin']).orderBy('origin').execute();
  const chosen = [...new Set([rows[0], rows[rows.length >> 1], rows.at(-1)])].filter((row) => row !== undefined);
  const ids = chosen.map(({ id }) => id);
  const articles = await findArticles(db, ids);
  const urls = new Map(articles.map((article) => [article.id, articleUrl(article, publication.url)]));
  return chosen.map(({ id, origin }) => ({
    file: join(folder, relative(root, origin ?? '')),
    url: urls.get(id) ?? '',
  }));
}

/** The posts that no poll of the source has read in this version or a later one. */
async function withoutPolled(
  { db }: Store,
  sourceId: string,
  entries: ExportEntry[],
  leftOut: LeftOut,
): Promise<ExportEntry[]> {
  const keys = entries.flatMap((entry) => (entry.kind === 'item' ? entry.item.key : []));
  const rows = await findSourceItems(db, sourceId, keys);
  const polled = new Map(rows.map(({ item, modified_at }) => [item, modified_at]));
  return entries.filter((entry) => {
    const readTo = entry.kind === 'item' ? (polled.get(entry.item.key) ?? null) : null;
    const isOlder = entry.kind === 'item' && readTo !== null && (entry.item.updatedAt ?? 0) <= readTo;
    if (isOlder) leftOut.skip('posts that a poll has read');
    return !isOlder;
  });
}

/** The rules of the source with that id, or of one without rules. */
function rulesOf(config: Config, sourceId: string): RecordRules {
  const source = articleSources(config).find(({ id }) => id === sourceId);
  const plain = { id: sourceId, sections: {}, kinds: {}, membersOnly: 'teaser' as const };
  return { source: source ?? plain, sections: config.sections };
}

function ghostUrl(file: string, siteUrl: string | null): string {
  if (siteUrl !== null) return siteUrl.replace(/\/+$/, '');
  throw new ExportError(`${file}: an export of Ghost does not say the address of its site: add --url https://…`);
}

/** @returns null for an item that the configuration leaves out */
function importFileOf(entry: ExportEntry, rules: RecordRules, leftOut: LeftOut): ImportFile | null {
  const { id } = rules.source;
  if (entry.kind === 'unreadable') {
    return itemFile(id, entry.key, { kind: 'unusable', rule: entry.rule, raw: entry.raw });
  }
  const record = toArticleRecord(entry.item, rules);
  if (record !== null) return itemFile(id, entry.item.key, recordContent(record, entry.item.headline));
  leftOut.skip('posts for members');
  return null;
}

async function* partsOf(entries: AsyncIterable<ExportEntry>): AsyncGenerator<ExportEntry[]> {
  let part: ExportEntry[] = [];
  for await (const entry of entries) {
    part.push(entry);
    if (part.length < PART) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
