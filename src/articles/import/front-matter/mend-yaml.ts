/**
 * Mends YAML that does not parse: an unquoted colon in a headline, and quoted texts and lists whose next lines are not
 * indented, which other parsers read. A line is changed only if it is clear what was meant. Pure, and linear in the
 * length of the text.
 */
import { boundedLine } from '../../../lib/text/clean-text.ts';
import { findKey } from './key-names.ts';

export interface RecordMessage {
  /** From 1. */
  line: number;
  text: string;
}

export interface MendedYaml {
  lines: string[];
  warnings: RecordMessage[];
}

const KEY = /^([\p{L}_][\p{L}\p{N}_ .-]{0,60}):\s+(\S.*)$/u;
/** The header of a block scalar. */
const BLOCK = /^[|>][-+\d]{0,2}(?:\s+#.*)?$/;
/** Characters that cannot begin a plain text, and those that begin something else. */
const BAD_START = /^(?:[@`%]|-(?:\s|$))/;
const NOT_PLAIN = /^["'[{|>#&*!]/;

/** @param source lines of front matter; the first one is line 1 */
export function mendYaml(source: readonly string[]): MendedYaml {
  const lines = [...source];
  const warnings: RecordMessage[] = [];
  let isInBlock = false;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (isInBlock && /^(?:\s|$)/.test(line)) continue;
    isInBlock = false;
    const end = endOfFlow(lines, index);
    if (end !== null) {
      const indent = ' '.repeat(1 + line.search(/[^\s-]/));
      for (; index < end; index++) lines[index + 1] = indent + lines[index + 1];
      continue;
    }
    const [, key = '', value = ''] = KEY.exec(line) ?? [];
    isInBlock = BLOCK.test(value);
    const hasBadStart = BAD_START.test(value);
    const hasColon = !NOT_PLAIN.test(value) && /:(?:\s|$)/.test((value.split(/\s#/, 1)[0] ?? '').trimEnd());
    // The next line may go on with the text.
    if ((!hasBadStart && !hasColon) || /^\s+\S/.test(lines[index + 1] ?? '')) continue;
    const text = (value.split(/\s#\s/, 1)[0] ?? '').trimEnd();
    lines[index] = `${key}: '${text.replaceAll("'", "''")}'`;
    const what = hasBadStart ? `that begins with ${value.charAt(0)}` : 'with a colon';
    const rule = `put a text ${what} in quotation marks`;
    warnings.push({ line: index + 1, text: `${key} was read as ${JSON.stringify(shownPart(text))}: ${rule}` });
  }
  return { lines, warnings };
}

/** A value that begins with a quotation mark or a bracket, perhaps after a key or as an entry of a list. */
const OPENS = /^\s*(?:-\s+)?(?:[\p{L}_][\p{L}\p{N}_ .-]{0,60}:\s+)?(?=["'[{])/u;
const MAX_FLOW = 200;

/** @returns the index of the line where the value that begins in a line ends, if it is a later one and ends with it */
function endOfFlow(lines: readonly string[], from: number): number | null {
  const start = OPENS.exec(lines[from] ?? '')?.[0].length;
  if (start === undefined) return null;
  let depth = 0;
  let quote: string | null = null;
  for (let at = from; at < lines.length && at < from + MAX_FLOW; at++) {
    const line = lines[at] ?? '';
    for (let place = at === from ? start : 0; place < line.length; place++) {
      const char = line.charAt(place);
      if (quote === '"' && char === '\\') place += 1;
      else if (quote === "'" && line.startsWith("''", place)) place += 1;
      else if (quote !== null) quote = char === quote ? null : quote;
      // Within a list, `O'Hara` has no quotation mark.
      else if (/["']/.test(char) && /^$|[\s[{,:]/.test(line.charAt(place - 1))) quote = char;
      else if (/[[{]/.test(char)) depth += 1;
      else if (/[\]}]/.test(char)) depth -= 1;
      if (quote !== null || depth > 0) continue;
      return at > from && /^\s*(?:#.*)?$/.test(line.slice(place + 1)) ? at : null;
    }
  }
  return null;
}

/** Whether a key has a text for people. */
export function isText(key: string): boolean {
  const target = findKey(key, new Map())?.target ?? '';
  return ['headline', 'shortHeadline', 'dek', 'kicker', 'note'].includes(target);
}

export function shownPart(text: string): string {
  return boundedLine(text.slice(0, 400), 120);
}
