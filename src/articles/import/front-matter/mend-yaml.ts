/**
 * Mends what people get wrong in YAML: an unquoted colon in a headline, a tab, a quotation mark in the middle. A line
 * is changed only if it is not valid by itself and it is clear what was meant; each change is reported. Pure, and
 * linear in the length of the text.
 */
import { boundedLine } from '../../../lib/text/clean-text.ts';
import { findKey, type NamedKey } from './key-names.ts';

export interface RecordMessage {
  /** From 1. */
  line: number;
  text: string;
}

export interface MendedYaml {
  lines: string[];
  warnings: RecordMessage[];
}

/** A key at the beginning of a line, with a colon of ASCII or of a Chinese keyboard. */
const KEY = /^([\p{L}_][\p{L}\p{N}_ .-]{0,60})(:|：)(.*)$/u;
/** The header of a block scalar. */
const BLOCK = /^[|>][-+\d]{0,2}(?:\s+#.*)?$/;
const NONE: ReadonlyMap<string, NamedKey['target']> = new Map();

/** @param source lines of front matter; the first one is line 1 */
export function mendYaml(source: readonly string[]): MendedYaml {
  const lines = [...source];
  const warnings: RecordMessage[] = [];
  const anchors = new Set(source.flatMap((line) => line.match(/[&*][\w-]{1,60}/g) ?? []));
  let isInBlock = false;
  let openQuote: '"' | "'" | null = null;
  for (const [index, line] of source.entries()) {
    const warn = (text: string): unknown => warnings.push({ line: index + 1, text });
    const isNested = line === '' || /^\s/.test(line);
    if (openQuote !== null) {
      if (line.trimEnd().endsWith(openQuote)) openQuote = null;
      continue;
    }
    if (isInBlock && isNested) continue;
    isInBlock = false;
    const [, key = '', colon, rest = ''] = KEY.exec(line) ?? [];
    if (colon === undefined) continue;
    const hasSpace = colon === ':' && /^\s|^$/.test(rest);
    // `http://…` is no key.
    if (!hasSpace && findKey(key, NONE) === null) continue;
    const value = rest.trim();
    if (BLOCK.test(value)) isInBlock = true;
    const next = source[index + 1];
    const continues = next !== undefined && /^(?:\s|$)/.test(next);
    if (continues && isOpen(value)) openQuote = value[0] as '"' | "'";
    // A hashtag begins a comment in YAML.
    const hashtag = /^#[\p{L}\p{N}]/u.test(value) && isText(key) ? begins(value) : null;
    const mended = continues && /^\s+\S/.test(next) ? null : (hashtag ?? mendValue(value, anchors));
    if (mended !== null) {
      lines[index] = `${key}: '${mended.text.replaceAll("'", "''")}'`;
      warn(`${key} was read as ${JSON.stringify(quoted(mended.text))}: ${mended.rule}`);
    } else if (!hasSpace || /^[^ \t]/.test(rest)) {
      lines[index] = `${key}: ${value}`;
      warn(`write a space after the colon: ${key}: ${quoted(value)}`);
    }
    if (mended === null && /[^\s'"].*\s#[^\s#]/.test(value.slice(0, 1_000)) && isPlain(value) && isText(key)) {
      warn(`${key}: what follows " #" counts as a comment and is left out: put the text in quotation marks`);
    }
  }
  return { lines, warnings };
}

/** Replaces tabs, and spaces of a word processor, at the beginning of lines. YAML takes them in few places only. */
export function mendTabs(source: readonly string[]): MendedYaml {
  const lines = [...source];
  const warnings: RecordMessage[] = [];
  for (const [index, line] of source.entries()) {
    if (!/^[\t\u00a0\u3000]/.test(line)) continue;
    const indent = /^[\t \u00a0\u3000]*/.exec(line)?.[0] ?? '';
    lines[index] = (isAfterText(lines, index) ? '' : '  ') + line.slice(indent.length);
    if (warnings.length === 0) warnings.push({ line: index + 1, text: 'begins with a tab: write spaces instead' });
  }
  return { lines, warnings };
}

interface MendedValue {
  text: string;
  rule: string;
}

const COLON_RULE = 'put a text with a colon in quotation marks';

/** @returns null for a value that is valid, or that cannot be mended */
function mendValue(value: string, anchors: ReadonlySet<string>): MendedValue | null {
  const first = value.charAt(0);
  switch (first) {
    case '"':
    case "'":
      return mendQuoted(value, first);
    case '[':
    case '{': {
      const end = value.lastIndexOf(first === '[' ? ']' : '}');
      const after = value.slice(end + 1);
      return end === -1 || /^\s*(?:#.*)?$/.test(after) ? null : begins(value);
    }
    case '@':
    case '`':
    case '%':
      return begins(value);
    case '&': {
      const name = /^&([\w-]{1,60})(?=\s|$)/.exec(value)?.[1];
      return name !== undefined && anchors.has(`*${name}`) ? null : begins(value);
    }
    case '*':
      return anchors.has(`&${value.slice(1)}`) ? null : begins(value);
    case '!':
      return /^!!(?:str|int|float|bool|null|seq|map)\b/.test(value) ? null : begins(value);
    case '|':
    case '>':
      return BLOCK.test(value) ? null : begins(value);
    case '#':
      return null;
    case '-':
    case '?':
      return /^.(?:\s|$)/.test(value) ? begins(value) : null;
    default:
      return mendPlain(value);
  }
}

function begins(value: string): MendedValue {
  return { text: value, rule: `put a text that begins with ${value.charAt(0)} in quotation marks` };
}

function mendPlain(value: string): MendedValue | null {
  // What YAML reads, and what was meant: `#1` begins no comment.
  const [read = ''] = value.split(/\s#/, 1);
  if (!/:(?:\s|$)/.test(read.trimEnd())) return null;
  const plain = (value.split(/\s#\s/, 1)[0] ?? '').trimEnd();
  const [, inner] = /^[“„«]([^“”„«»]*)[”“»]$/.exec(plain) ?? [];
  if (inner === undefined) return { text: plain, rule: COLON_RULE };
  return { text: inner, rule: `${COLON_RULE} of this form: "` };
}

/** A complete text in quotation marks, with nothing but a comment after it. */
const WHOLE = {
  '"': /^"((?:[^"\\]|\\.)*)"(?:\s+#.*|\s*)$/,
  "'": /^'((?:[^']|'')*)'(?:\s+#.*|\s*)$/,
};
const UNCLOSED = { '"': /^"(?:[^"\\]|\\.)*$/, "'": /^'(?:[^']|'')*$/ };
/** Escapes that YAML does not know. */
const BAD_ESCAPE = /\\[^0abtnvfre "/\\N_LPxuU]/;
const ELISION = /^'(?:tis|twas|til|cause|em|n|\d)/i;

function isOpen(value: string): boolean {
  const first = value.charAt(0);
  return (first === '"' || first === "'") && UNCLOSED[first].test(value);
}

function mendQuoted(value: string, quote: '"' | "'"): MendedValue | null {
  const [, inner] = WHOLE[quote].exec(value) ?? [];
  if (inner !== undefined) {
    const isBroken = quote === '"' && BAD_ESCAPE.test(inner.replaceAll('\\\\', ''));
    if (!isBroken) return null;
    return { text: inner.replaceAll('\\"', '"'), rule: "put a text with a backslash in single quotation marks: '" };
  }
  if (UNCLOSED[quote].test(value)) {
    const text = quote === "'" && ELISION.test(value) ? value : value.slice(1);
    return { text, rule: 'its quotation mark is not closed' };
  }
  const rule = 'put the whole text in quotation marks, of the other kind if it has some itself';
  const second = value.indexOf(quote, 1);
  // `"He said "no" today"` and `'It's here'`, but not `"Yes" and "no"`.
  const isInside = /\s/.test(value.charAt(second - 1)) || (quote === "'" && /\p{L}/u.test(value.charAt(second + 1)));
  return value.endsWith(quote) && isInside ? { text: value.slice(1, -1), rule } : { text: value, rule };
}

function isPlain(value: string): boolean {
  return !/^["'[{|>#]/.test(value);
}

function isText(key: string): boolean {
  const target = findKey(key, NONE)?.target ?? '';
  return ['headline', 'shortHeadline', 'dek', 'kicker', 'note'].includes(target);
}

/** Whether the line before has a key with a value, so that nothing can be nested below it. */
function isAfterText(lines: readonly string[], index: number): boolean {
  for (let before = index - 1; before >= 0 && before > index - 20; before--) {
    const line = lines[before] ?? '';
    if (line.trim() === '' || line.startsWith('#')) continue;
    const value = KEY.exec(line)?.[3]?.trim();
    return value !== undefined && value !== '' && !BLOCK.test(value) && !/[[{,]$/.test(value);
  }
  return true;
}

function quoted(text: string): string {
  return boundedLine(text.slice(0, 200), 80);
}
