/**
 * Creates a new newsroom in a folder: configuration, templates, an empty store, and a folder for articles.
 */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { configJsonSchema, loadConfig, parseConfig } from '../config/config.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../lib/templates.ts';
import { ensureSchema } from '../store/schema.ts';
import { openStore } from '../store/store.ts';

export interface InitAnswers {
  name: string;
  url: string;
  zone: string;
  language: string;
  /** Contact and sender of the newsroom. */
  email: string;
}

/** A file is in the way. */
class InitError extends Error {
  override name = 'InitError';
}

/**
 * @param folder created if it is missing
 * @param now gives the year of the tag authority, epoch milliseconds
 * @returns the created paths, relative to the folder
 * @throws InitError where a file is in the way; ConfigError where an answer breaks a rule of the configuration
 */
export async function init(folder: string, answers: InitAnswers, now: number): Promise<string[]> {
  const configFile = join('config', 'daywire.yaml');
  for (const path of [configFile, 'templates']) {
    if (existsSync(join(folder, path))) {
      throw new InitError(`${join(folder, path)} exists already: nothing was written`);
    }
  }
  const { hostname } = URL.canParse(answers.url) ? new URL(answers.url) : { hostname: '' };
  const domain = /^[a-z0-9.-]*[a-z]$/.test(hostname) ? hostname : 'example.com';
  const authority = `${domain},${new Date(now).getUTCFullYear()}`;
  const text = await openTemplates(BUILT_IN_TEMPLATES, 'UTC').text('init/daywire.yaml.liquid', {
    ...answers,
    authority,
  });
  // Validates the answers before anything is written.
  parseConfig(text, { file: configFile, env: {}, cwd: folder });

  for (const path of ['config', 'articles', 'media']) mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, configFile), text);
  writeFileSync(join(folder, 'config', 'daywire.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  const own = join(BUILT_IN_TEMPLATES, 'init');
  cpSync(BUILT_IN_TEMPLATES, join(folder, 'templates'), {
    recursive: true,
    filter: (source) => source !== own && dirname(source) !== own,
  });
  const config = loadConfig(configFile, {}, folder);
  const store = await openStore({ path: config.paths.store });
  await ensureSchema(store);
  await store.close();
  return [
    configFile,
    join('config', 'daywire.schema.json'),
    'templates/',
    'articles/',
    'media/',
    join('var', basename(config.paths.store)),
  ];
}
