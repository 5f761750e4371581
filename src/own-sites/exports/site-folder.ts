/** The posts in the folder of a site generator, as files of an import: with languages, authors and addresses. */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import { jekyllPattern, toPattern } from '../../articles/import/files/defaults.ts';
import { filePlaceOf } from '../../articles/import/files/file-place.ts';
import { type ImportFile, isDocument, openFile } from '../../articles/import/files/import-files.ts';
import { parseLanguageTag } from '../../lib/names/language-tag.ts';
import { ExportError, type LeftOut } from './export-entry.ts';
import { readSiteAuthors } from './site-authors.ts';
import { readHugoConfig, readJekyllConfig, type SiteConfig, type SitePost } from './site-config.ts';

export type SiteGenerator = 'hugo' | 'jekyll' | 'astro' | 'eleventy';

interface GeneratorRules {
  /** Folders of posts, the first that exists; the folder itself if none does. */
  roots: readonly string[];
  /** Names of folders that are the only ones with posts, anywhere below the root; null for all folders. */
  folders: readonly string[] | null;
  /** Ends of file names. */
  extensions: readonly string[];
  /** Whether a folder with these files is that of a site. Default: only the one that is given. */
  isSite?(names: readonly string[]): boolean;
  readConfig(site: string, leftOut: LeftOut): SiteConfig | Promise<SiteConfig>;
}

const MARKDOWN = ['.md', '.markdown'];
const MARKDOWN_MDX = [...MARKDOWN, '.mdx'];
/** Settings for generators whose configuration is a program. */
const NO_CONFIG: SiteConfig = {
  ...{ url: null, form: 'plain', hasDatedNames: true, languages: new Map(), language: null },
  patternOf: () => '/:path/:slug/',
};
const readAstroConfig = (): SiteConfig => ({ ...NO_CONFIG, form: 'astro', hasDatedNames: false });

export const GENERATORS: Readonly<Record<SiteGenerator, GeneratorRules>> = {
  hugo: {
    ...{ roots: ['content'], folders: null, extensions: MARKDOWN, readConfig: readHugoConfig },
    isSite: (names) => names.includes('content') && names.some((name) => /^(?:hugo\.|config\b)/.test(name)),
  },
  jekyll: {
    ...{ roots: [], folders: ['_posts', '_drafts'], extensions: MARKDOWN, readConfig: readJekyllConfig },
    isSite: (names) => names.some((name) => name.startsWith('_config.')),
  },
  astro: { roots: ['src/content'], folders: null, extensions: MARKDOWN_MDX, readConfig: readAstroConfig },
  eleventy: { roots: ['content', 'src'], folders: null, extensions: MARKDOWN_MDX, readConfig: () => NO_CONFIG },
};

/** Folders without posts: what generators and package managers write, and templates. */
const OTHER_FOLDERS = new Set([
  ...['node_modules', 'vendor', 'public', 'dist', 'build', '_site', '_includes', '_layouts', '_data', 'layouts'],
  ...['themes', 'archetypes', 'resources', 'static', 'assets', 'i18n'],
]);

/** The date that begins the names of posts in Jekyll and Eleventy. */
const DATE_IN_NAME = /^\d{4}-\d{1,2}-\d{1,2}-(?=.)/;

export interface SiteFolderOptions {
  /** Address of the site, which may end in a pattern such as `/:year/:slug/`; null leaves addresses out. */
  url: string | null;
  /** Language of the publication. */
  language: string;
  leftOut: LeftOut;
}

interface Root {
  folder: string;
  /** Null for the usual one. */
  language: string | null;
}

interface FoundSite extends SiteFolderOptions {
  config: SiteConfig;
  authors: Readonly<Record<string, string>>;
  /** Paths of the folders that are languages, below their root. */
  languageFolders: ReadonlySet<string>;
}

/**
 * Finds the posts of a site.
 * @returns with them, the address of the site by its own configuration, or null
 * @throws ExportError if there are none
 */
