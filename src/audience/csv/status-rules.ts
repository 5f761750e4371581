/** The operator's own words for statuses: `--status "active=subscribed,gone=unsubscribed"`. */
import { IMPORT_STATUSES, type ImportStatus, isImportStatus } from './import-status.ts';

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
 * @throws Error that names the pair and what it should be
 */
export function parseStatusRules(texts: readonly string[]): StatusRules {
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
        `the status "${pair.trim()}": it must be value=status, such as active=subscribed, or a status for all rows; ` +
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
