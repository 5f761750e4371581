/**
 * Maps the columns of a CSV file by its header: our own names, those of list managers' exports, and what the operator
 * named. A column that looks like a status or a consent and is not understood is `unclear`: nothing may be imported
 * before the operator has said what it means.
 */
import type { ChoiceColumn } from './choices.ts';
import { COMMAND_OPTIONS, type ImportWords } from './import-words.ts';
import { findListFormat, LIST_FORMATS, type ListFormat, matchingFormats, type StatusColumn } from './list-formats.ts';
import { type ImportStatus, isWeaker, mappedWords, PLAIN_WORDS, type StatusRules, wordOf } from './statuses.ts';

export type CsvColumn = 'email' | 'zone' | 'newsletters' | 'unsubscribed' | 'paused_until' | 'suppressed' | 'since';

/** Known headers of files without a format. */
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

/** Headers named by the operator. `attributes.topics` of `choices` is an attribute in a column of JSON. */
type GivenHeaders = readonly string[] | undefined;
export type GivenColumns = Partial<Record<CsvColumn, string>> & { status?: GivenHeaders; choices?: GivenHeaders };

interface MappedStatusColumn {
  header: string;
  position: number;
  meaning: StatusColumn;
}

export interface MappedColumns {
  /** The header, as it is in the file. */
  header: readonly string[];
  /** The recognised format, or null. */
  format: ListFormat | null;
  /** Positions of the columns, from 0. */
  positions: Partial<Record<CsvColumn, number>>;
  /** Columns that say the status of a row. Empty for a file without a status: then every row subscribes. */
  statusColumns: MappedStatusColumn[];
  /** Statuses that every row has, beside those of its own columns. */
  all: ImportStatus[];
  /** Columns that say what people chose: those that the operator named, and our own. */
  choices: ChoiceColumn[];
  /** Columns that look like a status or a consent and are not understood. */
  unclear: { header: string; position: number }[];
  /** Other unknown headers. */
  ignored: string[];
}

export interface MapOptions {
  /** Name of a format, `plain` for none; omitted, the header decides. */
  format?: string | undefined;
  /** Headers of columns that the operator says mean nothing here. */
  ignore?: readonly string[] | undefined;
  /** The operator's status words. */
  status?: StatusRules | undefined;
  /** For errors. Default: the options of the command. */
  words?: ImportWords | undefined;
}

/**
 * Maps a header line.
 * @param given headers named by the operator, which take precedence over known headers
 * @throws Error if there is no address column, a named column is missing, or two columns have the same meaning
 */
export function mapColumns(
  header: readonly string[],
  given: GivenColumns = {},
  { format: wantedFormat, ignore = [], status, words = COMMAND_OPTIONS }: MapOptions = {},
): MappedColumns {
  const names = header.map((name) => name.trim());
  const plain = names.map(plainName);
  const format = formatOf(names, plain, wantedFormat, words);
  const { status: givenStatus = [], choices: givenChoices = [], ...givenColumns } = given;
  const positions: MappedColumns['positions'] = {};
  for (const [column, wanted] of Object.entries(givenColumns) as [CsvColumn, string][]) {
    positions[column] = positionOf(names, wanted, words);
  }
  const operatorStatus = givenStatus.map((wanted) => ({
    header: wanted.trim(),
    position: positionOf(names, wanted, words),
    meaning: { values: mappedWords(status) },
  }));
  const taken = new Set([...Object.values(positions), ...operatorStatus.map(({ position }) => position)]);
  const formatStatus = format === null ? [] : statusColumnsOf(format, names, plain, taken);
  const statusColumns = [...operatorStatus, ...formatStatus];
  const choices: ChoiceColumn[] = givenChoices.map((wanted) => {
    const [column = '', ...path] = names.includes(wanted.trim()) ? [wanted] : wanted.split('.');
    return { position: positionOf(names, column, words), path };
  });
  const ignored = ignore.map((wanted) => positionOf(names, wanted, words));
  const dropped = new Set([...ignored, ...choices.map(({ position }) => position)]);
  // An ignored status column would subscribe everybody who has left.
  const telling = statusColumns.find(({ position }) => dropped.has(position));
  if (telling !== undefined) {
    const hint = `say what its values mean: add ${words.status(null, 'value=status')}`;
    throw new Error(`the column "${telling.header}" says who must not get mail: it cannot be ignored; ${hint}`);
  }
  const isFree = (position: number): boolean =>
    !taken.has(position) && !dropped.has(position) && !formatStatus.some((one) => one.position === position);
  if (format === null) mapKnownHeaders(names, plain, positions, isFree, { given: givenColumns, words });
  else mapFormatColumns(format, plain, positions, isFree);
  if (positions.email === undefined) {
    throw new Error(
      `line 1: there is no address column: the header has ${list(names)}; ` + `name one "email"${words.chooseEmail}`,
    );
  }
  const own = plain.indexOf('choices');
  if (format === null && own >= 0 && isFree(own)) choices.push({ position: own, path: [] });
  const used = new Set([...Object.values(positions), ...choices.map(({ position }) => position)]);
  const rest = names
    .map((name, position) => ({ header: name, position }))
    .filter(({ position }) => isFree(position) && !used.has(position));
  const isOwnFile = format === null && positions.newsletters !== undefined;
  const isOwn = (name: string): boolean => OWN_COLUMNS.includes(name) && (isOwnFile || name !== 'unconfirmed');
  const unclear = rest.filter(({ position }) => {
    const name = plain[position] ?? '';
    return looksLikeConsent(name) && !isOwn(name) && !(format?.harmless ?? []).includes(name);
  });
  const has = (name: string): boolean => plain.includes(name);
  return {
    header,
    format,
    positions,
    statusColumns,
    choices,
    all: [format?.all?.(has) ?? null, status?.all ?? null].filter((one) => one !== null),
    unclear,
    ignored: rest.filter((one) => !unclear.includes(one) && !isOwn(plain[one.position] ?? '')).map((one) => one.header),
  };
}