export async function findSitePosts(
  folder: string,
  generator: SiteGenerator,
  options: SiteFolderOptions,
): Promise<{ files: ImportFile[]; siteUrl: string | null }> {
  const { leftOut } = options;
  const rules = GENERATORS[generator];
  if (!(await isFolder(folder))) throw new ExportError(`${folder}: is not a folder`);
  const home = await siteOf(folder, rules);
  const config = await rules.readConfig(home, leftOut);
  const found = new Map<string, { root: Root; below: string[] }>();
  const onOther = (path: string): void => {
    const [, collection] = /^(?!\.\.)(?:.*\/)?(_\w[^/]*)\//.exec(relative(folder, path)) ?? [];
    if (collection === undefined) return;
    leftOut.skip(`dated files of the collection ${collection}, which is imported by its folder`);
  };
  for (const root of await rootsOf(home, rules, config)) {
    for (const path of await listFiles(root.folder, folder, rules, onOther)) {
      // The usual folder of content may hold those of languages.
      if (!found.has(path)) found.set(path, { root, below: relative(root.folder, path).split(sep) });
    }
  }
  const paths = [...found.values()].map(({ below }) => below);
  const languageFolders = findLanguageFolders(paths, config.languages);
  const site: FoundSite = { ...options, config, languageFolders, authors: await readSiteAuthors(home, leftOut) };
  const files: ImportFile[] = [];
  for (const [path, { root, below }] of found) {
    // Files outside of the given folder only say which languages there are.
    if (relative(folder, path).startsWith('..')) continue;
    const isContent = rules.folders === null && root.folder !== home;
    if (isContent && below.length === 1) leftOut.skip('pages at the top of the site');
    else if (isContent && below[0] === 'authors') leftOut.skip('files about authors');
    else {
      const file = await openFile(path, 'markdown', resolve(home));
      if (file !== null) files.push(asPost(file, root, site));
    }
  }
  if (files.length > 0) return { files, siteUrl: config.url };
  const where = rules.folders && ` (looked for ${rules.folders.join(' and ')}; a collection is imported by its folder)`;
  throw new ExportError(`${folder}${where ?? ''}: has no posts in ${rules.extensions.join(', ')}`);
}

/** The folder of the site that a folder of posts belongs to. */
async function siteOf(folder: string, { isSite }: GeneratorRules): Promise<string> {
  for (const path of [0, 1, 2, 3, 4].map((levels) => join(folder, '../'.repeat(levels)))) {
    if (isSite?.(await readdir(path).catch(() => []))) return path;
  }
  return folder;
}

/** Folders of content: those of languages, the usual one for the other languages, or the folder itself. */
async function rootsOf(folder: string, { roots }: GeneratorRules, { languages }: SiteConfig): Promise<Root[]> {
  const found: Root[] = [];
  for (const [language, name] of languages) {
    for (const path of name === null ? [`content/${language}`, `content.${language}`] : [name]) {
      if (await isFolder(join(folder, path))) found.push({ folder: join(folder, path), language });
    }
  }
  for (const name of found.length < Math.max(languages.size, 1) ? roots : []) {
    const root = { folder: join(folder, name), language: null };
    if (found.at(-1)?.language !== null && (await isFolder(root.folder))) found.push(root);
  }
  return found.length > 0 ? found : [{ folder, language: null }];
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/**
 * Paths of posts, by name within folders.
 * @param given the folder that is imported: it may be that of a collection, or below one of posts
 * @param onOther is called with files that have a date in their name, and are in no folder of posts
 */
async function listFiles(
  root: string,
  given: string,
  { folders, extensions }: GeneratorRules,
  onOther: (path: string) => void,
): Promise<string[]> {
  const found: string[] = [];
  const isPostFolder = (name: string): boolean => {
    return folders === null || folders.includes(name) || (name.startsWith('_') && name === basename(given));
  };
  await walk(root, resolve(root).split(sep).some(isPostFolder));
  return found;

  async function walk(at: string, isPosts: boolean): Promise<void> {
    const entries = await readdir(at, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      throw new ExportError(`${at}: cannot be read (${error.code})`);
    });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const { name } = entry;
      const path = join(at, name);
      if (name.startsWith('.')) continue;
      if (entry.isDirectory()) {
        if (!OTHER_FOLDERS.has(name)) await walk(path, isPosts || isPostFolder(name));
      } else if (!entry.isFile() || !(extensions.includes(extname(name).toLowerCase()) || isDocument(name))) continue;
      else if (isPosts) found.push(path);
      else if (DATE_IN_NAME.test(name)) onOther(path);
    }
  }
}

