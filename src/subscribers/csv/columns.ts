/** Maps the columns of a CSV file from any list manager by its header. */
export type CsvColumn = 'email' | 'zone' | 'newsletters' | 'unsubscribed' | 'paused_until' | 'suppressed' | 'since';

/** Known headers. Case, spaces, hyphens and underscores are ignored. */
const KNOWN_HEADERS: Record<CsvColumn, string[]> = {
  email: ['email', 'emailaddress', 'address', 'mail', 'subscriber'],
  zone: ['zone', 'timezone', 'tz'],
  newsletters: ['newsletters', 'newsletter', 'lists', 'list'],
  unsubscribed: ['unsubscribed'],
  paused_until: ['pauseduntil'],
  suppressed: ['suppressed'],
  since: ['since', 'confirmedat', 'confirmtime', 'optintime', 'subscribedat', 'createdat'],
};

/** Columns of our own files that imports do not use: they are not reported as ignored. */
const OWN_COLUMNS = ['line', 'reason', 'unconfirmed'];

export interface MappedColumns {
  /** The header, as it is in the file. */
  header: readonly string[];
  /** Positions of the columns, from 0. */
  positions: Partial<Record<CsvColumn, number>>;
  /** Unknown headers. */
  ignored: string[];
}

/**
 * Maps a header line.
 * @param given headers named by the operator, which take precedence over known headers
 * @throws Error if there is no address column, a named column is missing, or two columns have the same meaning
 */
export function mapColumns(header: readonly string[], given: Partial<Record<CsvColumn, string>> = {}): MappedColumns {
  const names = header.map((name) => name.trim());
  const positions = findGivenColumns(names, given);
  const ignored: string[] = [];
  for (const [position, name] of names.entries()) {
    if (Object.values(positions).includes(position)) continue;
    const plain = name.toLowerCase().replace(/[\s_-]/g, '');
    const column = (Object.keys(KNOWN_HEADERS) as CsvColumn[]).find((one) => KNOWN_HEADERS[one].includes(plain));
    if (column === undefined) {
      if (!OWN_COLUMNS.includes(plain)) ignored.push(name);
    } else if (positions[column] === undefined) {
      positions[column] = position;
    } else if (given[column] === undefined) {
      throw new Error(
        `line 1: "${names[positions[column]]}" and "${name}" can both be the ${column} column: ` +
          `choose one with --map ${column}="…"`,
      );
    }
  }
  if (positions.email === undefined) {
    throw new Error(
      `line 1: there is no address column: the header has ${list(names)}; ` +
        'name one "email", or choose it with --map email="…"',
    );
  }
  return { header, positions, ignored };
}

function findGivenColumns(names: string[], given: Partial<Record<CsvColumn, string>>): MappedColumns['positions'] {
  const positions: MappedColumns['positions'] = {};
  for (const [column, wanted] of Object.entries(given) as [CsvColumn, string][]) {
    const position = names.findIndex((name) => name.toLowerCase() === wanted.trim().toLowerCase());
    if (position < 0) throw new Error(`line 1: there is no column "${wanted}": the header has ${list(names)}`);
    positions[column] = position;
  }
  return positions;
}

/** The delimiter of a header line: comma, semicolon or tab, whichever is most frequent. */
export function delimiterOf(headerLine: string): ',' | ';' | '\t' {
  const count = (delimiter: string): number => headerLine.split(delimiter).length;
  return ([';', '\t'] as const).reduce<',' | ';' | '\t'>((best, one) => (count(one) > count(best) ? one : best), ',');
}

function list(names: string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
