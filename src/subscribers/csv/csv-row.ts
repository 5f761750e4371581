/**
 * One row of a CSV file as a subscriber to be imported, or the reason why it cannot be. And the way back.
 */
import { Temporal } from 'temporal-polyfill';
import type { SuppressionReason } from '../../store/tables.ts';
import { parseAddress } from '../address.ts';
import { zoneProblem } from '../zone.ts';
import type { ColumnMap } from './csv-columns.ts';

export interface ImportRow {
  line: number;
  email: string;
  /** See `parseAddress`. */
  key: string;
  zone: string | null;
  /** Subscribed to. */
  newsletters: string[];
  /** Had been subscribed to, and left. */
  unsubscribed: string[];
  /** Wants nothing before this instant, which may have passed. */
  pausedUntil: number | null;
  suppressed: SuppressionReason | null;
  /** When it subscribed, where the file says so. */
  since: number | null;
}

const REASONS: SuppressionReason[] = ['hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator'];

/**
 * Reads one row.
 * @param wanted the newsletters where the file names none, and all that there are
 * @returns the row, or a reason said for the operator
 */
export function readRow(
  fields: readonly string[],
  line: number,
  columns: ColumnMap,
  wanted: { newsletters: readonly string[]; known: readonly string[] },
): ImportRow | string {
  const field = (column: keyof ColumnMap['at']): string => {
    const position = columns.at[column];
    return position === undefined ? '' : (fields[position] ?? '').trim();
  };
  const address = parseAddress(unguard(field('email')));
  if (address.kind === 'refused') return `${field('email') || 'the address'}: ${address.reason}`;
  const zone = field('zone');
  const zoneWrong = zone === '' ? null : zoneProblem(zone);
  if (zoneWrong !== null) return zoneWrong;
  const named = field('newsletters');
  const unsubscribed = words(field('unsubscribed'));
  const newsletters = columns.at.newsletters === undefined ? [...wanted.newsletters] : words(named);
  for (const id of [...newsletters, ...unsubscribed]) {
    if (!wanted.known.includes(id)) {
      return `${id}: there is no such newsletter: the configuration has ${wanted.known.join(', ') || 'none'}`;
    }
  }
  const suppressed = suppressionOf(field('suppressed'));
  if (newsletters.length + unsubscribed.length === 0 && suppressed === null) return 'it names no newsletter';
  const pausedUntil = instantOf(field('paused_until'));
  if (pausedUntil === undefined) {
    return `${field('paused_until')}: a pause must end on a date or at an instant such as 2026-12-01T00:00:00Z`;
  }
  const since = instantOf(field('since'));
  if (since === undefined) return `${field('since')}: it must be a date or an instant such as 2026-11-24T07:30:00Z`;
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

/** A field as RFC 4180 §2 quotes it where it must be. A spreadsheet must not take an address for a formula. */
export function csvField(value: string): string {
  const guarded = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n;\t]|^\s|\s$/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

function unguard(value: string): string {
  return /^'[=+\-@]/.test(value) ? value.slice(1) : value;
}

function words(text: string): string[] {
  return [...new Set(text.split(/[\s;,|]+/).filter((word) => word !== ''))];
}

function suppressionOf(text: string): SuppressionReason | null {
  if (text === '' || /^(0|no|false|f)$/i.test(text)) return null;
  return REASONS.find((reason) => reason === text.toLowerCase()) ?? 'operator';
}

/** Undefined where it is none. A date alone is taken for its first instant in UTC. */
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
