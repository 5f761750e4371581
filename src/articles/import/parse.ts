/**
 * Parses records and translates their keys, without validating them: Markdown with front matter in YAML or TOML, and
 * lines of JSON.
 */
import { removeShortcodes } from '../body/shortcodes.ts';
import { findHeading } from '../sanitise.ts';
import { findKey } from './front-matter/key-names.ts';
import type { RecordMessage } from './front-matter/mend-yaml.ts';
import { parseToml } from './front-matter/toml.ts';
import { type KeyMessage, type TranslationRules, translateKeys } from './front-matter/translate.ts';
import { isMap } from './front-matter/values.ts';
import { missingEnd, type ParsedFrontMatter, parseYaml } from './front-matter/yaml.ts';

/** As written; values of front matter are text, lists and maps. */
interface ParsedFields extends Extract<ParsedFrontMatter, { kind: 'parsed' }> {
  body: unknown;
}

export type ParsedRecord = ParsedFields | Extract<ParsedFrontMatter, { kind: 'broken' }>;

/** More hyphens than three are a mistake that changes nothing. */
const FENCES = [
  { start: /^-{3,}[ \t]*$/, end: /^(?:-{3,}|\.\.\.)[ \t]*$/, written: '---', parse: parseYaml },
  { start: /^\+{3,}[ \t]*$/, end: /^\+{3,}[ \t]*$/, written: '+++', parse: parseToml },
];

/** Bytes. Far more than all keys can hold. */
const MAX_FRONT_MATTER = 64 * 1024;

/** @param text whose lines end in `\n` */
export function parseMarkdown(text: string): ParsedRecord {
  const lines = text.replace(/^\ufeff+/, '').split('\n');
  const start = lines.findIndex((line) => line.trim() !== '');
  const isOpen = isOpenFrontMatter(lines, start);
  const fence = isOpen ? FENCES[0] : FENCES.find((one) => one.start.test(lines[start] ?? ''));
  if (fence === undefined) return parsePlain(lines, Math.max(start, 0));
  const end = lines.findIndex((line, index) => index > start && fence.end.test(line));
  if (end === -1) {
    const after = missingEnd(lines.with(start, ''));
    const where = after === null ? '' : `, after line ${after}`;
    return broken(start + 1, `the front matter is not closed: end it with a line "${fence.written}"${where}`);
  }
  // The line of the fence is left empty, so that line numbers match the file.
  const frontMatter = isOpen ? lines.slice(0, end) : lines.slice(0, end).with(start, '');
  const bytes = Buffer.byteLength(frontMatter.slice(start + 1).join('\n'));
  if (bytes > MAX_FRONT_MATTER) {
    return broken(1, `the front matter is ${bytes} bytes long; the limit is ${MAX_FRONT_MATTER}`);
  }
  const first = lines.findIndex((line, index) => index > end && line.trim() !== '');
  const body = first === -1 ? '' : lines.slice(first).join('\n').trimEnd();
  const bodyLine = (first === -1 ? end : first) + 1;
  const parsed = fence.parse(frontMatter);
  if (parsed.kind === 'broken') return parsed;
  if (Object.hasOwn(parsed.fields, 'body')) {
    return broken(parsed.lineOf(['body']), 'body: the text belongs below the front matter');
  }
  return { ...parsed, body, lineOf: (path) => (path[0] === 'body' ? bodyLine : parsed.lineOf(path)) };
}