function asPost(file: ImportFile, root: Root, { config, authors, languageFolders, ...options }: FoundSite): ImportFile {
  const { url, leftOut } = options;
  const { path, suffix } = withoutLanguage(file.path, config);
  const { folders, name } = filePlaceOf(path, resolve(root.folder));
  const isLanguage = (_: string, at: number): boolean => languageFolders.has(folders.slice(0, at + 1).join('/'));
  // A folder below the root is a part of the address in any case.
  const ofAddress = suffix ?? root.language ?? config.language;
  const language = suffix ?? folders.find(isLanguage) ?? ofAddress;
  const isUsual = language === null || isWithin(config.language ?? options.language, language);
  const place = {
    folders: folders.filter((part, at) => !isLanguage(part, at)),
    ...{ name, language: isUsual ? undefined : language },
  };
  const fields: Record<string, string> = {};
  const tag = language === null ? null : parseLanguageTag(language.replaceAll('_', '-'));
  if (tag !== null && !isWithin(options.language, tag)) fields.language = tag;
  if (path.split(sep).includes('_drafts')) fields.state = 'draft';
  const post = { folders, language: ofAddress, name: config.hasDatedNames ? name.replace(DATE_IN_NAME, '') : name };
  const address = url === null ? null : addressOf(url, post, config);
  if (address?.pattern === null) leftOut.drop('address, which the configuration makes of parts that are unknown here');
  const defaults = { fields, address, hasWordLists: config.form === 'jekyll', authors };
  return { ...file, place, defaults };
}

/** Hugo's `roof.de.md` is `roof.md` in another language. */
function withoutLanguage(path: string, { languages }: SiteConfig): { path: string; suffix: string | null } {
  const [, before = '', suffix = '', extension = ''] = /^(.+)\.([\w-]{2,20})(\.\w+)$/.exec(path) ?? [];
  return languages.has(suffix) ? { path: before + extension, suffix } : { path, suffix: null };
}

function isWithin(language: string, tag: string): boolean {
  return language === tag || language.startsWith(`${tag}-`);
}

function addressOf(url: string, post: SitePost & { name: string }, { patternOf, form }: SiteConfig) {
  const { origin, pathname } = new URL(url);
  const isPattern = pathname.includes('/:');
  const siteUrl = isPattern ? origin : url.replace(/\/+$/, '');
  const read = form === 'jekyll' ? jekyllPattern : toPattern;
  const below = isPattern ? read(pathname) : patternOf(post);
  // In Jekyll, the folders below `_posts`.
  const folders = post.folders.slice(post.folders.findLastIndex((part) => part.startsWith('_')) + 1);
  // In Jekyll, the folders around those of posts are categories.
  const categories = post.folders.slice(0, Math.max(0, post.folders.indexOf('_posts')));
  return { pattern: below && siteUrl + below, siteUrl, name: post.name, folders, categories, form };
}

/** Languages whose tags are nothing else in the name of a folder. */
const CLEAR_TAG = /^(?:en|de|fr|es|pt|ru|ja|zh|ko|pl|cs|sv|nl|fi|tr|..[-_].+)$/;
const TAG = /^[a-z]{2}(?:[-_](?:hans|hant|latn|cyrl))?(?:[-_](?:[a-z]{2}|\d{3}))?$/i;
const LANGUAGE_NAMES = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });

/**
 * Finds folders that the site calls languages, and two or more beside each other that are tags of languages, unless all
 * may be other words, such as `it`, `no` and `ml`.
 * @param files their paths in parts
 * @param known names of the site's languages
 * @returns paths of folders, such as `content/cs`
 */
export function findLanguageFolders(files: readonly string[][], known: { has(name: string): boolean }): Set<string> {
  const siblings = new Map<string, Set<string>>();
  for (const parts of files) {
    for (const [at, name] of parts.slice(0, -1).entries()) {
      const isTag = TAG.test(name) && LANGUAGE_NAMES.of(name.replaceAll('_', '-')) !== undefined;
      const parent = parts
        .slice(0, at)
        .map((part) => `${part}/`)
        .join('');
      if (isTag || known.has(name)) siblings.set(parent, (siblings.get(parent) ?? new Set()).add(name));
    }
  }
  const found = [...siblings].filter(([, names]) =>
    [...names].some((name) => known.has(name) || (names.size > 1 && CLEAR_TAG.test(name))),
  );
  return new Set(found.flatMap(([parent, names]) => [...names].map((name) => parent + name)));
}
