/** The status of a row: what its columns say in a format's words and in the operator's. */
import type { MappedColumns, MappedStatusColumn } from './columns.ts';
import { type ImportStatus, isWeaker } from './import-status.ts';
import { PLAIN_WORDS, type StatusRules, wordOf } from './status-rules.ts';

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
 * left or never confirmed, by whatever name.
 * @throws Error
 */
export function checkStatusRules({ statusColumns }: MappedColumns, rules: StatusRules): void {
  const known = [PLAIN_WORDS, ...statusColumns.map(({ meaning }) => ('values' in meaning ? meaning.values : {}))];
  for (const [word, status] of Object.entries(rules.words)) {
    // The words of mapped columns contain the operator's own.
    const meant = known.map((words) => find(words, word)).find((one) => one !== undefined && one !== status);
    if (meant === undefined || meant === 'inactive' || !isWeaker(status, meant)) continue;
    throw new Error(`the status "${word}" means ${meant}: an import cannot make it ${status}`);
  }
}

function find(words: Readonly<Record<string, ImportStatus>>, word: string): ImportStatus | undefined {
  return Object.hasOwn(words, word) ? words[word] : undefined;
}
