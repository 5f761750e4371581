/** Parses front matter in TOML, as Hugo and Zola have it. Pure. */
import { parse, TomlDate, TomlError } from 'smol-toml';
import { cleanLine } from '../../../lib/text/clean-text.ts';
import type { ParsedFrontMatter } from './yaml.ts';

const RULE =
  'must be a key, =, and a text in quotation marks, as in title = "A"; for keys with a colon the fences are "---"';

/** @param lines of the file up to the end of the front matter, the fence as an empty line */
export function parseToml(lines: readonly string[]): ParsedFrontMatter {
  try {
    const fields = Object.fromEntries(
      Object.entries(parse(lines.join('\n'))).map(([key, value]) => [key, asText(value)]),
    );
    return { kind: 'parsed', fields, lineOf: (path) => lineOfKey(lines, path), warnings: [] };
  } catch (error) {
    // Nesting may be too deep to walk.
    if (!(error instanceof TomlError)) return { kind: 'broken', line: 1, rule: 'the front matter is not usable TOML' };
    const { line, message } = error;
    const reason = cleanLine(message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /, '');
    return { kind: 'broken', line, rule: `${RULE} (TOML: ${reason.slice(0, 200)})` };
  }
}

/** Numbers and dates as text, as in YAML, so that a headline may be a number. */
function asText(value: unknown): unknown {
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asText(inner)]));
  }
  return String(value);
}

/** The line where the first part of a path is written. */
function lineOfKey(lines: readonly string[], [key]: PropertyKey[]): number {
  const index = lines.findIndex((line) => {
    const [, table, name] = /^\s*(?:\[+\s*([\w-]+)|["']?([\w-]+)["']?\s*[.=])/.exec(line.slice(0, 200)) ?? [];
    return table === key || name === key;
  });
  return index + 1 || 1;
}
