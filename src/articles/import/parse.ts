/**
 * What stands in a file, taken apart but not yet judged: YAML front matter with the Markdown below it, and a line of JSON.
 */
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { lineOf } from '../../config/config.ts';

export type ParsedRecord =
  | {
      kind: 'parsed';
      /** As written; the values of front matter are all text, lists and maps. */
      fields: Record<string, unknown>;
      body: unknown;
      /** The line in the file on which the key at `path` stands. */
      lineOf(path: PropertyKey[]): number;
    }
  | { kind: 'broken'; line: number; rule: string };

const FENCE = /^---[ \t]*$/;
const END = /^(?:---|\.\.\.)[ \t]*$/;

/** Takes a Markdown file apart. @param text with line ends as `\n` */
export function parseMarkdown(text: string): ParsedRecord {
  const lines = text.split('\n');
  if (!FENCE.test(lines[0] ?? '')) {
    return broken(1, 'must begin with front matter: a line "---", the keys, and a line "---"');
  }
  const end = lines.findIndex((line, index) => index > 0 && END.test(line));
  if (end === -1) return broken(1, 'the front matter has no end: close it with a line "---"');
  // The fence's own line is left empty, so that lines count as in the file.
  const yaml = ['', ...lines.slice(1, end)].join('\n');
  const first = lines.findIndex((line, index) => index > end && line.trim() !== '');
  const body = first === -1 ? '' : lines.slice(first).join('\n').trimEnd();
  return parseYaml(yaml, body, (first === -1 ? end : first) + 1);
}

/** Takes a line of JSON Lines apart. @param line its number in the file, from 1 */
export function parseJsonLine(text: string, line: number): ParsedRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return broken(line, `is not JSON: ${(error as Error).message}`);
  }
  if (!isRecord(value)) return broken(line, 'must be one JSON object');
  const { body, ...fields } = value;
  return { kind: 'parsed', fields, body, lineOf: () => line };
}

function parseYaml(yaml: string, body: string, bodyLine: number): ParsedRecord {
  const counter = new LineCounter();
  try {
    // The failsafe schema keeps scalars as they are written: `id: 0042` and `tags: [5G, 2026, no]` stay text.
    const document = parseDocument(yaml, { lineCounter: counter, schema: 'failsafe' });
    const [error] = document.errors;
    if (error !== undefined) {
      return broken(
        error.linePos?.[0].line ?? 1,
        `the front matter is not YAML: ${error.message.replace(/ at line \d+, column \d+:[\s\S]*$/, '')}`,
      );
    }
    visit(document, {
      Scalar(_key, node) {
        if (isScalar(node) && node.type === 'PLAIN' && /^(?:~|null|Null|NULL)$/.test(String(node.value)))
          node.value = null;
      },
    });
    const fields: unknown = document.toJS() ?? {};
    if (fields === '') return { kind: 'parsed', fields: {}, body, lineOf: () => 1 };
    if (!isRecord(fields)) return broken(1, 'the front matter must be keys with values');
    if (Object.hasOwn(fields, 'body')) {
      return broken(lineOf(document, counter, ['body']), 'body: the text stands below the front matter, not in it');
    }
    return {
      kind: 'parsed',
      fields,
      body,
      lineOf: (path) => (path[0] === 'body' ? bodyLine : lineOf(document, counter, path)),
    };
  } catch (error) {
    // An alias that unfolds without end, or nesting too deep to walk.
    return broken(1, `the front matter is not usable YAML: ${(error as Error).message.split('\n', 1)[0]}`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function broken(line: number, rule: string): ParsedRecord {
  return { kind: 'broken', line, rule };
}
