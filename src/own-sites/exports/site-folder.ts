/** The posts in the folder of a site generator, as files of an import: with ids, dates and addresses of their paths. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import type { ArticleDefaults } from '../../articles/import/defaults.ts';
import { type ImportFile, markdownFile } from '../../articles/import/import-files.ts';
import { ExportError, type LeftOut } from './export-entry.ts';

export type SiteGenerator = 'hugo' | 'jekyll' | 'astro' | 'eleventy';

interface GeneratorRules {
  /** Folders of posts, the first that exists; the folder itself if none does. */
  roots: readonly string[];
  /** Names of folders that are the only ones with posts, anywhere below the root; null for all folders. */
  folders: readonly string[] | null;
  /** Whether files directly in a root are pages of the site, such as "about". */
  hasPagesAtTop: boolean;
  /** Whether a date at the beginning of a name is the post's, and no part of its address. */
  hasDatedNames: boolean;
  /** Ends of file names. */
  extensions: readonly string[];
  /** Path of a post, below the site; `:path` is that of its folder. */
  address: string;
}

export const GENERATORS: Readonly<Record<SiteGenerator, GeneratorRules>> = {
  hugo: {
    roots: ['content'],
    folders: null,
    hasPagesAtTop: true,
    hasDatedNames: false,
    extensions: ['.md', '.markdown'],
    address: '/:path/:slug/',
  },
  jekyll: {
    roots: [],
    folders: ['_posts', '_drafts'],
    hasPagesAtTop: false,
    hasDatedNames: true,
    extensions: ['.md', '.markdown'],
    address: '/:categories/:year/:month/:day/:slug.html',
  },
  astro: {
    roots: ['src/content'],
    folders: null,
    hasPagesAtTop: true,
    hasDatedNames: false,
    extensions: ['.md', '.markdown', '.mdx'],
    address: '/:path/:slug/',
  },
  eleventy: {
    roots: ['content', 'src'],
    folders: null,
    hasPagesAtTop: true,
    hasDatedNames: true,
    extensions: ['.md', '.markdown'],
    address: '/:path/:slug/',
  },
};

/** Folders without posts: what generators and package managers write, and templates. */
const OTHER_FOLDERS = new Set([
  ...['node_modules', 'vendor', 'public', 'dist', 'build', '_site', '_includes', '_layouts', '_data', 'layouts'],
  ...['themes', 'archetypes', 'resources', 'static', 'assets', 'i18n'],
]);
/** Files about the project itself. */
const PROJECT_FILE = /^(?:readme|license|licence|changelog|contributing|code_of_conduct|security)\.\w+$/i;

/** File names of posts of Jekyll and Eleventy. */
const DATED_NAME = /^(\d{4}-\d{1,2}-\d{1,2})-(.+)$/;
/** Levels of folders. */
const MAX_DEPTH = 20;

export interface SiteFolderOptions {
  /** Address of the site, which may end in a pattern such as `/:year/:slug/`; null leaves addresses out. */
  url: string | null;
  leftOut: LeftOut;
}

/**
 * Finds the posts of a site.
 * @throws ExportError if there are none
 */
export async function findSitePosts(
  folder: string,
  generator: SiteGenerator,
  { url, leftOut }: SiteFolderOptions,
): Promise<ImportFile[]> {
  const rules = GENERATORS[generator];
  const root = await rootOf(folder, rules);
  const isDetected = root !== folder;
  const files: ImportFile[] = [];
  for (const path of await listFiles(folder, root, rules)) {
    const below = relative(root, path).split(sep);
    const name = basename(path);
    if (/^_index\./.test(name)) leftOut.skip('lists of a section (_index)');
    else if (PROJECT_FILE.test(name) && below.length === 1) leftOut.skip('files about the project');
    else if (rules.hasPagesAtTop && isDetected && below.length === 1) leftOut.skip('pages at the top of the site');
    else {
      const file = await markdownFile(path, resolve(folder));
      if (file !== null) files.push(asPost(file, below, generator, url));
    }
  }
  if (files.length > 0) return files;
  const where = rules.folders === null ? root : `${folder} (looked for ${rules.folders.join(' and ')})`;
  throw new ExportError(`${where}: has no posts in ${rules.extensions.join(', ')}`);
}

async function rootOf(folder: string, { roots }: GeneratorRules): Promise<string> {
  for (const name of roots) {
    const path = join(folder, name);
    if (await isFolder(path)) return path;
  }
  if (await isFolder(folder)) return folder;
  throw new ExportError(`${folder}: is not a folder`);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/** Paths of posts, by name within folders. */
async function listFiles(folder: string, root: string, rules: GeneratorRules): Promise<string[]> {
  const found: string[] = [];
  // The folder of posts itself may be given.
  const isWithin = rules.folders === null || rules.folders.includes(basename(folder));
  await walk(root, isWithin, 0);
  return found;

  async function walk(at: string, isPosts: boolean, depth: number): Promise<void> {
    const entries = await readdir(at, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      throw new ExportError(`${at}: cannot be read (${error.code})`);
    });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const { name } = entry;
      const path = join(at, name);
      if (name.startsWith('.')) continue;
      if (entry.isDirectory()) {
        if (OTHER_FOLDERS.has(name) || depth >= MAX_DEPTH) continue;
        await walk(path, isPosts || (rules.folders?.includes(name) ?? false), depth + 1);
      } else if (isPosts && entry.isFile() && rules.extensions.includes(extname(name).toLowerCase())) found.push(path);
    }
  }
}

/** @param below the path of the file below the root, in parts */
function asPost(file: ImportFile, below: string[], generator: SiteGenerator, url: string | null): ImportFile {
  const folders = below.slice(0, -1);
  const stem = basename(file.path, extname(file.path));
  // A bundle: the post is the folder, with its pictures beside it.
  const name = stem === 'index' ? (folders.pop() ?? basename(dirname(file.path))) : stem;
  const [, date, slug = name] = (GENERATORS[generator].hasDatedNames ? DATED_NAME.exec(name) : null) ?? [];
  const fields: Record<string, string> = { id: idOf(name) };
  if (date !== undefined) fields.published = dateOf(date);
  if (folders.includes('_drafts') || basename(dirname(file.path)) === '_drafts') fields.state = 'draft';
  const path = folders
    .filter((part) => !part.startsWith('_'))
    .map(encodeURIComponent)
    .join('/');
  const address = url === null ? null : addressOf(url, path, slug, generator);
  const defaults = { fields, address, hasWordLists: generator === 'jekyll' };
  return { ...file, defaults };
}

function addressOf(url: string, path: string, slug: string, generator: SiteGenerator): ArticleDefaults['address'] {
  const { origin, pathname } = new URL(url);
  const isPattern = /:(?:year|month|day|slug|categories|path)\b/.test(pathname);
  const base = isPattern ? origin : url.replace(/\/+$/, '');
  const pattern = (isPattern ? url : base + GENERATORS[generator].address).replace(/:path\b/, path);
  return { pattern, siteUrl: base, slug };
}

/** Other letters than those of an id are percent-encoded, with tildes: two names never make one id. */
function idOf(name: string): string {
  const encoded = encodeURIComponent(name).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return encoded.replaceAll('%', '~').replace(/^[^A-Za-z0-9]/, 'x$&');
}

function dateOf(text: string): string {
  const [year = '', month = '', day = ''] = text.split('-');
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')} 00:00`;
}
