/**
 * Long lists come in pages: `?page=2`, bounded, so that no address makes the database skip without end.
 */

/** The page that a query names, from 1; null where it names none within bounds, and there is no such page. */
export function parsePageNumber(text: string | undefined, last: number): number | null {
  if (text === undefined) return 1;
  if (!/^[1-9]\d{0,4}$/.test(text)) return null;
  const number = Number(text);
  return number <= last ? number : null;
}

/** The address of a page of a list: the first has none of its own. */
function pagePath(path: string, number: number): string {
  return number === 1 ? path : `${path}?page=${number}`;
}

export interface ListPage<T> {
  entries: T[];
  number: number;
  path: string;
  /** Paths of the newer and the older neighbour, or null. */
  previous: string | null;
  next: string | null;
}

/**
 * One page of a list.
 * @param found the page's entries, and one more where there is a further page
 */
export function listPage<T>(path: string, number: number, last: number, size: number, found: T[]): ListPage<T> {
  return {
    entries: found.slice(0, size),
    number,
    path: pagePath(path, number),
    previous: number > 1 ? pagePath(path, number - 1) : null,
    next: found.length > size && number < last ? pagePath(path, number + 1) : null,
  };
}