/** @throws Error if the wanted format does not exist or does not fit, or if several fit */
function formatOf(names: string[], plain: string[], wanted: string | undefined, words: ImportWords): ListFormat | null {
  if (wanted === 'plain') return null;
  const present = new Set(plain);
  if (wanted !== undefined) {
    const format = findListFormat(wanted);
    if (format === undefined) {
      const all = LIST_FORMATS.map((one) => one.name).join(', ');
      throw new Error(`there is no format "${wanted}": it must be one of ${all} or plain`);
    }
    if (format.needsStatus && !Object.keys(format.status).some((name) => present.has(name))) {
      throw new Error(
        `line 1: the file has none of the columns that say the status in a ${format.title} export: ` +
          `the header has ${list(names)}; if it is none, read it as a plain file${words.format('plain')}`,
      );
    }
    return format;
  }
  const [format = null, ...others] = matchingFormats(present);
  if (others.length > 0 && format !== null) {
    const titles = [format, ...others].map((one) => `${one.title}${words.format(one.name)}`).join(' or ');
    throw new Error(`line 1: the header can be that of ${titles}: say which`);
  }
  return format;
}

function statusColumnsOf(
  format: ListFormat,
  names: string[],
  plain: string[],
  taken: ReadonlySet<number>,
): MappedStatusColumn[] {
  return plain.flatMap((name, position) => {
    const meaning = Object.hasOwn(format.status, name) ? format.status[name] : undefined;
    if (meaning === undefined || taken.has(position)) return [];
    return [{ header: names[position] ?? '', position, meaning }];
  });
}

function mapFormatColumns(
  format: ListFormat,
  plain: string[],
  positions: MappedColumns['positions'],
  isFree: (position: number) => boolean,
): void {
  const find = (wanted: readonly string[]): number | undefined => {
    const found = wanted.map((name) => plain.indexOf(name)).find((position) => position >= 0 && isFree(position));
    return found;
  };
  const columns = {
    // The label of Mailchimp's address column is the newsroom's own.
    email:
      find([...format.email, ...KNOWN_HEADERS.email]) ?? plain.findIndex((name) => /e?mailadress|^email/.test(name)),
    since: find(format.since),
    zone: format.zone === undefined ? undefined : find([format.zone]),
  };
  for (const [column, position] of Object.entries(columns) as [keyof typeof columns, number | undefined][]) {
    if (position !== undefined && position >= 0) positions[column] ??= position;
  }
}

function mapKnownHeaders(
  names: string[],
  plain: string[],
  positions: MappedColumns['positions'],
  isFree: (position: number) => boolean,
  { given, words }: { given: Partial<Record<CsvColumn, string>>; words: ImportWords },
): void {
  for (const [position, name] of plain.entries()) {
    if (!isFree(position)) continue;
    const column = (Object.keys(KNOWN_HEADERS) as CsvColumn[]).find((one) => KNOWN_HEADERS[one].includes(name));
    if (column === undefined) continue;
    const before = positions[column];
    if (before === undefined) positions[column] = position;
    else if (given[column] === undefined) {
      throw new Error(
        `line 1: "${names[before]}" and "${names[position]}" can both be the ${column} column: ` +
          words.chooseColumn(column),
      );
    }
  }
}

