/** The names that people and site generators give to the keys of an article. Pure. */
import { ARTICLE_KEYS } from '../../../core/config/article-keys.ts';
import { cleanLine } from '../../../lib/text/clean-text.ts';
import { shorten } from '../../../lib/text/shorten.ts';

/** `draft` becomes `state`, `imageAlt` and `imageCredit` parts of `image`, `audio` and `duration` of `enclosures`. */
export type KeyTarget = (typeof ARTICLE_KEYS)[number] | (typeof OTHER_TARGETS)[number] | 'outletUrl';
const OTHER_TARGETS = ['draft', 'imageAlt', 'imageCredit', 'audio', 'duration'] as const;

/** Longer keys have no meaning. */
const MAX_LENGTH = 100;

/** By target, the preferred name first. The name of the target itself precedes them. */
const OTHER_NAMES: Partial<Record<KeyTarget, readonly string[]>> = {
  headline: ['title'],
  shortHeadline: ['shortTitle', 'linkTitle'],
  dek: ['description', 'summary', 'excerpt', 'subtitle', 'subheadline', 'deck', 'standfirst'],
  published: ['publishDate', 'publishedAt', 'publishedDate', 'datePublished', 'pubDate', 'date', 'publish'],
  updated: [
    'lastmod',
    'modified',
    'lastModifiedAt',
    'lastModified',
    'updatedAt',
    'updatedDate',
    'dateModified',
    'dateUpdated',
  ],
  section: ['category', 'categories'],
  tags: ['tag', 'keywords'],
  bylines: ['byline', 'author', 'authors', 'by', 'writer'],
  image: [
    ...['featuredImage', 'featureImage', 'cover', 'coverImage', 'hero', 'heroImage', 'banner', 'images', 'photo'],
    'thumbnail',
  ],
  imageAlt: ['alt', 'altText', 'featuredImageAlt', 'featureImageAlt', 'coverAlt', 'coverImageAlt', 'heroImageAlt'],
  imageCredit: ['photoCredit', 'coverCredit', 'featuredImageCredit'],
  audio: ['audioFile', 'audioUrl', 'podcastFile', 'podcastUrl', 'enclosure', 'podcast', 'mp3'],
  duration: ['audioDuration', 'podcastDuration'],
  outlet: ['source'],
  outletUrl: ['sourceUrl', 'sourceLink'],
  language: ['lang', 'locale'],
  url: ['canonical', 'canonicalUrl', 'originalUrl', 'permalink'],
  state: ['status'],
  draft: ['private', 'unpublished'],
};

/** Keys of site generators about their own pages. They mean nothing here. */
const IGNORED = new Set(
  [
    ...['layout', 'weight', 'type', 'comments', 'toc', 'tocDepth', 'showToc', 'tocOpen', 'aliases', 'menu', 'menus'],
    ...['math', 'katex', 'mermaid', 'cssClass', 'classes', 'sidebar', 'navOrder', 'parent', 'collection', 'pagination'],
    ...[
      'eleventyNavigation',
      'eleventyExcludeFromCollections',
      'eleventyComputed',
      'isCJKLanguage',
      'markup',
      'outputs',
    ],
    ...['sitemap', 'robots', 'noindex', 'cascade', 'resources', 'build', 'headless', 'params', 'extra'],
    ...['hideMeta', 'disableShare', 'hideSummary', 'searchHidden', 'showReadingTime', 'showBreadCrumbs', 'editPost'],
    ...['showPostNavLinks', 'showWordCount', 'useHugoToc', 'disableHLJS', 'excerptSeparator', 'cssClasses'],
    ...['template', 'theme', 'share', 'relatedPosts', 'search', 'readingTime', 'wordCount'],
    ...['path', 'redirectFrom', 'redirects', 'eleventyImport', 'translationKey', 'guid', 'postId', 'views'],
  ].map(simplifyKey),
);

/** A key without regard to case, hyphens, underscores and spaces. */
export function simplifyKey(key: string): string {
  return key.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** Where a key belongs, and how well its name fits: 0 for the name that daywire itself uses. */
export interface NamedKey {
  target: KeyTarget | 'ignored';
  rank: number;
}

const NAMES = new Map<string, NamedKey>([
  ...[...IGNORED].map((name) => [name, { target: 'ignored', rank: 0 }] as const),
  ...Object.entries(OTHER_NAMES).flatMap(([target, names]) =>
    names.map((name, index) => [simplifyKey(name), { target: target as KeyTarget, rank: index + 2 }] as const),
  ),
  ...[...ARTICLE_KEYS, ...OTHER_TARGETS].map(
    (key) => [simplifyKey(key), { target: key as KeyTarget, rank: 0 }] as const,
  ),
]);

/** The configuration's `import.keys`, with simplified names. */
export type ExtraKeys = ReadonlyMap<string, KeyTarget | 'ignored'>;

export function simplifiedKeys(keys: Readonly<Record<string, KeyTarget | 'ignored' | 'ignore'>>): ExtraKeys {
  return new Map(
    Object.entries(keys).map(([name, target]) => [simplifyKey(name), target === 'ignore' ? 'ignored' : target]),
  );
}

/** @returns null for an unknown key */
export function findKey(written: string, extra: ExtraKeys): NamedKey | null {
  if (written.length > MAX_LENGTH) return null;
  const name = simplifyKey(written);
  const mapped = extra.get(name);
  return mapped === undefined ? (NAMES.get(name) ?? null) : { target: mapped, rank: 1 };
}

/** The names to suggest for an unknown key. */
export const SUGGESTED_KEYS: readonly string[] = [
  ...ARTICLE_KEYS,
  ...['title', 'date', 'author', 'category', 'description', 'summary', 'draft', 'source', 'body'],
];

/** Characters of a name in a notice. */
export const MAX_NAME = 60;

/** `bylines.phone`: without the places in lists, so that it is the same for all articles. */
export function shortName(path: PropertyKey[]): string {
  return path
    .filter((part) => typeof part === 'string')
    .map((part) => shorten(cleanLine(part), MAX_NAME))
    .join('.');
}
