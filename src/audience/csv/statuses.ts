/**
 * What a list manager's export says about a person, in daywire's words, and what an import makes of it. Only
 * `subscribed` ever subscribes somebody.
 */
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';

/** From the weakest to the strictest: of several statuses of one row, the last one in this order is its status. */
export const IMPORT_STATUSES = [
  'subscribed',
  'inactive',
  'unconfirmed',
  'unsubscribed',
  'bounced',
  'blocked',
  'complained',
] as const;

export type ImportStatus = (typeof IMPORT_STATUSES)[number];

const SUPPRESSIONS: Partial<Record<ImportStatus, SuppressionReason>> = {
  bounced: 'hard-bounce',
  blocked: 'operator',
  complained: 'complaint',
};
/** A bounce is no decision of the subscriber, and a new opt-in lifts it: the subscription itself does not end. */
const ENDING: readonly ImportStatus[] = ['unsubscribed', 'blocked', 'complained'];

/** Why a row of that status is not imported. */
export const NOT_IMPORTED: Partial<Record<ImportStatus, string>> = {
  unconfirmed: 'the file says that the person has not confirmed: only a new request can subscribe the address',
  inactive: 'the file says that the address is no longer mailed: only a new request can subscribe it',
};

/** The strictest of some statuses. */
export function strictest(statuses: readonly ImportStatus[]): ImportStatus {
  const ranks = statuses.map((status) => IMPORT_STATUSES.indexOf(status));
  return IMPORT_STATUSES[Math.max(0, ...ranks)] as ImportStatus;
}

/** What an import does with a row that has these statuses, each of which counts: subscribe, end, or neither. */
export function effectOf(statuses: readonly ImportStatus[]) {
  const ends = statuses.some((status) => ENDING.includes(status));
  const subscribes = strictest(statuses) === 'subscribed';
  return {
    subscription: ends ? ('ends' as const) : subscribes ? ('subscribes' as const) : ('none' as const),
    suppressed: SUPPRESSIONS[strictest(statuses)] ?? null,
  };
}

/** Whether `status` says less against mailing somebody than `other`. */
export function isWeaker(status: ImportStatus, other: ImportStatus): boolean {
  return IMPORT_STATUSES.indexOf(status) < IMPORT_STATUSES.indexOf(other);
}

function isImportStatus(text: string): text is ImportStatus {
  return (IMPORT_STATUSES as readonly string[]).includes(text);
}

export interface StatusRules {
  /** The meaning of values in lower case. `*` is any other value, the empty word an empty field. */
  words: Readonly<Record<string, ImportStatus>>;
  /** The status of every row, or null. */
  all: ImportStatus | null;
}

/** Values of a column that the operator mapped which need no explanation. */
export const PLAIN_WORDS: Readonly<Record<string, ImportStatus>> = {
  subscribed: 'subscribed',
  unsubscribed: 'unsubscribed',
  unconfirmed: 'unconfirmed',
  pending: 'unconfirmed',
  bounced: 'bounced',
  complained: 'complained',
  blocked: 'blocked',
};

/**
 * Parses the values of `--status`: pairs `value=status`, separated by commas, or one status for all rows.
 * @param name of the option or field, for errors
 * @throws Error that names the pair and what it should be
 */
export function parseStatusRules(texts: readonly string[], name = 'the status'): StatusRules {
  const words: Record<string, ImportStatus> = Object.create(null);
  let all: ImportStatus | null = null;
  for (const pair of texts.flatMap((text) => text.split(','))) {
    const at = pair.lastIndexOf('=');
    const status = pair
      .slice(at + 1)
      .trim()
      .toLowerCase();
    if (!isImportStatus(status)) {
      throw new Error(
        `${name} "${pair.trim()}": it must be value=status, such as active=subscribed, or a status for all rows; ` +
          `a status is one of ${IMPORT_STATUSES.join(', ')}`,
      );
    }
    if (at < 0) all = status;
    else words[wordOf(pair.slice(0, at))] = status;
  }
  return { words, all };
}

/** The words of columns that the operator mapped: the usual ones, and those of the operator. */
export function mappedWords(rules: StatusRules | undefined): Readonly<Record<string, ImportStatus>> {
  return { ...PLAIN_WORDS, ...rules?.words };
}

/** A value as it is compared with words. */
export function wordOf(value: string): string {
  return value.trim().toLowerCase();
}
