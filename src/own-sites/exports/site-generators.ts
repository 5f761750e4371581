/** Where site generators keep their posts, and at which addresses they publish them by default. */
export type SiteGenerator = 'hugo' | 'jekyll' | 'astro' | 'eleventy';

export interface GeneratorRules {
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
export const OTHER_FOLDERS = new Set([
  ...['node_modules', 'vendor', 'public', 'dist', 'build', '_site', '_includes', '_layouts', '_data', 'layouts'],
  ...['themes', 'archetypes', 'resources', 'static', 'assets', 'i18n'],
]);
/** Files about the project itself. */
export const PROJECT_FILE = /^(?:readme|license|licence|changelog|contributing|code_of_conduct|security)\.\w+$/i;