/** @throws Error if there is no such column */
function positionOf(names: string[], wanted: string, words: ImportWords): number {
  const position = names.findIndex((name) => name.toLowerCase() === wanted.trim().toLowerCase());
  if (position >= 0) return position;
  throw new Error(`line 1: there is no column "${wanted}", which ${words.namesColumns}: the header has ${list(names)}`);
}

/** The delimiter of a header line: comma, semicolon or tab, whichever is most frequent. */
export function delimiterOf(headerLine: string): ',' | ';' | '\t' {
  const count = (delimiter: string): number => headerLine.split(delimiter).length;
  return ([';', '\t'] as const).reduce<',' | ';' | '\t'>((best, one) => (count(one) > count(best) ? one : best), ',');
}

function list(names: string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

/** Lower case, letters and digits only: `Email Address`, `email_address` and `E-mail address` are the same name. */
function plainName(header: string): string {
  return header
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Somebody has left, or must not get mail: English, and the usual words of a few other languages. */
const OPT_OUT = anyOf(
  'unsub|optout|optedout|unconfirm|bounc|complain|abuse|spam|block|blacklist|suppress|banned|delet|remov|cancel|clean',
  'disabl|donot|dontmail|nomail|noemail|unmailable|invalid|undeliver|inactiv|archiv|abmeld|abgemeld|ausgetragen',
  'gesperrt|désabo|desabo|désinscri|desinscri|desuscri|disiscri|uitgeschr|afgemeld',
  'withdr|revok|widerr|^stopped|^quit$|^left(?:at|on)?$',
);
/** Any state of somebody's subscription. */
const STATE = anyOf(
  'status|statut|^state$|^estado$|^stato$|^(is)?active$|^aktiv$|^actif$|^activo$|enabled|mailable|valid$',
);
/** Somebody has agreed to something. */
const CONSENT = anyOf(
  'subscri|optin|optedin|confirm|verif|consent|permission|gdpr|dsgvo|rgpd|marketing|newsletter|mailinglist|agree',
  'accept|allow|einwillig|zustimm|abonn|inscri|iscritt',
  '^(?:wants|receives?|gets?|sends?)(?:e?mails?|news)|e?mailok$',
);
/** A column about a consent which says when, whence or by whom it was given, but not whether. */
const DETAIL = /(?:ip|id|uuid|hash|time|date|(?:ed|in|tion)at|edon|since|source|url|form|name|language|address)$/;

/** Whether a column of that name may say that somebody must not get mail. @param name a plain name */
function looksLikeConsent(name: string): boolean {
  return OPT_OUT.test(name) || STATE.test(name) || (CONSENT.test(name) && !DETAIL.test(name));
}

function anyOf(...words: string[]): RegExp {
  return new RegExp(words.join('|'));
}

export type RowStatus =
  | { kind: 'known'; statuses: ImportStatus[] }
  /** A value whose meaning is not known. */
  | { kind: 'unknown'; column: MappedStatusColumn; value: string };

/** What the columns of a row say about its status. A row of a file without a status is subscribed. */
export function statusesOf(fields: readonly string[], columns: MappedColumns, rules: StatusRules): RowStatus {
  const statuses: ImportStatus[] = [...columns.all];
  for (const column of columns.statusColumns) {
    const value = fields[column.position] ?? '';
    const word = wordOf(value);
    const { meaning } = column;
    if ('filled' in meaning) {
      if (word !== '') statuses.push(meaning.filled);
      continue;
    }
    const any = word === '' ? undefined : find(rules.words, '*');
    const status = find(rules.words, word) ?? find(meaning.values, word) ?? any;
    if (status === undefined) return { kind: 'unknown', column, value: value.trim() };
    statuses.push(status);
  }
  return { kind: 'known', statuses: statuses.length === 0 ? ['subscribed'] : statuses };
}

/**
 * Checks that the operator's words contradict no meaning that is known: an import must not subscribe somebody who has
 * left or never confirmed, under any name.
 * @throws Error
 */
export function checkStatusRules({ statusColumns }: MappedColumns, rules: StatusRules): void {
  const known = [PLAIN_WORDS, ...statusColumns.map(({ meaning }) => ('values' in meaning ? meaning.values : {}))];
  for (const [word, status] of Object.entries(rules.words)) {
    // The words of mapped columns contain the operator's own.
    const meant = known.map((words) => find(words, word)).find((one) => one !== undefined && one !== status);
    if (meant === undefined || meant === 'inactive' || !isWeaker(status, meant)) continue;
    const hint = `leave out "${word}=${status}"`;
    throw new Error(`the status "${word}" means ${meant}: an import cannot make it ${status}; ${hint}`);
  }
}

function find(words: Readonly<Record<string, ImportStatus>>, word: string): ImportStatus | undefined {
  return Object.hasOwn(words, word) ? words[word] : undefined;
}
