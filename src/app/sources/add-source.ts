/** Adds a source to the configuration file, which keeps its comments. */
import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { parseConfig, type SourceConfig } from '../../config/config.ts';
import type { AppContext } from '../app-context.ts';

/** An id made of an address: `https://www.times.example/news` is `times-example-news`. */
export function sourceIdOf(url: string): string {
  const { hostname, pathname } = new URL(url);
  const words = `${hostname.replace(/^www\./, '')}${pathname}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return words.replace(/^-+|-+$/g, '').slice(0, 64);
}

/**
 * The source as the configuration would have it, with all defaults.
 * @throws ConfigError where the id or the address breaks a rule
 */
export function sourceFor(
  app: AppContext,
  processEnv: { env: NodeJS.ProcessEnv; cwd: string },
  id: string,
  url: string,
) {
  const { text, config } = withSource(app, processEnv, id, url);
  return { text, source: config.sources.find((one) => one.id === id) as SourceConfig };
}

/** Replaces the configuration file by a text that was checked. */
export function writeConfig({ config }: AppContext, cwd: string, text: string): void {
  // The file itself, where the path is a link, and with its permissions.
  const path = realpathSync(resolve(cwd, config.file));
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode: statSync(path).mode });
  renameSync(temporary, path);
}

function withSource(
  { config: { file } }: AppContext,
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
  id: string,
  url: string,
) {
  const before = readFileSync(resolve(cwd, file), 'utf8');
  const text = insertSource(before, id, url);
  return { text, config: parseConfig(text, { file, env, cwd }) };
}

/** Appends the key where there is none, which leaves every other byte as it is. */
function insertSource(text: string, id: string, url: string): string {
  const document = parseDocument(text);
  const entry = { id, url, use: 'articles' };
  if (document.has('sources')) {
    document.addIn(['sources'], document.createNode(entry, { flow: true }));
    return document.toString({ lineWidth: 0 });
  }
  const end = text.endsWith('\n') ? '' : '\n';
  return `${text}${end}\nsources:\n  - { id: ${id}, url: ${JSON.stringify(url)}, use: articles }\n`;
}
