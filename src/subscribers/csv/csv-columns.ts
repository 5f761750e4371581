/**
 * Which column of a CSV file says what: mapped by its header, whatever list manager wrote it.
 */
export type Column = 'email' | 'zone' | 'newsletters' | 'unsubscribed' | 'paused_until' | 'suppressed' | 'since';

/** Compared without case, spaces, hyphens and underscores. */
const NAMES: Record<Column, string[]> = {
  email: ['email', 'emailaddress', 'address', 'mail', 'subscriber'],
  zone: ['zone', 'timezone', 'tz'],
  newsletters: ['newsletters', 'newsletter', 'lists', 'list'],
  unsubscribed: ['unsubscribed'],
  paused_until: ['pauseduntil'],
  suppressed: ['suppressed'],
  since: ['since', 'confirmedat', 'confirmtime', 'optintime', 'subscribedat', 'createdat'],
};

/** What daywire itself puts in, and no import takes: that it is passed over is no news to anyone. */
const OURS = ['line', 'reason', 'unconfirmed'];

export interface ColumnMap {
  /** The position of each column that is there. */
  at: Partial<Record<Column, number>>;
  /** Headers that say nothing to us. */
  ignored: string[];
}

/**
 * Maps a header line.
 * @param given headers named by the operator, which come before the names known here
 * @throws Error where no column holds addresses, a named one is missing, or two say the same
 */
export function mapColumns(header: readonly string[], given: Partial<Record<Column, string>> = {}): ColumnMap {
  const at: ColumnMap['at'] = {};
  const names = header.map((name) => name.trim());
  for (const [column, wanted] of Object.entries(given) as [Column, string][]) {
    const position = names.findIndex((name) => name.toLowerCase() === wanted.trim().toLowerCase());
    if (position < 0) throw new Error(`line 1: there is no column "${wanted}": the header has ${list(names)}`);
    at[column] = position;
  }
  const ignored: string[] = [];
  for (const [position, name] of names.entries()) {
    if (Object.values(at).includes(position)) continue;
    const plain = name.toLowerCase().replace(/[\s_-]/g, '');
    const column = (Object.keys(NAMES) as Column[]).find((one) => NAMES[one].includes(plain));
    if (column === undefined) {
      if (!OURS.includes(plain)) ignored.push(name);
    } else if (at[column] === undefined) {
      at[column] = position;
    } else if (given[column] === undefined) {
      throw new Error(
        `line 1: "${names[at[column]]}" and "${name}" both look like the ${column} column: name the one that counts with --map ${column}="…"`,
      );
    }
  }
  if (at.email === undefined) {
    throw new Error(
      `line 1: no column holds addresses: the header has ${list(names)}; call one "email", or name it with --map email="…"`,
    );
  }
  return { at, ignored };
}

/** The delimiter of a header line: the one of comma, semicolon and tab that occurs most. */
export function delimiterOf(headerLine: string): ',' | ';' | '\t' {
  const count = (delimiter: string): number => headerLine.split(delimiter).length;
  return ([';', '\t'] as const).reduce<',' | ';' | '\t'>((best, one) => (count(one) > count(best) ? one : best), ',');
}

function list(names: string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
