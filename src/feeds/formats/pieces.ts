/**
 * A feed in pieces: what stands before its items, each item, and what stands behind them. Joined they are the document; with fewer
 * items they are one of the same kind.
 */
import { createHash } from 'node:crypto';

export interface Pieces {
  head: string;
  items: string[];
  /** Between two items. */
  separator: string;
  tail: string;
}

/** Where the items of a published document stand, so that some of them can be cut out. Bytes. */
export interface ItemSpans {
  head: number;
  separator: number;
  /** In the order of the document: a key that changes with the item's bytes, and their number. */
  items: [key: string, bytes: number][];
}

/** The whole document. */
export function joinPieces({ head, items, separator, tail }: Pieces): string {
  return head + items.join(separator) + tail;
}

/** Where the items stand in what `joinPieces` gives. */
export function spansOf({ head, items, separator }: Pieces): ItemSpans {
  return {
    head: Buffer.byteLength(head),
    separator: Buffer.byteLength(separator),
    items: items.map((item) => [keyOf(item), Buffer.byteLength(item)]),
  };
}

/**
 * The document with those items alone whose keys are not among `known`.
 * @returns null where that would be all of them
 */
export function withoutItems(document: Buffer, spans: ItemSpans, known: ReadonlySet<string>): Buffer | null {
  const parts: Buffer[] = [document.subarray(0, spans.head)];
  let at = spans.head;
  let kept = 0;
  for (const [index, [key, bytes]] of spans.items.entries()) {
    if (index > 0) at += spans.separator;
    if (!known.has(key)) {
      if (kept > 0) parts.push(document.subarray(at - spans.separator, at));
      parts.push(document.subarray(at, at + bytes));
      kept++;
    }
    at += bytes;
  }
  if (kept === spans.items.length) return null;
  parts.push(document.subarray(at));
  return Buffer.concat(parts);
}

/** 72 bits of SHA-256: two items of one feed that share them do not happen. */
function keyOf(item: string): string {
  return createHash('sha256').update(item).digest().subarray(0, 9).toString('base64url');
}
