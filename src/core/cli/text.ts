/** Building blocks of the plain text that commands print. */
import { relative } from 'node:path';
import { localDateTime, rfc3339 } from '../../lib/time.ts';

/** `3 submitted, 1 failed`: the counts that are not zero; empty where all are. */
export function counts(record: Record<string, number>): string {
  return Object.entries(record)
    .filter(([, number]) => number > 0)
    .map(([name, number]) => `${number} ${name}`)
    .join(', ');
}

/**
 * Adds local times to the instants of a text: `2026-11-24T23:30:00Z (2026-11-25 07:30)`, without the date where it is
 * the same. In UTC the text stays as it is.
 */
export function withLocalTimes(text: string, zone: string): string {
  return text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?! \()/g, (instant) => {
    const local = localDateTime(Date.parse(instant), zone);
    const [date = '', time = ''] = local.split(' ');
    const utc = instant.slice(0, 16);
    if (utc === `${date}T${time}`) return instant;
    return `${instant} (${utc.startsWith(date) ? time : local})`;
  });
}

/** A path relative to the working folder, where it is below that. */
export function displayPath(path: string): string {
  const short = relative('', path);
  return short === '' || short.startsWith('..') || path.includes('://') ? path : short;
}

/** Aligns columns, the first one to the left and numbers to the right. @param rows of equal length */
export function table(rows: string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const isNumeric = widths.map((_, column) => rows.slice(1).every((row) => /^[\d.]*%?$/.test(row[column] ?? '')));
  return rows.map((row) =>
    row
      .map((cell, column) => cell[isNumeric[column] ? 'padStart' : 'padEnd'](widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Aligns values after their names. Entries whose value is null are left out. */
export function record(entries: readonly (readonly [name: string, value: string | null])[]): string[] {
  return table(entries.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

/** A title below an empty line, and indented lines; nothing without lines. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...indent(lines)];
}

export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** JSON for programs. Instants, which are epoch milliseconds inside daywire, are RFC 3339 in UTC. */
export function formatJson(value: unknown, indent?: number): string {
  const isInstant = (key: string): boolean => key === 'at' || /(At|Until)$/.test(key);
  const json = JSON.stringify(
    value,
    (key, member: unknown) => (typeof member === 'number' && isInstant(key) ? rfc3339(member) : member),
    indent,
  );
  // JSON leaves them as they are, and terminals may obey them: U+009B begins a command as ESC [ does.
  return json.replace(/[\u007f-\u009f]/g, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
