/** The sample newsroom as a start finds it: the shipped configuration, and its stories in an empty store. */
import { join, resolve } from 'node:path';
import { loadSampleNewsroom } from '../../src/app/sample.ts';
import { type Article, fullHeadline } from '../../src/articles/article.ts';
import { toArticle } from '../../src/articles/queries.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import type { Store } from '../../src/store/store.ts';
import { openMigrated } from '../support/databases.ts';

export const root = resolve(import.meta.dirname, '../..');

/** config/daywire.yaml, read as `npm start` reads it. */
export function sampleConfig(): Config {
  return loadConfig(join(root, 'config/daywire.yaml'), {}, root);
}

/** Every article of the store, in whatever state, by id. */
export async function allArticles(store: Store): Promise<Article[]> {
  const rows = await store.db.selectFrom('articles').select('document').orderBy('id').execute();
  return rows.map((row) => toArticle(row.document));
}

/** The sample's stories at `now`, from a store that is closed again. */
export async function sampleStories(now: number): Promise<Article[]> {
  const store = await openMigrated();
  try {
    await loadSampleNewsroom(store, sampleConfig(), { now });
    return await allArticles(store);
  } finally {
    await store.close();
  }
}

/** Everything that a story says, one sentence or line each, without markup. */
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

/** The names by which another story may link to this one. */
export function titlesOf(article: Article): string[] {
  return [article.headline, fullHeadline(article)];
}
