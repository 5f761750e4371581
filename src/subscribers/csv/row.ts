/** Parses the rows of a CSV import, and formats fields for CSV files. */
import { Temporal } from 'temporal-polyfill';
import type { SuppressionReason } from '../../store/tables.ts';
import { parseAddress } from '../address.ts';
import { zoneProblem } from '../zone.ts';
import type { CsvColumn, MappedColumns } from './columns.ts';

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
}

const REASONS: SuppressionReason[] = ['hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator'];

/**
 * Parses a row.
 * @param options.newsletters subscribed to if the file has no column of newsletters
 * @param options.known all newsletters of the configuration
 * @returns the row, or the reason of its rejection
 */
export function parseRow(
  fields: readonly string[],
  line: number,
  columns: MappedColumns,
  options: { newsletters: readonly string[]; known: readonly string[] },
): ImportRow | string {
  const field = (column: CsvColumn): string => {
    const position = columns.positions[column];
    return position === undefined ? '' : (fields[position] ?? '').trim();
  };
  const address = parseAddress(field('email'));
  if (address.kind === 'invalid') return `${field('email') || 'the address'}: ${address.reason}`;
  const zone = field('zone');
  const problem = zone === '' ? null : zoneProblem(zone);
  if (problem !== null) return problem;
  const unsubscribed = words(field('unsubscribed'));
  const newsletters =
    columns.positions.newsletters === undefined ? [...options.newsletters] : words(field('newsletters'));
  for (const id of [...newsletters, ...unsubscribed]) {
    if (!options.known.includes(id)) {
      return `${id}: unknown newsletter: the configuration has ${options.known.join(', ') || 'none'}`;
    }
  }
  const suppressed = suppressionOf(field('suppressed'));
  if (newsletters.length + unsubscribed.length === 0 && suppressed === null) return 'it has no newsletter';
  const pausedUntil = instantOf(field('paused_until'));
  if (pausedUntil === undefined) {
    return `${field('paused_until')}: the end of a pause must be a date or an instant such as 2026-12-01T00:00:00Z`;
  }
  const since = instantOf(field('since'));
  if (since === undefined) return `${field('since')}: must be a date or an instant such as 2026-11-24T07:30:00Z`;
  return {
    line,
    email: address.email,
    key: address.key,
    zone: zone === '' ? null : zone,
    newsletters: newsletters.filter((id) => !unsubscribed.includes(id)),
    unsubscribed,
    pausedUntil,
    suppressed,
    since,
  };
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

function words(text: string): string[] {
  return [...new Set(text.split(/[\s;,|]+/).filter((word) => word !== ''))];
}

function suppressionOf(text: string): SuppressionReason | null {
  if (text === '' || /^(0|no|false|f)$/i.test(text)) return null;
  return REASONS.find((reason) => reason === text.toLowerCase()) ?? 'operator';
}

/** Returns undefined for invalid input. A date without time is its first instant in UTC. */
function instantOf(text: string): number | null | undefined {
  if (text === '') return null;
  try {
    return Temporal.Instant.from(text.replace(' ', 'T')).epochMilliseconds;
  } catch {}
  try {
    return Temporal.PlainDateTime.from(text.replace(' ', 'T')).toZonedDateTime('UTC').epochMilliseconds;
  } catch {
    return undefined;
  }
}
