/**
 * Reads a whole file before anything of it is stored, and stops the import where a column or a value may say that
 * somebody must not get mail, and daywire does not know what it says.
 */
import { basename } from 'node:path';
import { parseAddress } from '../../lib/address.ts';
import { boundedLine } from '../../lib/text/clean-text.ts';
import { type MappedColumns, statusesOf } from './columns.ts';
import type { ImportWords } from './import-words.ts';
import { readRecords } from './records.ts';
import { unguard } from './row.ts';
import { IMPORT_STATUSES, PLAIN_WORDS, type StatusRules, wordOf } from './statuses.ts';

/** Distinct values that are counted in a column: one with more is no status, but a time or a text. */
const MAX_VALUES = 50;
/** Values that a message lists, and characters of each. */
const MAX_SHOWN = 8;
const MAX_LENGTH = 40;

/** A column that daywire does not understand, with how often it has each value. */
interface SeenColumn {
  header: string;
  values: Map<string, number>;
  hasMore: boolean;
}

/** Values of our own column of newsletters that are those of another system. */
const FOREIGN_FLAG = /^(true|false|yes|no|y|n|t|f|0|1|\d{4}-\d\d-\d\d.*|\d+\/\d+\/\d+.*)$/i;
/** Names that exports give to files of people who must not get mail. */
const TELLING_WORDS = [
  'non-?subscribed|unsub[a-z]*|opt(?:ed)?[-_ ]?outs?|cleaned|bounced?s?|complain[a-z]*',
  'block(?:ed|list[a-z]*)|suppress[a-z]*|unconfirmed|pending|archived',
];
const TELLING_NAME = new RegExp(`(?:^|[^a-z])(${TELLING_WORDS.join('|')})(?:[^a-z]|$)`, 'i');

/** Whether a file can be imported only after all of it has been checked. */
export function needsCheck(columns: MappedColumns): boolean {
  return columns.statusColumns.length > 0 || columns.unclear.length > 0 || columns.positions.unsubscribed !== undefined;
}

/**
 * Checks the name of a file that says nothing else about its people.
 * @throws Error
 */
export function checkName(file: string, columns: MappedColumns, { all }: StatusRules, words: ImportWords): void {
  const { positions } = columns;
  const saysStatus = [...columns.all, ...(all === null ? [] : [all])].some((one) => one !== 'subscribed');
  const hasColumns = columns.statusColumns.length > 0 || positions.unsubscribed !== undefined;
  if (saysStatus || all !== null || hasColumns || positions.suppressed !== undefined) return;
  const [, word] = TELLING_NAME.exec(basename(file).replace(/\.rejects\.csv$/, '')) ?? [];
  if (word === undefined) return;
  throw new Error(
    `nothing was imported: no column says who is subscribed, and the name of the file says "${word}": ` +
      words.oneStatus,
  );
}

/**
 * Reads a file without storing anything.
 * @param options.known ids of all newsletters
 * @throws Error that names the columns, the values in them, and how to map or to ignore them
 */
export async function checkFile(
  file: string,
  columns: MappedColumns,
  rules: StatusRules,
  { known, words }: { known: readonly string[]; words: ImportWords },
): Promise<void> {
  const unclear = columns.unclear.map(({ header, position }) => ({ seen: newColumn(header), position }));
  const unknown = new Map<string, SeenColumn>();
  let isHeader = true;
  for await (const records of readRecords(file, columns.format?.escape)) {
    for (const record of records) {
      if (isHeader) {
        isHeader = false;
        continue;
      }
      const fields = record.fields.map(unguard);
      // Such a row is rejected without a look at its status.
      if (
        record.isOversized ||
        parseAddress((fields[columns.positions.email as number] ?? '').trim()).kind === 'invalid'
      )
        continue;
      for (const { seen, position } of unclear) count(seen, fields[position] ?? '');
      const status = statusesOf(fields, columns, rules);
      const foreign = foreignFlag(fields, columns, known);
      if (status.kind === 'unknown') countIn(unknown, status.column.header, status.value);
      if (foreign !== null) countIn(unknown, columns.header[columns.positions.unsubscribed as number] ?? '', foreign);
    }
  }
  const problems = [
    ...unclear.map(({ seen }) => unclearProblem(seen, words)),
    ...[...unknown.values()].map((seen) => unknownProblem(seen, columns, words)),
  ];
  if (problems.length > 0) throw new Error(`nothing was imported: ${problems.join('\n')}`);
}

/** The value of our column of ended newsletters where it is no newsletter, but says yes, no or when. */
function foreignFlag(fields: readonly string[], { positions }: MappedColumns, known: readonly string[]): string | null {
  const value = positions.unsubscribed === undefined ? '' : (fields[positions.unsubscribed] ?? '').trim();
  return FOREIGN_FLAG.test(value) && !known.includes(value) ? value : null;
}

function newColumn(header: string): SeenColumn {
  return { header, values: new Map(), hasMore: false };
}

function countIn(columns: Map<string, SeenColumn>, header: string, value: string): void {
  const column = columns.get(header) ?? newColumn(header);
  columns.set(header, column);
  count(column, value);
}

function count(column: SeenColumn, value: string): void {
  const shown = boundedLine(value.slice(0, 4 * MAX_LENGTH), MAX_LENGTH);
  const before = column.values.get(shown);
  if (before === undefined && column.values.size >= MAX_VALUES) column.hasMore = true;
  else column.values.set(shown, (before ?? 0) + 1);
}

const STATUSES = `where … is one of ${IMPORT_STATUSES.join(', ')}`;

function unclearProblem(column: SeenColumn, words: ImportWords): string {
  return (
    `the column "${column.header}" looks like a status or a consent, and daywire does not know what it says. ` +
    `${valuesOf(column)} If it says who is subscribed, add ${words.status(column.header, exampleOf(column))}, ` +
    `${STATUSES}. If it does not, add ${words.ignore(column.header)}`
  );
}

function unknownProblem(column: SeenColumn, { format, statusColumns }: MappedColumns, words: ImportWords): string {
  const isMapped = statusColumns.some(({ header }) => header === column.header);
  const given = words.status(isMapped ? null : column.header, exampleOf(column));
  const hint = format?.hint === undefined ? '' : ` ${format.hint}`;
  return (
    `the column "${column.header}" says who is subscribed, and daywire does not know these values of it. ` +
    `${valuesOf(column)} Say what they mean: add ${given}, ${STATUSES}.${hint}`
  );
}

function valuesOf({ values, hasMore }: SeenColumn): string {
  const sorted = [...values].sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, MAX_SHOWN).map(([value, rows]) => `${value === '' ? 'empty' : `"${value}"`} (${rows})`);
  const more = hasMore || sorted.length > MAX_SHOWN ? ', and others' : '';
  return values.size === 0 ? 'It has no values.' : `Its values, with the number of rows: ${shown.join(', ')}${more}.`;
}

/** An example of what the values seen may mean. */
function exampleOf({ values, hasMore }: SeenColumn): string {
  const words = [...values.keys()].map(wordOf).filter((word) => !/[,=]/.test(word));
  const isText = hasMore || words.length > MAX_SHOWN || words.some((word) => /\d{4}/.test(word));
  const pairs = isText
    ? ['*=unsubscribed', '=subscribed']
    : [...new Set(words)].map((word) => `${word}=${Object.hasOwn(PLAIN_WORDS, word) ? PLAIN_WORDS[word] : '…'}`);
  return pairs.join(',') || '*=…';
}
