/**
 * Files of messages, `locales/<language>.yaml`: each is a name, who has reviewed it, and groups of messages in ICU
 * MessageFormat. A message is named by its groups: `edition.readOn`.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IntlMessageFormat } from 'intl-messageformat';
import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { closestName } from '../names/closest-name.ts';
import { parseLanguageTag } from '../names/language-tag.ts';

/** The folder of the messages that daywire ships. */
export const BUILT_IN_LOCALES = fileURLToPath(new URL('../../../locales', import.meta.url));

/** Messages by name. */
export type Messages = Readonly<Record<string, string>>;

export interface MessageFile {
  /** The native speaker who has read all of it, with the date; null if nobody has. */
  reviewedBy: string | null;
  messages: Messages;
}

/** Languages (BCP 47) with a file in the folder, none if there is no such folder. @throws Error if it cannot be read */
export function languagesIn(folder: string): string[] {
  try {
    // One that ends in .yml has a name that is no tag, and so is reported.
    const names = readdirSync(folder).filter((name) => /\.ya?ml$/i.test(name));
    return names.map((name) => name.replace(/\.yaml$/, '')).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

const builtIn = new Map<string, MessageFile | null>();

/** The file that daywire ships for that very language; null if there is none. */
export function builtInFile(language: string): MessageFile | null {
  let file = builtIn.get(language);
  if (file === undefined) {
    file = languagesIn(BUILT_IN_LOCALES).includes(language) ? readBuiltIn(language) : null;
    builtIn.set(language, file);
  }
  return file;
}

/** All messages that there are. */
export function englishMessages(): Messages {
  return (builtInFile('en') as MessageFile).messages;
}

function readBuiltIn(language: string): MessageFile {
  const { problems, ...file } = readMessageFile(join(BUILT_IN_LOCALES, `${language}.yaml`), language);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return file;
}

/**
 * The newsroom's own files, by language. Their messages replace built-in ones, or are of another language.
 * @returns also what is wrong with them, one sentence each with file and line: a message that is unknown, no ICU
 *   MessageFormat, or has other placeholders or tags than in English; a file or folder that cannot be read
 */
export function readOwnFiles(folder: string): { files: Record<string, MessageFile>; problems: string[] } {
  const files: Record<string, MessageFile> = {};
  const problems: string[] = [];
  let languages: string[] = [];
  try {
    // In a checkout, the folder of the sample newsroom is that of daywire.
    if (folder !== BUILT_IN_LOCALES) languages = languagesIn(folder);
  } catch (error) {
    problems.push(`paths.locales is ${folder}: ${(error as Error).message}`);
  }
  for (const language of languages) {
    const path = join(folder, `${language}.yaml`);
    const tag = parseLanguageTag(language);
    try {
      const right = tag ?? 'a BCP 47 language tag such as en or zh-Hans';
      if (tag !== language) throw new Error(`the name of the file must be ${right}, with .yaml`);
      const { problems: found, ...file } = readMessageFile(path, language, englishMessages());
      files[language] = file;
      problems.push(...found);
    } catch (error) {
      problems.push(`${path.replace(/(\.ya?ml)\.yaml$/i, '$1')}: ${(error as Error).message}`);
    }
  }
  return { files, problems };
}

/** Ten times what a language has. Longer files and more problems are one mistake, and would take minutes. */
const MAX_BYTES = 200_000;
const MAX_PROBLEMS = 20;

/**
 * @param english the messages that there are; undefined for a file that daywire ships, which a test checks
 * @throws Error if it cannot be read, or is too long
 */
function readMessageFile(path: string, language: string, english?: Messages): MessageFile & { problems: string[] } {
  if (statSync(path).size > MAX_BYTES) throw new Error(`it must have at most ${MAX_BYTES} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines, prettyErrors: false });
  // No name is one of `Object.prototype`.
  const messages: Record<string, string> = Object.create(null);
  const root = document.contents;
  const top = isMap(root) ? root.get('messages', true) : undefined;
  const problems = document.errors
    .slice(0, MAX_PROBLEMS)
    .map(({ message, pos }) => `${path}:${lines.linePos(pos[0]).line}: ${message}`);
  if (problems.length === 0 && !isMap(top)) problems.push(`${path}: it must have a map "messages"`);
  if (problems.length > 0 || !isMap(top)) return { reviewedBy: null, messages, problems };
  const report = ({ range }: { range?: number[] | null }, text: string): void => {
    problems.push(`${path}:${lines.linePos(range?.[0] ?? 0).line}: ${text}`);
  };
  const collect = (map: YAMLMap, group: string): void => {
    for (const { key, value } of map.items) {
      if (problems.length === MAX_PROBLEMS) return;
      const name = `${group}${isScalar(key) ? key.value : ''}`;
      if (isMap(value)) collect(value, `${name}.`);
      else if (isScalar(value) && typeof value.value === 'string') {
        const problem = english === undefined ? null : messageProblem(name, value.value, language, english);
        if (problem !== null) report(value, problem);
        messages[name] = value.value;
      } else report(isScalar(key) ? key : map, `${name} must be a text`);
    }
  };
  collect(top, '');
  const reviewedBy = (root as YAMLMap).get('reviewedBy');
  return { reviewedBy: (typeof reviewedBy === 'string' && reviewedBy.trim()) || null, messages, problems };
}

function messageProblem(name: string, text: string, language: string, english: Messages): string | null {
  let own: string;
  try {
    own = placeholdersOf(text, language);
  } catch (error) {
    return `${name} is no ICU MessageFormat (${(error as Error).message})`;
  }
  const original = english[name];
  if (original === undefined) {
    const close = closestName(name, Object.keys(english));
    return `there is no message ${name}${close === null ? '' : `: did you mean ${close}?`}`;
  }
  const expected = placeholdersOf(original, 'en');
  return own === expected
    ? null
    : `${name} must have the placeholders and tags ${expected || '(none)'}, not ${own || '(none)'}`;
}

/** In the syntax tree of a message: literal texts, dates and times, and the number of a plural. */
const [LITERAL, DATE, TIME, POUND] = [0, 3, 4, 7];

/** Names of placeholders and tags, sorted: `{count} <link>`. @throws Error if it is wrong, or formats a date */
export function placeholdersOf(message: string, language: string): string {
  const names = new Set<string>();
  type Node = ReturnType<IntlMessageFormat['getAst']>[number];
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (node.type === LITERAL || node.type === POUND) continue;
      if (node.type === DATE || node.type === TIME) throw new Error('a placeholder is a text or a number, no date');
      if ('value' in node) names.add('children' in node ? `<${node.value}>` : `{${node.value}}`);
      if ('children' in node) visit(node.children);
      if ('options' in node) for (const { value } of Object.values(node.options)) visit(value);
    }
  };
  visit(new IntlMessageFormat(message, language).getAst());
  return [...names].sort().join(' ');
}
