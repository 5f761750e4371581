/** Creates a new newsroom in a folder: configuration, an empty store, and a folder for articles with an example. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { ConfigError, configJsonSchema, loadConfig, parseConfig } from '../core/config/config.ts';
import { ensureSchema } from '../core/store/schema.ts';
import { openStore } from '../core/store/store.ts';
import { fallbacks } from '../lib/locale/locale.ts';
import { parseLanguageTag } from '../lib/names/language-tag.ts';
import { BUILT_IN_TEMPLATES, openTemplates, type Templates } from '../lib/templates.ts';
import { localDateTime } from '../lib/time.ts';
import { SAMPLE } from '../outlets/sample/relative-times.ts';

export interface InitAnswers {
  name: string;
  url: string;
  zone: string;
  language: string;
  /** Contact and sender of the newsroom. */
  email: string;
  /** URL of the newsroom's present site, whose articles are polled; empty without one. */
  site: string;
}

export const DEFAULT_ANSWERS: Readonly<InitAnswers> = {
  name: 'My Newsroom',
  url: 'http://127.0.0.1:8080',
  zone: 'UTC',
  language: 'en',
  email: 'newsroom@example.com',
  site: '',
};

/** A file is in the way. */
class InitError extends Error {
  override name = 'InitError';
}

const WORDS = join(BUILT_IN_TEMPLATES, 'init', 'words');

const CONFIG_FILE = join('config', 'daywire.yaml');

/** @throws InitError where the folder has a configuration already */
export function assertNoNewsroom(folder: string): void {
  const path = join(folder, CONFIG_FILE);
  if (existsSync(path)) throw new InitError(`${path} exists already: nothing was written`);
}

/**
 * @param folder created if it is missing; existing files stay
 * @param now gives the year of the tag authority, and the date of the example; epoch milliseconds
 * @returns the created paths, relative to the folder
 * @throws InitError where the folder has a configuration already; ConfigError where an answer breaks one of its rules
 */
export async function init(folder: string, answers: InitAnswers, now: number): Promise<string[]> {
  assertNoNewsroom(folder);
  const templates = openTemplates(BUILT_IN_TEMPLATES, answers.zone);
  const text = await configText(templates, answers, now);
  // Validates the answers before anything is written.
  parseConfig(text, { file: CONFIG_FILE, env: {}, cwd: folder });

  for (const path of ['config', 'articles', 'media']) mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, CONFIG_FILE), text);
  writeFileSync(join(folder, 'config', 'daywire.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  const legal = await writeLegalTexts(folder);
  const example = join('articles', 'example.md');
  const isNew = readdirSync(join(folder, 'articles')).length === 0;
  if (isNew) {
    const published = localDateTime(now, answers.zone);
    writeFileSync(
      join(folder, example),
      await templates.text('init/example.md.liquid', { published, ...wordsOf(answers.language) }, 'en'),
    );
  }
  const config = loadConfig(CONFIG_FILE, {}, folder);
  const store = await openStore({ path: config.paths.store });
  await ensureSchema(store);
  await store.close();
  return [
    CONFIG_FILE,
    join('config', 'daywire.schema.json'),
    ...legal,
    ...(isNew ? [example] : []),
    'media/',
    join('var', basename(config.paths.store)),
  ];
}

/** Writes the texts of imprint and privacy policy that are not there yet. @returns the paths below the folder */
async function writeLegalTexts(folder: string): Promise<string[]> {
  const texts = [
    ['imprint.md', join(BUILT_IN_TEMPLATES, 'init', 'imprint.md')],
    ['privacy.md', fileURLToPath(new URL('privacy.md', SAMPLE))],
  ] as const;
  mkdirSync(join(folder, 'legal'), { recursive: true });
  const written: string[] = [];
  for (const [name, from] of texts) {
    const path = join('legal', name);
    if (existsSync(join(folder, path))) continue;
    writeFileSync(join(folder, path), await readFile(from));
    written.push(path);
  }
  return written;
}

/**
 * Checks one answer by the rules of the configuration.
 * @returns what is wrong with it, such as `is "Nowhere": must be …`, or null
 */
export async function answerProblem(key: keyof InitAnswers, answer: string): Promise<string | null> {
  const text = await configText(openTemplates(BUILT_IN_TEMPLATES, 'UTC'), { ...DEFAULT_ANSWERS, [key]: answer }, 0);
  try {
    parseConfig(text, { file: CONFIG_FILE, env: {}, cwd: '' });
    return null;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Without the place in a file that does not exist yet.
    return (error.problems[0] ?? '').replace(/^[^:]+:\d+: \S+ /, '');
  }
}

async function configText(templates: Templates, answers: InitAnswers, now: number): Promise<string> {
  const { hostname, protocol, port } = new URL(URL.canParse(answers.url) ? answers.url : 'none:');
  const domain = /^[a-z0-9.-]*[a-z]$/.test(hostname) ? hostname : 'example.com';
  // Behind https is another server, which has the port of the address.
  const servedPort = protocol === 'http:' && port !== '' ? Number(port) : 8080;
  const authority = `${domain},${new Date(now).getUTCFullYear()}`;
  const words = wordsOf(answers.language);
  return templates.text('init/daywire.yaml.liquid', { ...answers, authority, words, port: servedPort }, 'en');
}

/** Titles and an example in that language, a wider one, or English. */
function wordsOf(language: string): object {
  const files = fallbacks(parseLanguageTag(language) ?? 'en').map((one) => join(WORDS, `${one}.yaml`));
  return parse(readFileSync(files.find((file) => existsSync(file)) ?? '', 'utf8')) as object;
}
