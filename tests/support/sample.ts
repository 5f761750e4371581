/** The sample newsroom: its configuration and its articles. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadSampleNewsroom } from '../../src/app/sample/newsroom.ts';
import type { Article } from '../../src/articles/article.ts';
import { toArticle } from '../../src/articles/stored-document.ts';
import { type Config, parseConfig } from '../../src/core/config/config.ts';
import type { SigningSecrets } from '../../src/core/config/signing-secrets.ts';
import type { Store } from '../../src/core/store/store.ts';
import { openMigrated } from './databases.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
export const SECRETS: SigningSecrets = ['a secret of the tests, thirty-two characters at least'];

/** A copy of config/daywire.yaml, which somebody who tries daywire edits. */
export const SAMPLE_CONFIG = join(import.meta.dirname, 'daywire.yaml');

const file = 'config/daywire.yaml';

/**
 * The configuration of the sample.
 * @param edit changes the YAML
 * @param cwd the folder that paths are relative to
 */
export function sampleConfig(
  edit: (yaml: string) => string = (yaml) => yaml,
  { env = {}, cwd = ROOT }: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Config {
  return parseConfig(edit(readFileSync(SAMPLE_CONFIG, 'utf8')), { file, env, cwd });
}

/** The text of the configuration without the outlets that the sample polls. */
export function withoutSources(yaml: string): string {
  return yaml.replace(/\nsources:\n(?: .*\n)+/, '\n');
}

/** All articles of a store, in every state, by id. */
export async function allArticles(store: Store): Promise<Article[]> {
  const rows = await store.db.selectFrom('articles').select('document').orderBy('id').execute();
  return rows.map(toArticle);
}

/** The articles of the sample at `now`. */
export async function sampleStories(now: number): Promise<Article[]> {
  const store = await openMigrated();
  try {
    await loadSampleNewsroom(store, sampleConfig(), { now });
    return await allArticles(store);
  } finally {
    await store.close();
  }
}
