/** What the configuration of a site generator says of the addresses and languages of its posts. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { jekyllPattern, type PathForm, toPattern } from '../../articles/import/files/defaults.ts';
import { isMap } from '../../articles/import/front-matter/values.ts';
import { cleanLine, cleanUrl } from '../../lib/text/clean-text.ts';
import type { LeftOut } from './export-entry.ts';

export interface SitePost {
  folders: readonly string[];
  /** By which its address begins, unless it is that of the site. */
  language: string | null;
}

export interface SiteConfig {
  url: string | null;
  /** Pattern of the path of a post; null for one with places that are unknown here. */
  patternOf(post: SitePost): string | null;
  form: PathForm;
  /** Whether a date at the beginning of a name is no part of the address. */
  hasDatedNames: boolean;
  /** Folders of content by the name of their language, below the site; null for the usual one. */
  languages: ReadonlyMap<string, string | null>;
  /** Language of the posts whose place names no other. */
  language: string | null;
}

/** Characters. */
const MAX_DATA = 1024 * 1024;

/** Reads settings or data in YAML, TOML or JSON. @param path without the extension. @returns null if there are none */
export async function readSiteData(path: string, leftOut: LeftOut): Promise<unknown> {
  for (const file of ['.yml', '.yaml', '.toml', '.json'].map((type) => path + type)) {
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text === null) continue;
    try {
      if (text.length > MAX_DATA) throw new Error('is too large');
      return extname(file) === '.toml' ? parseToml(text) : parseYaml(text, { uniqueKeys: false, logLevel: 'silent' });
    } catch (error) {
      leftOut.drop(`${basename(file)}, which cannot be read (${cleanLine((error as Error).message).slice(0, 60)})`);
    }
  }
  return null;
}

export async function readJekyllConfig(site: string, leftOut: LeftOut): Promise<SiteConfig> {
  const settings = await readSiteData(join(site, '_config'), leftOut);
  const special = listAt(settings, 'defaults')
    .map((one) => ({
      path: textAt(one, 'scope', 'path') ?? '',
      type: textAt(one, 'scope', 'type'),
      permalink: textAt(one, 'values', 'permalink'),
    }))
    .filter(({ permalink }) => permalink !== null)
    .sort((a, b) => a.path.length - b.path.length);
  return {
    url: cleanUrl((textAt(settings, 'url') ?? '') + (textAt(settings, 'baseurl') ?? '')),
    patternOf: ({ folders }) => {
      const path = `${folders.join('/')}/`;
      const label = folders.findLast((name) => name.startsWith('_'))?.slice(1) ?? 'posts';
      const type = label === 'drafts' ? 'posts' : label;
      const found = special.findLast((one) => path.startsWith(one.path) && (one.type ?? type) === type)?.permalink;
      const ofType = found ?? textAt(settings, 'collections', type, 'permalink');
      const usual = type === 'posts' ? (textAt(settings, 'permalink') ?? 'date') : '/:collection/:path.html';
      return jekyllPattern((ofType ?? usual).replace(/:collection\b/g, type).replace(/:path\b/g, ':path/:name'));
    },
    form: 'jekyll',
    hasDatedNames: true,
    languages: new Map(listAt(settings, 'languages').map((name) => [String(name), null])),
    language: textAt(settings, 'lang') ?? textAt(settings, 'default_lang'),
  };
}

export async function readHugoConfig(site: string, leftOut: LeftOut): Promise<SiteConfig> {
  const settings: Record<string, unknown> = {};
  const folder = 'config/_default';
  for (const path of ['config', 'hugo', `${folder}/config`, `${folder}/hugo`]) {
    Object.assign(settings, await readSiteData(join(site, path), leftOut));
  }
  // Such as `permalinks.toml` and `languages.cs.toml`: a file has the value of its key.
  for (const file of (await readdir(join(site, folder)).catch(() => [])).sort()) {
    const [, part = '', language] = /^(permalinks|languages|frontmatter)(?:\.([\w-]+))?\.\w+$/.exec(file) ?? [];
    if (part === '') continue;
    const value = await readSiteData(join(site, folder, basename(file, extname(file))), leftOut);
    settings[part] = Object.assign(settings[part] ?? {}, language === undefined ? value : { [language]: value });
  }
  const byName = Object.entries(valueAt(settings, 'languages') ?? {});
  const languages = new Map(byName.map(([name, one]) => [name.toLowerCase(), textAt(one, 'contentDir')]));
  const language = (textAt(settings, 'defaultContentLanguage') ?? 'en').toLowerCase();
  const isPrefixed = valueAt(settings, 'defaultContentLanguageInSubdir') === true;
  return {
    url: cleanUrl(textAt(settings, 'baseURL') ?? ''),
    patternOf: (post) => {
      // A list has rules for paths of pages.
      if (Array.isArray(settings.permalinks)) return null;
      const [section = ''] = post.folders;
      const written = textAt(settings, 'permalinks', 'page', section) ?? textAt(settings, 'permalinks', section);
      const path = written === null ? '/:path/:slug/' : hugoPattern(written, post);
      const isUgly = valueAt(settings, 'uglyURLs', section) ?? valueAt(settings, 'uglyURLs');
      const isOther = post.language !== null && (post.language !== language || isPrefixed);
      return path && (isOther ? `/${post.language}` : '') + path.replace(/\/?$/, isUgly === true ? '.html' : '/');
    },
    form: valueAt(settings, 'disablePathToLower') === true ? 'hugoCased' : 'hugo',
    hasDatedNames: listAt(settings, 'frontmatter', 'date').includes(':filename'),
    languages,
    language: languages.size === 0 ? null : language,
  };
}

function hugoPattern(written: string, { folders }: SitePost): string | null {
  const path = written
    .replace(/:(?:filename|contentbasename)\b/g, ':name')
    .replace(/:slug\b/g, ':slugortitle')
    .replace(/:slugor(?:filename|contentbasename)\b/g, ':slug')
    .replace(/:sections\b(?!\[)/g, ':path')
    .replace(/:section\b/g, encodeURIComponent(folders[0] ?? ''));
  return toPattern(path);
}

/** A value by its path. Keys are read without regard to case, as in Hugo. */
function valueAt(value: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>((inner, key) => {
    const isKey = ([name]: [string, unknown]): boolean => name.toLowerCase() === key.toLowerCase();
    return isMap(inner) ? Object.entries(inner).find(isKey)?.[1] : undefined;
  }, value);
}

export function textAt(settings: unknown, ...keys: string[]): string | null {
  const value = valueAt(settings, ...keys);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

function listAt(settings: unknown, ...keys: string[]): unknown[] {
  const value = valueAt(settings, ...keys);
  return Array.isArray(value) ? value : [];
}
