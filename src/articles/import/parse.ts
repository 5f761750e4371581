/** Parses records, without validating them: Markdown with YAML front matter, and lines of JSON. */
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { lineOf } from '../../config/config.ts';

export type ParsedRecord =
  | {
      kind: 'parsed';
      /** As written; values of front matter are text, lists and maps. */
      fields: Record<string, unknown>;
      body: unknown;
      /** The line of the key at `path`, from 1. */
      lineOf(path: PropertyKey[]): number;
      /** What was read although it is not written as it should be. */
      warnings: RecordMessage[];
    }
  | { kind: 'broken'; line: number; rule: string };

export interface RecordMessage {
  /** From 1. */
  line: number;
  text: string;
}

const FENCE = /^---[ \t]*$/;
const END = /^(?:---|\.\.\.)[ \t]*$/;

/** Bytes. Far more than all keys can hold; the YAML parser compares each key with all others of its map. */
const MAX_FRONT_MATTER = 64 * 1024;

/** @param text whose lines end in `\n` */
export function parseMarkdown(text: string): ParsedRecord {
  const lines = text.split('\n');
  if (!FENCE.test(lines[0] ?? '')) {
    return broken(1, 'must begin with front matter: a line "---", the keys, and a line "---"');
  }
  const end = lines.findIndex((line, index) => index > 0 && END.test(line));
  if (end === -1) return broken(1, 'the front matter is not closed: end it with a line "---"');
  // The line of the fence is left empty, so that line numbers match the file.
  const yaml = ['', ...lines.slice(1, end)].join('\n');
  const bytes = Buffer.byteLength(yaml) - 1;
  if (bytes > MAX_FRONT_MATTER) {
    return broken(1, `the front matter is ${bytes} bytes long; the limit is ${MAX_FRONT_MATTER}`);
  }
  const first = lines.findIndex((line, index) => index > end && line.trim() !== '');
  const body = first === -1 ? '' : lines.slice(first).join('\n').trimEnd();
  return parseYaml(yaml, body, (first === -1 ? end : first) + 1);
}

/** @param line its number in the file, from 1 */
export function parseJsonLine(text: string, line: number): ParsedRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return broken(line, `is not JSON: ${(error as Error).message}`);
  }
  if (!isRecord(value)) return broken(line, 'must be one JSON object');
  const { body, ...fields } = value;
  return { kind: 'parsed', fields, body, lineOf: () => line, warnings: [] };
}

function parseYaml(yaml: string, body: string, bodyLine: number): ParsedRecord {
  const counter = new LineCounter();
  try {
    // The failsafe schema keeps scalars as written: `id: 0042` and `tags: [5G, 2026, no]` are text.
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
    if (fields === '') return { kind: 'parsed', fields: {}, body, lineOf: () => 1, warnings: [] };
    if (!isRecord(fields)) return broken(1, 'the front matter must be a map of keys and values');
    if (Object.hasOwn(fields, 'body')) {
      return broken(lineOf(document, counter, ['body']), 'body: the text belongs below the front matter');
    }
    return {
      kind: 'parsed',
      fields,
      body,
      lineOf: (path) => (path[0] === 'body' ? bodyLine : lineOf(document, counter, path)),
      warnings: [],
    };
  } catch (error) {
    // Aliases that expand without end, or nesting too deep to walk.
    return broken(1, `the front matter is not usable YAML: ${(error as Error).message.split('\n', 1)[0]}`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function broken(line: number, rule: string): ParsedRecord {
  return { kind: 'broken', line, rule };
}
