/** What an export holds: posts, one at a time. */
import type { SourceItem } from '../../sources/source-item.ts';

export type ExportEntry =
  | { kind: 'item'; item: SourceItem }
  /** A post that cannot become an article, with the reason. */
  | { kind: 'unreadable'; key: string; rule: string; raw: string };

/** The file is not such an export, or ends too early. The message is for an operator. */
export class ExportError extends Error {
  override name = 'ExportError';
}

/** A key that can be a part of an article's id. */
export const ITEM_KEY = /^[A-Za-z0-9._~-]{1,60}$/;
