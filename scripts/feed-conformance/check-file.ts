/** Compares what a feed's first comment expects with what daywire finds in it. */
import { decodeFeed } from '../../src/sources/feed/decode-feed.ts';
import { parseFeed } from '../../src/sources/feed/parse-feed.ts';
import { type Found, FoundValue, foundItem } from './found-values.ts';
import { type Expression, type PythonValue, parseExpression } from './python-expression.ts';

/** What a comment can speak of, and the keys that it uses for that. */
const FIELDS: Record<string, string[]> = {
  title: ['title', 'title_detail'],
  link: ['link'],
  id: ['id', 'guid'],
  dates: ['published', 'published_parsed', 'updated', 'updated_parsed', 'created', 'created_parsed'],
  author: ['author', 'author_detail', 'authors'],
  content: ['content', 'summary', 'summary_detail', 'description'],
  categories: ['category', 'tags'],
  enclosures: ['enclosures'],
};
type Field = keyof typeof FIELDS;

/** Properties of these values that daywire has no use for, and keeps none of. */
const NOT_KEPT = ['type', 'scheme', 'rel', 'hreflang'];

export interface FileReport {
  /** Items and entries in the document, and those that were found. */
  expectedItems: number;
  foundItems: number;
  milliseconds: number;
  repaired: boolean;
  /** Whether each field that the comment speaks of is as expected. */
  fields: { field: Field; isMet: boolean; reason: string }[];
  /** Expectations about items that are none of daywire's fields. */
  others: string[];
}

/** @throws what the parser throws, which is an error in it */
export function checkFile(bytes: Buffer, now: number): FileReport {
  // The first comment may have headers of the response.
  const contentType = /^Header:\s*Content-type:\s*(.+)$/im.exec(bytes.toString('latin1'))?.[1]?.trim() ?? null;
  const document = decodeFeed(bytes, contentType);
  const start = performance.now();
  const result = parseFeed({ bytes, contentType, url: 'http://127.0.0.1:8097/feed.xml' }, now);
  const milliseconds = performance.now() - start;
  const items = result.kind === 'feed' ? result.feed.items : [];
  const report: FileReport = {
    expectedItems: [...document.replace(/<!--[\s\S]*?-->/g, '').matchAll(/<(?:\w+:)?(?:item|entry)[\s>]/g)].length,
    foundItems: items.length,
    milliseconds,
    repaired: result.kind === 'feed' && result.feed.repaired,
    fields: [],
    others: [],
  };
  const expected = /Expect:\s*([\s\S]*?)\s*-->/.exec(document)?.[1] ?? '';
  const entries = items.map(foundItem);
  try {
    for (const condition of conditionsOf(parseExpression(expected))) addCondition(report, condition, entries);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (expected !== '') report.others.push('(not understood)');
  }
  return report;
}

function conditionsOf(expression: Expression): Expression[] {
  return expression.kind === 'and' ? expression.operands.flatMap(conditionsOf) : [expression];
}

function addCondition(report: FileReport, condition: Expression, entries: Found[]): void {
  const path = entryPath(condition);
  if (path === null) return;
  const field = Object.keys(FIELDS).find((one) => FIELDS[one]?.includes(path[0] ?? ''));
  if (field === undefined || path.some((key) => NOT_KEPT.includes(key))) {
    if (!(field === 'enclosures')) {
      report.others.push(path[0] === undefined ? '' : path.join('.'));
      return;
    }
  }
  const { isMet, reason } = evaluate(condition, entries);
  report.fields.push({ field: field as Field, isMet, reason });
}

/** `['title_detail', 'value']` for `entries[0]['title_detail']['value'] == …`, null if it is not about an item. */
function entryPath(expression: Expression): string[] | null {
  switch (expression.kind) {
    case 'part': {
      const keys: string[] = [];
      let one: Expression = expression;
      for (; one.kind === 'part'; one = one.of) keys.unshift(String(one.key));
      return one.kind === 'name' && one.name === 'entries' ? keys.slice(1).filter((key) => !/^\d+$/.test(key)) : null;
    }
    case 'call':
      if (expression.callee.kind === 'part' && expression.callee.key === 'has_key') {
        const [key] = expression.arguments;
        const of = entryPath(expression.callee.of);
        return of === null ? null : [...of, key?.kind === 'literal' ? String(key.value) : ''];
      }
      return expression.arguments.map(entryPath).find((path) => path !== null) ?? null;
    case 'not':
      return entryPath(expression.operand);
    case 'and':
    case 'or':
    case 'comparison':
      return expression.operands.map(entryPath).find((path) => path !== null) ?? null;
    default:
      return null;
  }
}

function evaluate(condition: Expression, entries: Found[]): { isMet: boolean; reason: string } {
  if (condition.kind === 'not') {
    const { isMet, reason } = evaluate(condition.operand, entries);
    return { isMet: !isMet, reason: `not: ${reason}` };
  }
  if (condition.kind === 'call') {
    const path = entryPath(condition) ?? [];
    const found = at(entries[0], path);
    return { isMet: found instanceof FoundValue && found.value !== null, reason: `has ${path.join('.')}` };
  }
  if (condition.kind === 'part') {
    const found = resolve(condition, entries);
    return { isMet: found instanceof FoundValue && found.equals(true), reason: `found ${write(found)}` };
  }
  if (condition.kind !== 'comparison') return { isMet: false, reason: 'this kind of condition is not understood' };
  const literal = condition.operands.find((operand) => operand.kind === 'literal');
  const expected = literal?.kind === 'literal' ? literal.value : null;
  const others = condition.operands.filter((operand) => operand !== literal).map((one) => resolve(one, entries));
  const isNegated = condition.operators.includes('!=');
  return {
    isMet: others.every((found) => matches(found, expected) !== isNegated),
    reason: `expected ${JSON.stringify(expected)}, found ${others.map(write).join(' and ')}`,
  };
}

function resolve(expression: Expression, entries: Found[]): Found {
  if (expression.kind === 'name') return expression.name === 'entries' ? entries : undefined;
  return expression.kind === 'part' ? at(resolve(expression.of, entries), [String(expression.key)]) : undefined;
}

function at(found: Found, path: string[]): Found {
  return path.reduce<Found>((one, key) => (one as Record<string, Found> | undefined)?.[key], found);
}

function matches(found: Found, expected: PythonValue): boolean {
  if (found === undefined) return expected === null;
  if (found instanceof FoundValue) return found.equals(expected);
  if (expected === null || typeof expected !== 'object') return false;
  return Object.entries(expected).every(([key, value]) => matches(at(found, [key]), value));
}

function write(found: Found): string {
  return found instanceof FoundValue ? (JSON.stringify(found.value) ?? 'nothing') : JSON.stringify(found ?? null);
}
