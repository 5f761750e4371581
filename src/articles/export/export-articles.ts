/** Writes all articles and their files of media to a folder, from which the import reads them without a difference. */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AppContext } from '../../core/app-context.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../../lib/private-files.ts';
import type { Article } from '../article.ts';
import { parseInThread, parseRules } from '../import/parse-in-thread.ts';
import { findMedia } from '../pictures/media.ts';
import { toArticle } from '../stored-document.ts';
import { type ArticleForm, articleText, differencesOf, FORMS } from './article-text.ts';

/** So many are in memory at once. */
const BATCH = 100;

export interface ExportedArticles {
  articles: number;
  /** Files of media that articles name. */
  media: number;
  /** Roundups of editions, which are not written: importing them would double what an edition publishes. */
  roundups: number;
  /** What the import would read differently: `id: fields`, or an address of a file that is missing. */
  problems: string[];
}

/** The folder has something in it already. */
export class ExportFolderError extends Error {
  override name = 'ExportFolderError';
}

/**
 * Writes each article to `articles/YYYY/MM/ID.md`, and the files of the media folder that they name to `media/`. What
 * Markdown with front matter cannot say exactly becomes a line of JSON, `ID.jsonl`.
 * @param folder missing or empty; its files are readable by their owner alone: drafts are among the articles
 * @throws ExportFolderError unless it is; what the file system or the store throws
 */
export async function exportArticles(app: AppContext, folder: string): Promise<ExportedArticles> {
  const { config, store } = app;
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  if ((await readdir(folder)).length > 0) throw new ExportFolderError(`${folder} is not empty: name a new folder`);
  const result: ExportedArticles = { articles: 0, media: 0, roundups: 0, problems: [] };
  const seen = new Set<string>();
  // A file may have several addresses: `%7E` is `~`.
  const copies = new Set<string>();
  for (let last = ''; ; ) {
    const rows = await store.reports
      .selectFrom('articles')
      .select(['id', 'document'])
      .where('id', '>', last)
      .orderBy('id')
      .limit(BATCH)
      .execute();
    if (rows.length === 0) return { ...result, media: copies.size };
    last = (rows.at(-1) as (typeof rows)[0]).id;
    const all = rows.map(toArticle);
    const articles = all.filter(({ page }) => page === null);
    result.roundups += all.length - articles.length;
    for (const { article, form, text, problem } of await chooseForms(app, articles)) {
      await writeArticle(folder, article, form, text);
      if (problem !== null) result.problems.push(problem);
      result.articles += 1;
    }
    for (const path of articles.flatMap((article) => mediaOf(article, config.publication.url))) {
      if (seen.has(path)) continue;
      seen.add(path);
      const copy = await copyMedia(config.paths.media, path, folder);
      if (copy === null) result.problems.push(`/media/${path}: no such file in the folder of media`);
      else copies.add(copy);
    }
  }
}

interface ArticleFile {
  article: Article;
  form: ArticleForm;
  text: string;
  problem: string | null;
}

/** Each article in the first form that the import reads without a difference; otherwise in the last one. */
async function chooseForms({ config }: AppContext, articles: Article[]): Promise<ArticleFile[]> {
  const chosen: ArticleFile[] = [];
  let open = articles;
  for (const form of FORMS) {
    const texts = open.map((article) => ({ article, text: articleText(article, form) }));
    const format = form === 'markdown' ? ('markdown' as const) : ('jsonl' as const);
    const results = await parseInThread(
      parseRules(config),
      texts.map(({ article, text }) => ({ name: article.id, format, line: null, text, defaultId: null })),
      undefined,
    );
    open = [];
    for (const [index, { article, text }] of texts.entries()) {
      const read = results[index];
      const differences = read?.kind === 'valid' ? differencesOf(article, read.candidate) : ['all'];
      // The last form differs in its source alone; readers get the same HTML.
      const isSame = differences.every((field) => field === 'body' && form === FORMS.at(-1));
      if (isSame) chosen.push({ article, form, text, problem: null });
      else if (form !== FORMS.at(-1)) open.push(article);
      else chosen.push({ article, form, text, problem: `${article.id}: ${problemOf(read, differences)}` });
    }
  }
  return chosen;
}

function problemOf(read: Awaited<ReturnType<typeof parseInThread>>[number] | undefined, differences: string[]): string {
  return read?.kind === 'invalid' ? read.problems.join('; ') : `not as it is stored: ${differences.join(', ')}`;
}

async function writeArticle(folder: string, article: Article, form: ArticleForm, text: string): Promise<void> {
  const [year = '', month = ''] = new Date(article.publishedAt).toISOString().split('-');
  const path = join(folder, 'articles', year, month);
  await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
  const name = join(path, article.id);
  const end = form === 'markdown' ? '.md' : '.jsonl';
  const options = { flag: 'wx', mode: PRIVATE_FILE };
  await writeFile(name + end, text, options).catch((error: NodeJS.ErrnoException) => {
    // A file system without upper case has one file for two ids.
    if (error.code !== 'EEXIST') throw error;
    return writeFile(`${name}~${Buffer.from(article.id).toString('hex')}${end}`, text, options);
  });
}

/** Paths below /media/, as in the addresses. */
function mediaOf({ image, enclosures, bodyHtml }: Article, publicUrl: string): string[] {
  const start = `${publicUrl}/media/`;
  const inBody = bodyHtml.split(start).slice(1);
  const addresses = [image?.url, ...enclosures.map(({ url }) => url)].filter((url) => url?.startsWith(start) === true);
  return [...addresses.map((url) => (url as string).slice(start.length)), ...inBody].map((path) =>
    path.replace(/[?#"'<>\s&].*$/s, ''),
  );
}

/** @returns the path of the copy; null without such a file */
async function copyMedia(media: string | undefined, path: string, folder: string): Promise<string | null> {
  const file = await findMedia(media, path);
  if (file === null) return null;
  const copy = join(folder, 'media', decodeURIComponent(path));
  await mkdir(dirname(copy), { recursive: true, mode: PRIVATE_FOLDER });
  await copyFile(file.path, copy);
  return copy;
}
