/** Parses the rows of a CSV import, and formats fields for CSV files. */
import { SUPPRESSION_REASONS, type SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import { parseAddress } from '../../lib/address.ts';
import { parseWrittenInstant, type WrittenInstant } from '../../lib/written-date.ts';
import { zoneProblem } from '../zone.ts';
import type { CsvColumn, MappedColumns } from './columns.ts';
import type { ImportWords } from './import-words.ts';
import { effectOf, type ImportStatus, strictest } from './statuses.ts';

export interface ImportRow {
  line: number;
  email: string;
  /** See `parseAddress`. */
  key: string;
  zone: string | null;
  newsletters: string[];
  unsubscribed: string[];
  /** End of a pause; it can be in the past. */
  pausedUntil: number | null;
  suppressed: SuppressionReason | null;
  /** Instant of the subscription, if the file has it. */
  since: number | null;
  /** Canonical choices by newsletter; without an entry, the file says nothing. */
  choices?: ReadonlyMap<string, string | null>;
  /** What the file says about the person. */
  status: ImportStatus;
}

/**
 * Parses a row.
 * @param statuses what the file says about the person; see `statusesOf`
 * @param options.newsletters concerned if the file has no column of newsletters
 * @param options.known all newsletters of the configuration
 * @returns the row, or the reason of its rejection
 */
export function parseRow(
  fields: readonly string[],
  line: number,
  columns: MappedColumns,
  statuses: readonly ImportStatus[],
  options: { newsletters: readonly string[]; known: readonly string[]; words: ImportWords },
): ImportRow | string {
  const { positions, format } = columns;
  const { words } = options;
  const headerOf = (column: CsvColumn): string => columns.header[positions[column] ?? -1] ?? column;
  const noLists = positions.newsletters === undefined ? '' : `; or add ${words.newsletters(headerOf('newsletters'))}`;
  const field = (column: CsvColumn): string => {
    const position = positions[column];
    return position === undefined ? '' : (fields[position] ?? '').trim();
  };
  const address = parseAddress(field('email'));
  if (address.kind === 'invalid') return `${field('email') || 'the address'}: ${address.reason}`;
  const ended = listed(field('unsubscribed'));
  const concerned = positions.newsletters === undefined ? [...options.newsletters] : listed(field('newsletters'));
  for (const id of [...concerned, ...ended]) {
    if (!options.known.includes(id)) {
      const all = options.known.join(', ') || 'none';
      return `${id}: unknown newsletter: the configuration has ${all}${ended.includes(id) ? '' : noLists}`;
    }
  }
  const effect = effectOf(statuses);
  const suppressed = effect.suppressed ?? suppressionOf(field('suppressed'));
  if (concerned.length + ended.length === 0 && suppressed === null) return `it has no newsletter${noLists}`;
  const row = { line, email: address.email, key: address.key, suppressed, status: strictest(statuses) };
  const unsubscribed = effect.subscription === 'ends' ? [...new Set([...concerned, ...ended])] : ended;
  if (effect.subscription !== 'subscribes') {
    return { ...row, zone: null, newsletters: [], unsubscribed, pausedUntil: null, since: null };
  }
  const details = parseDetails(field, format !== null, (column) => `; or add ${words.ignore(headerOf(column))}`);
  if (typeof details === 'string') return details;
  // A list of suppressed addresses subscribes nobody.
  const subscribes = suppressed === null || positions.newsletters !== undefined;
  const newsletters = subscribes ? concerned.filter((id) => !unsubscribed.includes(id)) : [];
  return { ...row, ...details, newsletters, unsubscribed };
}

/**
 * What a row says about the subscription itself.
 * @param isForeign the file is the export of a list manager: what cannot be read there is left out
 * @param without how to import the file without a column
 * @returns the details, or the reason of a rejection
 */
function parseDetails(
  field: (column: CsvColumn) => string,
  isForeign: boolean,
  without: (column: CsvColumn) => string,
): Pick<ImportRow, 'zone' | 'pausedUntil' | 'since'> | string {
  const zone = field('zone');
  const problem = zone === '' ? null : zoneProblem(zone);
  if (problem !== null && !isForeign) return problem + without('zone');
  // Without a zone, the time is in UTC.
  const pausedUntil = parseWrittenInstant(field('paused_until'), 'UTC');
  if (pausedUntil.kind === 'unclear' && field('paused_until') !== '') {
    return `${field('paused_until')}: the end of a pause ${pausedUntil.rule}`;
  }
  const since = parseWrittenInstant(field('since'), 'UTC');
  if (since.kind === 'unclear' && field('since') !== '' && !isForeign) {
    return `${field('since')}: the time of the subscription ${since.rule}${without('since')}`;
  }
  const at = (written: WrittenInstant): number | null => (written.kind === 'instant' ? written.at : null);
  return { zone: zone === '' || problem !== null ? null : zone, pausedUntil: at(pausedUntil), since: at(since) };
}

/**
 * Quotes a field if necessary (RFC 4180 §2), and prevents spreadsheets from reading it as a formula: an apostrophe is
 * put before such a field. One that starts with an apostrophe gets another, so that `unguard` restores every field.
 */
export function csvField(value: string): string {
  const guarded = /^[=+\-@\t\r']/.test(value) ? `'${value}` : value;
  return /[",\r\n;\t]|^\s|\s$/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** Removes the apostrophe that `csvField` put before a field. */
export function unguard(value: string): string {
  return /^'[=+\-@\t\r']/.test(value) ? value.slice(1) : value;
}

function listed(text: string): string[] {
  return [...new Set(text.split(/[\s;,|]+/).filter((word) => word !== ''))];
}

function suppressionOf(text: string): SuppressionReason | null {
  if (text === '' || /^(0|no|false|f)$/i.test(text)) return null;
  return SUPPRESSION_REASONS.find((reason) => reason === text.toLowerCase()) ?? 'operator';
}
