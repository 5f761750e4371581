/** Translates a parsed record: its keys, with the lines that messages name, and the shortcodes of its body. Pure. */
import { removeShortcodes } from '../../body/shortcodes.ts';
import type { ParsedRecord } from '../parse.ts';
import type { RecordMessage } from './mend-yaml.ts';
import { type KeyMessage, type TranslationRules, translateKeys } from './translate.ts';

export type TranslatedRecord =
  | {
      kind: 'parsed';
      /** Keys of daywire, not validated. */
      fields: Record<string, unknown>;
      body: unknown;
      /** The line of a key of `fields`, from 1. */
      lineOf(path: PropertyKey[]): number;
      /** A path in `fields` as it is in the file: `title` for `headline`. */
      writtenPath(path: PropertyKey[]): PropertyKey[];
      /** About this article alone. */
      warnings: RecordMessage[];
      /** True of every article that has the key: an import reports each text once. */
      notices: RecordMessage[];
      /** Keys that mean nothing here. */
      ignored: string[];
    }
  | Extract<ParsedRecord, { kind: 'broken' }>;

export function translateRecord(record: ParsedRecord, rules: TranslationRules): TranslatedRecord {
  if (record.kind === 'broken') return record;
  const { fields, writtenPath, warnings, notices, ignored } = translateKeys(record.fields, rules);
  const placed = ({ path, text }: KeyMessage): RecordMessage => ({ line: record.lineOf(path), text });
  const { body, notes } =
    typeof record.body === 'string' && fields.format !== 'html'
      ? removeShortcodes(record.body)
      : { body: record.body, notes: [] };
  const bodyLine = record.lineOf(['body']);
  return {
    kind: 'parsed',
    fields,
    body,
    lineOf: (path) => record.lineOf(writtenPath(path)),
    writtenPath,
    warnings: [...record.warnings, ...warnings.map(placed)],
    notices: [...notices.map(placed), ...notes.map(({ line, text }) => ({ line: bodyLine + line, text }))],
    ignored,
  };
}