/** As Hexo has it: a title and other keys up to a fence, without one before them. After an empty line only keys. */
function isOpenFrontMatter(lines: string[], start: number): boolean {
  const end = lines.findIndex((line, index) => index > start && /^-{3,}[ \t]*$/.test(line));
  const keys = lines.slice(start, end === -1 ? start : end);
  const isKey = (line: string): boolean => /^(?:[\w-]{1,60}[ \t]*:|\s*$)/.test(line);
  return (
    keys.every((line, at) => isKey(line) || (/^(?:[ \t#]|- )/.test(line) && keys[at - 1]?.trim() !== '')) &&
    keys.some((line) => /^(?:title|headline)[ \t]*:/i.test(line))
  );
}

/** As Pelican has it, up to a line that is none and continues none. */
const METADATA = /^([\w-]{1,60}):(.*)$/;
const CONTINUED = /^(?: {4}|\t)\s*\S/;

/**
 * Markdown without front matter: its first heading is the headline, or its first lines are keys and values.
 * @param start index of the first line that is not blank
 */
function parsePlain(lines: string[], start: number): ParsedRecord {
  const line = lines[start] ?? '';
  if (line.trim() === '') return broken(1, 'is empty: write a line "---", the keys, a line "---", and the text');
  const [, key = ''] = METADATA.exec(line) ?? [];
  const isKey = findKey(key, new Map()) !== null;
  const end = lines.findIndex((one, at) => at > start && !METADATA.test(one) && !CONTINUED.test(one));
  const metadata = lines.slice(start, end);
  if (isKey && !/^-{3}/.test(lines[end] ?? '---')) {
    const whole = metadata.join('\n').replace(/\n(?: {4}|\t)[ \t]*/g, ' ');
    const pairs = whole.split('\n').map((one) => (METADATA.exec(one) ?? []).slice(1));
    const fields = Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value.trim()]));
    const lineOf = ([name]: PropertyKey[]): number => {
      const index = metadata.findLastIndex((one) => METADATA.exec(one)?.[1] === name);
      return 1 + start + Math.max(0, index);
    };
    return { kind: 'parsed', fields, body: lines.slice(end).join('\n').trim(), lineOf, warnings: [] };
  }
  if (isKey || /^[—–−-]{1,5}\s*$/.test(line)) {
    return broken(start + 1, 'is no line of three hyphens, "---": front matter begins with one, as it ends with one');
  }
  const heading = findHeading(lines.join('\n'));
  if (heading === null) return broken(start + 1, 'has neither front matter nor a heading, such as "# A Headline"');
  const body = lines.toSpliced(heading.line, heading.lines).join('\n').trim();
  return { kind: 'parsed', fields: { title: heading.text }, body, lineOf: () => heading.line + 1, warnings: [] };
}

/** @param line its number in the file, from 1 */
export function parseJsonLine(text: string, line: number): ParsedRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return broken(line, `is not JSON: ${(error as Error).message}`);
  }
  if (!isMap(value)) return broken(line, 'must be one JSON object');
  const { body, ...fields } = value;
  return { kind: 'parsed', fields, body, lineOf: () => line, warnings: [] };
}

function broken(line: number, rule: string): ParsedRecord {
  return { kind: 'broken', line, rule };
}

/** With the keys of daywire, not validated. */
interface TranslatedRecordFields extends ParsedFields {
  /** A path in `fields` as it is in the file: `title` for `headline`. */
  writtenPath(path: PropertyKey[]): PropertyKey[];
  /** True of every article that has the key: an import reports each text once. */
  notices: RecordMessage[];
  /** Keys that mean nothing here. */
  ignored: string[];
}

export type TranslatedRecord = TranslatedRecordFields | Extract<ParsedRecord, { kind: 'broken' }>;

export function translateRecord(record: ParsedRecord, rules: TranslationRules, isMdx = false): TranslatedRecord {
  if (record.kind === 'broken') return record;
  const { fields, writtenPath, warnings, notices, ignored } = translateKeys(record.fields, rules);
  const placed = ({ path, text }: KeyMessage): RecordMessage => ({ line: record.lineOf(path), text });
  const { body, notes } =
    typeof record.body === 'string' && fields.format !== 'html'
      ? removeShortcodes(record.body, isMdx)
      : { body: record.body, notes: [] };
  const bodyLine = record.lineOf(['body']);
  return {
    kind: 'parsed',
    fields,
    body,
    lineOf: (path) => record.lineOf(writtenPath(path)),
    writtenPath,
    warnings: [...record.warnings, ...warnings.map(placed)],
    notices: [...notices.map(placed), ...notes.map(({ line, text }) => ({ line: bodyLine + line, text }))],
    ignored,
  };
}
