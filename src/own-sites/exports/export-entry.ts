/** Posts of an export, one at a time, and a count of what is left out. */
import { cleanLine } from '../../lib/text/clean-text.ts';
import type { SourceItem } from '../../sources/source-item.ts';

export type ExportEntry =
  | { kind: 'item'; item: SourceItem }
  /** A post that cannot become an article, with the reason. */
  | { kind: 'unreadable'; key: string; rule: string; raw: string };

/** The file is not such an export, or ends too early. The message is for an operator. */
export class ExportError extends Error {
  override name = 'ExportError';
}

/** @throws ExportError in place of an error of the file system */
export function throwFileError(file: string, error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  throw new ExportError(`${file}: ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}`);
}

/** A key that can be a part of an article's id. */
export const ITEM_KEY = /^[A-Za-z0-9._~-]{1,60}$/;

/** Distinct keys: a plugin that makes one for each post does not fill the memory. */
const MAX_KEYS = 500;
const MAX_LENGTH = 100;

/** Counts what an import of an export leaves out, so that each reason is reported once. */
export class LeftOut {
  readonly #skipped = new Map<string, number>();
  readonly #dropped = new Map<string, number>();

  /** Entries that are not imported, in the plural: `pages`, `posts with the status draft`. */
  skip(entries: string): void {
    count(this.#skipped, entries);
  }

  /** Something of the text of an entry that has no place in an article: `shortcode [poll]`. */
  drop(key: string): void {
    count(this.#dropped, key);
  }

  /** What was left out, the most frequent first. */
  lines(): string[] {
    const skipped = sorted(this.#skipped).map(([entries, times]) => `${entries}: ${times} not imported`);
    const dropped = sorted(this.#dropped).map(([key, times]) => `${key}: not imported (${times} times)`);
    return [...skipped, ...dropped];
  }
}

function count(counts: Map<string, number>, name: string): void {
  const line = cleanLine(name.slice(0, MAX_LENGTH));
  const key = counts.has(line) || counts.size < MAX_KEYS ? line : 'other keys';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sorted(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([a, first], [b, second]) => second - first || (a < b ? -1 : 1));
}
