/**
 * Files of messages, `locales/<language>.yaml`: each is a name, who has reviewed it, and groups of messages in ICU
 * MessageFormat. A message is named by its groups: `edition.readOn`.
 */
import { readdirSync, readFileSync } from 'node:fs';
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
 *   MessageFormat, or has other placeholders than in English
 * @throws Error if the folder or a file cannot be read
 */
export function readOwnFiles(folder: string): { files: Record<string, MessageFile>; problems: string[] } {
  const files: Record<string, MessageFile> = {};
  const problems: string[] = [];
  // In a checkout, the folder of the sample newsroom is that of daywire.
  for (const language of folder === BUILT_IN_LOCALES ? [] : languagesIn(folder)) {
    const path = join(folder, `${language}.yaml`);
    const tag = parseLanguageTag(language);
    if (tag === language) {
      const { problems: found, ...file } = readMessageFile(path, language, englishMessages());
      files[language] = file;
      problems.push(...found);
    } else {
      const right = tag === null ? 'a BCP 47 language tag such as en or zh-Hans' : tag;
      problems.push(`${path.replace(/(\.ya?ml)\.yaml$/i, '$1')}: the name of the file must be ${right}, with .yaml`);
    }
  }
  return { files, problems };
}

/** @param english the messages that there are; undefined for a file that daywire ships, which a test checks */
function readMessageFile(path: string, language: string, english?: Messages): MessageFile & { problems: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const messages: Record<string, string> = {};
  const root = document.contents;
  const top = isMap(root) ? root.get('messages', true) : undefined;
  const problems = document.errors.map(({ message, pos }) => `${path}:${lines.linePos(pos[0]).line}: ${message}`);
  if (problems.length === 0 && !isMap(top)) problems.push(`${path}: it must have a map "messages"`);
  if (problems.length > 0 || !isMap(top)) return { reviewedBy: null, messages, problems };
  const report = ({ range }: { range?: number[] | null }, text: string): void => {
    problems.push(`${path}:${lines.linePos(range?.[0] ?? 0).line}: ${text}`);
  };
  const collect = (map: YAMLMap, group: string): void => {
    for (const { key, value } of map.items) {
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
  return { reviewedBy: typeof reviewedBy === 'string' ? reviewedBy : null, messages, problems };
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

/** Literal texts and the number of a plural, in the syntax tree of a message. */
const [LITERAL, POUND] = [0, 7];

/** Names of placeholders and tags, sorted: `{count} <link>`. */
export function placeholdersOf(message: string, language: string): string {
  const names = new Set<string>();
  type Node = ReturnType<IntlMessageFormat['getAst']>[number];
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (node.type === LITERAL || node.type === POUND) continue;
      if ('value' in node) names.add('children' in node ? `<${node.value}>` : `{${node.value}}`);
      if ('children' in node) visit(node.children);
      if ('options' in node) for (const { value } of Object.values(node.options)) visit(value);
    }
  };
  visit(new IntlMessageFormat(message, language).getAst());
  return [...names].sort().join(' ');
}
