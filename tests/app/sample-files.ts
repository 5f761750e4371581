/** The sample's configuration, and its articles from a temporary store. */
import { join, resolve } from 'node:path';
import { loadSampleNewsroom } from '../../src/app/sample.ts';
import { type Article, fullHeadline } from '../../src/articles/article.ts';
import { toArticle } from '../../src/articles/queries.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import type { Store } from '../../src/store/store.ts';
import { openMigrated } from '../support/databases.ts';

export const root = resolve(import.meta.dirname, '../..');

/** config/daywire.yaml, as `npm start` reads it. */
export function sampleConfig(): Config {
  return loadConfig(join(root, 'config/daywire.yaml'), {}, root);
}

/** All articles of the store, in every state, by id. */
export async function allArticles(store: Store): Promise<Article[]> {
  const rows = await store.db.selectFrom('articles').select('document').orderBy('id').execute();
  return rows.map((row) => toArticle(row.document));
}

/** The sample's articles at `now`. */
export async function sampleStories(now: number): Promise<Article[]> {
  const store = await openMigrated();
  try {
    await loadSampleNewsroom(store, sampleConfig(), { now });
    return await allArticles(store);
  } finally {
    await store.close();
  }
}

/** The sentences of an article's dek and body, without markup. */
export function sentencesOf(article: Article): string[] {
  const { dek, body } = article;
  const lines = [dek ?? '', ...body.source.split('\n')].map((line) =>
    line.replace(/\]\([^)]*\)/g, ']').replace(/[[\]*#]|^- /g, ''),
  );
  return lines
    .flatMap((line) => line.split(/(?<=[.?!]["”]?) |(?<=。)/u))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}

/** The titles by which another article may link to this one. */
export function titlesOf(article: Article): string[] {
  return [article.headline, fullHeadline(article)];
}
