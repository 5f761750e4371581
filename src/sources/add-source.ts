/** Adds sources to the configuration file, which keeps its comments. */
import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type Scalar } from 'yaml';
import type { AppContext } from '../core/app-context.ts';
import { type Config, ConfigError, parseConfig } from '../core/config/config.ts';
import { hasVisibleCharacter } from '../lib/text/clean-text.ts';
import type { SourceTest } from './polling/source-kind.ts';

/** Characters of the name of an outlet in the configuration. */
export const MAX_OUTLET = 100;

/** An id made of an address: `https://www.times.example/news` is `times-example-news`. */
export function sourceIdOf(url: string): string {
  const { hostname, pathname } = new URL(url);
  const words = `${hostname.replace(/^www\./, '')}${pathname}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return words.replace(/^-+/, '').slice(0, 64).replace(/-+$/, '');
}

/** An entry of `sources` to add. Its other keys have their defaults. */
export type NewSource =
  | { id: string; url: string; use: 'articles' }
  | { id: string; url: string; use: 'roundup'; outlet: string };

/**
 * A source as it is added after a test.
 * @param given.outlet default: the title of the feed
 * @throws ConfigError for a feed without a title
 */
export function newSource(
  tried: NewSource,
  { endpoint, title }: Pick<SourceTest, 'endpoint' | 'title'>,
  given: { id?: string | undefined; outlet?: string | undefined },
): NewSource {
  const id = given.id ?? tried.id;
  if (tried.use === 'articles') return { ...tried, id };
  const outlet = given.outlet ?? (title ?? '').slice(0, MAX_OUTLET).toWellFormed().trim();
  if (!hasVisibleCharacter(outlet)) throw new ConfigError([`${endpoint} has no title: name the outlet by --outlet`]);
  // Where its pages name a feed, the feed is the source.
  return { ...tried, id, url: endpoint, outlet };
}

/**
 * The text of the configuration file with further sources, and the configuration that it gives, with all defaults.
 * @throws ConfigError where an entry breaks a rule, such as that of ids
 */
export function withNewSources(
  { config: { file } }: Pick<AppContext, 'config'>,
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
  sources: readonly NewSource[],
): { text: string; config: Config } {
  const text = insertSources(readFileSync(resolve(cwd, file), 'utf8'), sources);
  return { text, config: parseConfig(text, { file, env, cwd }) };
}

/** Replaces the configuration file by a text that was checked. */
export function writeConfig({ config }: AppContext, cwd: string, text: string): void {
  // The file itself, where the path is a link, and with its permissions.
  const path = realpathSync(resolve(cwd, config.file));
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode: statSync(path).mode });
  renameSync(temporary, path);
}

/**
 * Inserts entries into the text, and leaves every other byte as it is: comments, quotes, folded lines.
 * @returns a text that may not be valid, where `sources` is not a list
 */
export function insertSources(text: string, sources: readonly NewSource[]): string {
  if (sources.length === 0) return text;
  const entries = sources.map(entryOf);
  const inFlow = entries.join(', ');
  const lines = (indent: string): string => entries.map((entry) => `${indent}- ${entry}`).join('\n');
  const { contents } = parseDocument(text);
  const pair = isMap(contents) ? contents.items.find(({ key }) => isScalar(key) && key.value === 'sources') : undefined;
  if (pair === undefined) return `${text}${text.endsWith('\n') ? '' : '\n'}\nsources:\n${lines('  ')}\n`;
  const { key, value } = pair as Pair<Scalar, Node | null>;
  const [from, to] = value?.range ?? [0, 0];
  if (!isSeq(value)) {
    // Nothing, or null, with or without comments.
    const [start, end] = to > from ? [from, to] : Array(2).fill(text.indexOf(':', key.range?.[1]) + 1);
    return `${text.slice(0, start).trimEnd()}\n${lines('  ')}${text.slice(end)}`;
  }
  const last = value.items.at(-1) as Node | undefined;
  if (last === undefined) return `${text.slice(0, from)}[${inFlow}]${text.slice(to)}`;
  if (value.flow) return `${text.slice(0, last.range?.[1])}, ${inFlow}${text.slice(last.range?.[1])}`;
  const indent = ' '.repeat(from - (text.lastIndexOf('\n', from - 1) + 1));
  return insertLine(text, last.range?.[1] ?? to, lines(indent));
}

function entryOf(source: NewSource): string {
  const { id, url, use } = source;
  // Quoted where YAML would read something else than text, and where it is no id at all.
  const plainId = /^(?!(?:true|false|null)$)[a-z][a-z0-9-]*$/.test(id) ? id : JSON.stringify(id);
  const outlet = use === 'roundup' ? `, outlet: ${JSON.stringify(source.outlet)}` : '';
  return `{ id: ${plainId}, url: ${JSON.stringify(url)}, use: ${use}${outlet} }`;
}

/** After the line that contains the last character before `end`. */
function insertLine(text: string, end: number, line: string): string {
  const next = text.indexOf('\n', end - 1);
  if (next === -1) return `${text}\n${line}\n`;
  return `${text.slice(0, next + 1)}${line}\n${text.slice(next + 1)}`;
}
