/** What the path of a file says of its article: an id, and the day of its publication. Pure. */
import { hash } from 'node:crypto';
import { basename, dirname, relative, sep } from 'node:path';

/** The place of a file below the folder that is imported. */
export interface FilePlace {
  /** From the outside in. */
  folders: readonly string[];
  /** Without the extension; of `roof/index.md`, `roof`. */
  name: string;
  /** Begins the id, for articles in another language than the site's. */
  language?: string | undefined;
}

/** @param root the folder that is imported; both are absolute */
export function filePlaceOf(path: string, root: string): FilePlace {
  // `roof/index.de.md` becomes `roof.de`.
  const file = path.replace(/\.\w+$/, '').replace(/(?<=.)\/index(?=\.[\w-]+$|$)/, '');
  // A file that is imported alone may be `roof/index.md`.
  const folders = relative(root, dirname(file)).split(sep);
  return { folders: folders.filter((part) => part !== '' && part !== '..'), name: basename(file) };
}

/** `2015-03-26-roof`, `2015_03_26`, `20150326 roof`. */
const DATED_NAME = /^(\d{4})(?:([-_])(\d\d?)\2(\d\d?)|(\d\d)(\d\d))(?![A-Za-z0-9])/;
/** `2015/03/26`, `2015-03-26`: parts of a path that are a day, and nothing else. */
const DAY = /(?<=^|\/)(\d{4})(?:([-_/])(\d\d?)\2(\d\d?)|(\d\d)(\d\d))(?=\/|$)/g;

/**
 * The day in the name of a file, else the innermost in those of its folders. A month alone is none.
 * @param now epoch milliseconds: what is later than the next year is another number
 * @returns such as `2015-03-26`, or null
 */
export function dayOfPlace({ folders, name }: FilePlace, now: number): string | null {
  const path = [...folders, name].join('/');
  for (const match of [DATED_NAME.exec(name), ...[...path.matchAll(DAY)].reverse()]) {
    const [year, month, day] = (match ?? [])
      .slice(1)
      .filter((part) => /^\d/.test(part ?? ''))
      .map(Number);
    const date = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day));
    const isReal = date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
    if (isReal && year !== undefined && year >= 1990 && year <= new Date(now).getUTCFullYear() + 1) {
      return date.toISOString().slice(0, 10);
    }
  }
  return null;
}

/**
 * An id of the parts of a path. Other characters than those of an id are percent-encoded, with tildes; of a long path,
 * a hash is the end.
 */
export function idOfPath(parts: readonly string[]): string {
  const path = parts.join('.').toWellFormed();
  const encoded = encodeURIComponent(path).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  const id = encoded.replaceAll('%', '~').replace(/^[^A-Za-z0-9]/, 'x$&');
  return id.length <= 128 ? id : `${id.slice(0, 111)}-${hash('sha256', path).slice(0, 16)}`;
}
