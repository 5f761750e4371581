/** Finds all strings of a view, whatever its blocks contain. */

/** A string of a view, with the keys that lead to it; those of lists are omitted: `related`, `title`. */
export interface ViewString {
  keys: readonly string[];
  value: string;
}

/** Lists the strings inside a value, in order. */
export function stringsIn(value: unknown, keys: readonly string[] = []): ViewString[] {
  if (typeof value === 'string') return [{ keys, value }];
  if (Array.isArray(value)) return value.flatMap((item) => stringsIn(item, keys));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => stringsIn(inner, [...keys, key]));
}

/** Whether strings of that key are addresses: `url`, `headlineUrl`. */
export function isUrlKey(key: string): boolean {
  return /(?:^url|Url)$/.test(key);
}
