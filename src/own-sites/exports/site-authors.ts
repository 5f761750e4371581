/** Names of a site's authors by their login, from the data that its theme reads. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { isMap } from '../../articles/import/front-matter/values.ts';
import { parseMarkdown } from '../../articles/import/parse.ts';
import type { LeftOut } from './export-entry.ts';
import { readSiteData, textAt } from './site-config.ts';

/** Files without their extension, or folders with a file for each author. */
const PLACES = [
  ...['_data/authors', 'src/_data/authors', 'data/authors', '_authors', '_staff_members', 'authors'],
  ...['content/authors', 'src/content/authors'],
];
const LOGINS = ['login', 'username', 'id', 'slug', 'short_name'];
const NAMES = ['display_name', 'displayName', 'name', 'full_name', 'title'];

export async function readSiteAuthors(site: string, leftOut: LeftOut): Promise<Record<string, string>> {
  const names = new Map<string, string>();
  const add = (login: string | null, author: unknown): void => {
    const name = typeof author === 'string' ? author : firstText(author, NAMES);
    for (const one of [login, firstText(author, LOGINS)]) if (one !== null && name !== null) names.set(one, name);
  };
  for (const place of PLACES.map((path) => join(site, path))) {
    const data = await readSiteData(place, leftOut);
    if (Array.isArray(data)) for (const author of data) add(null, author);
    else if (isMap(data)) for (const [login, author] of Object.entries(data)) add(login, author);
    for (const entry of await readdir(place, { withFileTypes: true }).catch(() => [])) {
      const login = basename(entry.name, extname(entry.name));
      if (login === '_index') continue;
      const path = join(place, entry.isDirectory() ? join(login, '_index') : login);
      const text = await readFile(`${path}.md`, 'utf8').catch(() => null);
      const page = text === null ? null : parseMarkdown(text.replace(/\r\n?/g, '\n'));
      add(login, page?.kind === 'parsed' ? page.fields : await readSiteData(path, leftOut));
    }
  }
  return Object.fromEntries(names);
}

function firstText(author: unknown, keys: readonly string[]): string | null {
  return keys.map((key) => textAt(author, key)).find((text) => text !== null) ?? null;
}
