/** Parses front matter in YAML, tolerantly, and says in plain words what is wrong with it. Pure. */
import { isMap, isScalar, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import { lineOf } from '../../../lib/yaml-line.ts';
import { isText, type MendedYaml, mendYaml, type RecordMessage, shownPart } from './mend-yaml.ts';

export type ParsedFrontMatter =
  | {
      kind: 'parsed';
      /** Values are text, lists and maps. */
      fields: Record<string, unknown>;
      /** The line of the key at `path`, from 1. */
      lineOf(path: PropertyKey[]): number;
      warnings: RecordMessage[];
    }
  | { kind: 'broken'; line: number; rule: string };

/** @param source the lines of the file up to the end of the front matter, the fence as an empty line */
export function parseYaml(source: readonly string[]): ParsedFrontMatter {
  // What is valid is never mended.
  const asWritten = parseLines({ lines: [...source], warnings: [] });
  return asWritten.kind === 'parsed' ? asWritten : parseLines(mendYaml(source));
}

function parseLines({ lines, warnings }: MendedYaml): ParsedFrontMatter {
  const counter = new LineCounter();
  // The failsafe schema keeps scalars as written: `id: 0042` and `tags: [5G, 2026, no]` are text. The parser's own
  // search for repeated keys is quadratic.
  const options = { lineCounter: counter, schema: 'failsafe', uniqueKeys: false, strict: false } as const;
  try {
    const document = parseDocument(lines.join('\n'), options);
    const [error] = document.errors;
    if (error !== undefined) return explain(error, error.linePos?.[0].line ?? 1, lines);
    return readDocument(document, counter, lines, warnings);
  } catch (error) {
    // Aliases that expand without end, or nesting too deep to walk.
    const reason = (error as Error).message.split('\n', 1)[0] ?? '';
    return { kind: 'broken', line: 1, rule: `the front matter is not usable YAML: ${reason}` };
  }
}

function readDocument(
  document: ReturnType<typeof parseDocument>,
  counter: LineCounter,
  lines: readonly string[],
  warnings: RecordMessage[],
): ParsedFrontMatter {
  visit(document, {
    Scalar(_key, node) {
      if (node.type === 'PLAIN' && /^(?:~|null|Null|NULL)$/.test(String(node.value))) node.value = null;
    },
    Pair(_key, { key, value }) {
      if (!isScalar(key) || !key.range || !isScalar(value) || !isText(String(key.value))) return;
      if (value.type !== 'PLAIN' || !/^[^#\s]/.test(value.comment ?? '')) return;
      const text = 'what follows " #" counts as a comment and is left out: put the text in quotation marks';
      warnings.push({ line: counter.linePos(key.range[0]).line, text: `${shownPart(String(key.value))}: ${text}` });
    },
    Map(_key, map) {
      const seen = new Map<string, number>();
      for (const { key } of map.items) {
        if (!isScalar(key) || !key.range) continue;
        const name = String(key.value);
        const { line } = counter.linePos(key.range[0]);
        const first = seen.get(name);
        seen.set(name, line);
        if (first === undefined) continue;
        const text = `${shownPart(name)} is left out: it is written again in line ${line}, which counts; keep one`;
        warnings.push({ line: first, text });
      }
    },
  });
  const fields: unknown = document.toJS() ?? {};
  if (document.contents === null || fields === '') return { kind: 'parsed', fields: {}, lineOf: () => 1, warnings };
  if (!isMap(document.contents) || typeof fields !== 'object' || fields === null) {
    const line = lines.findIndex((text) => text.trim() !== '' && !text.startsWith('#')) + 1;
    return { kind: 'broken', line, rule: noKeyRule(lines[line - 1] ?? '') };
  }
  const warned = warnings.toSorted((a, b) => a.line - b.line);
  return {
    kind: 'parsed',
    fields: fields as Record<string, unknown>,
    lineOf: (path) => lineOf(document, counter, path),
    warnings: warned,
  };
}

function explain({ code, message }: YAMLError, line: number, lines: readonly string[]): ParsedFrontMatter {
  const text = lines[line - 1] ?? '';
  const end = missingEnd(lines);
  if (end !== null && line > end) {
    const rule = `the front matter has no end: write a line "---" after line ${end}, before the text`;
    return { kind: 'broken', line: end, rule };
  }
  return { kind: 'broken', line, rule: `${ruleOf(code, message, text)} (YAML: ${firstSentence(message)})` };
}

function ruleOf(code: string, message: string, line: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'begins with a tab: write spaces instead';
    case 'BAD_INDENT':
      return 'is not indented like the lines around it, or a bracket before it is not closed';
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
      return 'put a text with a colon in quotation marks';
    case 'MULTILINE_IMPLICIT_KEY':
    case 'MISSING_CHAR':
      if (/quote/.test(message)) return 'a quotation mark is not closed here, or in a line before';
      if (/with a [\]}]/.test(message)) return 'a bracket is not closed here, or in a line before';
      return noKeyRule(line);
    default:
      return /call stack/.test(message) ? 'is nested too deeply' : 'cannot be read: put the text in quotation marks';
  }
}

function noKeyRule(line: string): string {
  if (/^\s*[\w-]+\s*=/.test(line)) {
    return 'has = where YAML has a colon, as in headline: A Headline; for keys with = the fences are lines "+++"';
  }
  if (line.trim().startsWith('- ')) return 'the front matter must be keys and values, as in headline: A Headline';
  return 'is no key with a value: write a key, a colon, a space and the value, as in headline: A Headline';
}

/**
 * The last line of the keys, if they are followed by an empty line and by text: somebody forgot the second fence.
 * @returns its number, or null
 */
export function missingEnd(lines: readonly string[]): number | null {
  const isKeyLike = (line: string): boolean => /^(?:\s|#|- |[\w "'.-]{1,60}\s*[:：=])/.test(line) || line === '';
  const blank = lines.findIndex((line, index) => index > 1 && line.trim() === '');
  if (blank === -1) return null;
  const after = lines.slice(blank).find((line) => line.trim() !== '');
  return after === undefined || isKeyLike(after) ? null : blank;
}

function firstSentence(message: string): string {
  return shownPart(message.replace(/ at line \d+, column \d+:[\s\S]*$/, ''));
}
