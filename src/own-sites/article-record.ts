/**
 * Maps a source item to an article record: the keys of daywire's own front matter, which the import then validates like
 * a file of the newsroom. Pure.
 */
import { beginningOfText } from '../articles/beginning.ts';
import { mediaTypeOf } from '../articles/pictures/media.ts';
import { SLUG } from '../articles/slug.ts';
import type { ArticleSource, Config } from '../core/config/config.ts';
import { boundedLine, cleanLine, cleanUrl, hasVisibleCharacter } from '../lib/text/clean-text.ts';
import { facetSlug } from '../lib/text/facet-slug.ts';
import { escapeHtml } from '../lib/text/html.ts';
import { rfc3339 } from '../lib/time.ts';
import { withoutTracking } from '../sources/canonical-link.ts';
import type { SourceImage, SourceItem } from '../sources/source-item.ts';
import { prepareHtml } from './body-html.ts';

/** How the items of a source become articles. */
export interface RecordRules {
  source: Pick<ArticleSource, 'id' | 'sections' | 'kinds' | 'section' | 'membersOnly'>;
  sections: Config['sections'];
}

/** Keys of front matter, `format: html` and `body`. */
export type ArticleRecord = Record<string, unknown> & { id: string };

/** The limits of the import. A source's longer values are cut or left out, so that they do not cost the article. */
const LIMITS = {
  headline: 500,
  dek: 1_000,
  name: 200,
  bylines: 30,
  tag: 100,
  tags: 50,
  alt: 1_000,
  credit: 300,
  url: 2_048,
  enclosures: 20,
  title: 500,
};
/** Characters of a teaser. */
const TEASER_LENGTH = 400;

/** The id of the article of an item. */
export function articleId(sourceId: string, itemKey: string): string {
  return `${sourceId}.${itemKey}`;
}

/**
 * Makes a record without a time of publication if the source gives none.
 * @returns null for an item that the source's configuration leaves out
 */
export function toArticleRecord(item: SourceItem, rules: RecordRules): ArticleRecord | null {
  const { source } = rules;
  if (item.isForMembers && source.membersOnly === 'skip') return null;
  const url = item.url === null ? null : shortUrl(withoutTracking(item.url));
  const html = prepareHtml(item.html ?? '', item.baseUrl ?? url);
  const dek = item.dek === null ? null : lineOf(item.dek, LIMITS.dek);
  const headline = lineOf(item.headline, LIMITS.headline) || beginning(html, 80) || 'Untitled';
  const { section, kind } = classify(item, rules);
  return {
    id: articleId(source.id, item.key),
    headline,
    slug: slugOf(item.slug),
    url,
    kind,
    section,
    dek: dek === null || repeatsBeginning(dek, html) || item.isForMembers ? null : dek,
    ...(item.isForMembers ? teaser(dek, html, url, headline) : { body: html }),
    format: 'html',
    published: item.publishedAt === null ? null : rfc3339(item.publishedAt),
    updated: item.updatedAt === null ? null : rfc3339(item.updatedAt),
    tags: namesOf([...item.tags, ...categoriesAsTags(item, rules)], LIMITS.tags, LIMITS.tag),
    bylines: namesOf(item.authors, LIMITS.bylines, LIMITS.name).map((name) => ({ name })),
    image: item.image === null ? null : imageRecord(item.image),
    ...enclosureRecords(item),
    language: item.language,
  };
}

/** The beginning, and a link to the whole for members. */
function teaser(dek: string | null, html: string, url: string | null, title: string) {
  const text = dek ?? beginning(html, TEASER_LENGTH);
  return { body: text === '' ? '' : `<p>${escapeHtml(text)}</p>`, fullStory: url === null ? null : { url, title } };
}

/** The section of the first category that has one, and the kind of the first category or tag that has one. */
function classify({ categories, tags }: SourceItem, rules: RecordRules) {
  const { source } = rules;
  return {
    section: sectionOf(categories, rules) ?? source.section ?? null,
    kind: findIn([...namesIn(categories), ...tags], (name) => lookUp(source.kinds, name)) ?? 'brief',
  };
}

/** The categories that no section has, as in Markdown; without WordPress's category of posts that have none. */
function categoriesAsTags({ categories, tags }: SourceItem, rules: RecordRules): string[] {
  const known = new Set(['uncategorized', ...tags.map(foldName)]);
  const others = categories.filter((category) => sectionOf([category], rules) === null);
  return others.flatMap((one) => (namesIn([one]).some((name) => known.has(foldName(name))) ? [] : one.name));
}

/** The section of the first category that has one, or null. */
function sectionOf(categories: SourceItem['categories'], { source, sections }: RecordRules): string | null {
  const find = (name: string): string | undefined =>
    lookUp(source.sections, name) ??
    sections.find(({ id, title }) => [id, title].map(foldName).includes(foldName(name)))?.id;
  return findIn(namesIn(categories), find) ?? null;
}

function namesIn(categories: SourceItem['categories']): string[] {
  return categories.flatMap(({ name, slug }) => (slug === null ? [name] : [name, slug]));
}

function findIn<T>(names: string[], of: (name: string) => T | undefined): T | undefined {
  return names.map(of).find((found) => found !== undefined);
}

function lookUp<T>(map: Record<string, T>, name: string): T | undefined {
  return Object.entries(map).find(([key]) => foldName(key) === foldName(name))?.[1];
}

function foldName(name: string): string {
  return cleanLine(name.normalize('NFKC')).toLowerCase();
}

/**
 * Whether a dek only repeats how the body begins, as an excerpt does that the CMS made by itself. Letters and digits
 * count; an ellipsis or a "read more" at its end does not.
 */
export function repeatsBeginning(dek: string, html: string): boolean {
  const letters = lettersOf(dek.replace(/(?:\[?(?:…|\.\.\.)\]?\s*)?(?:(?:continue reading|read more)\b.*)?$/i, ''));
  // White space and punctuation of the body may take as much again.
  return letters !== '' && lettersOf(beginningOfText(html, dek.length * 2 + 100)).startsWith(letters);
}

function lettersOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** A slug of the source that is one here too, or one made of it. */
function slugOf(slug: string | null): string | null {
  if (slug === null) return null;
  if (SLUG.test(slug) && slug.length <= 160) return slug;
  const made = facetSlug(slug) ?? '';
  return SLUG.test(made) ? made : null;
}

function imageRecord({ url, alt, credit, ...rest }: SourceImage): object | null {
  const address = shortUrl(url);
  if (address === null) return null;
  return {
    ...rest,
    url: address,
    alt: lineOf(alt ?? '', LIMITS.alt),
    credit: credit && lineOf(credit, LIMITS.credit),
  };
}

/** A length of 0 means that the source does not say. */
function enclosureRecords({ enclosures = [], isForMembers }: SourceItem): { enclosures?: object[] } {
  if (isForMembers) return {};
  const records = enclosures.slice(0, LIMITS.enclosures).flatMap(({ url, type, length, title }) => {
    const address = shortUrl(url);
    if (address === null) return [];
    const known = type ?? mediaTypeOf(new URL(address).pathname) ?? 'application/octet-stream';
    return { url: address, type: known, length: length ?? 0, title: lineOf(title ?? '', LIMITS.title) || null };
  });
  return records.length === 0 ? {} : { enclosures: records };
}

function namesOf(names: string[], most: number, length: number): string[] {
  const clean = names
    .map(cleanLine)
    .filter((name) => name !== '' && name.length <= length && hasVisibleCharacter(name));
  return [...new Set(clean)].slice(0, most);
}

/** An address as it is stored, or null. */
export function shortUrl(url: string): string | null {
  const clean = cleanUrl(url);
  return clean === null || clean.length > LIMITS.url ? null : clean;
}

function beginning(html: string, length: number): string {
  return lineOf(beginningOfText(html, length), length);
}

function lineOf(text: string, length: number): string {
  return hasVisibleCharacter(text) ? boundedLine(text, length) : '';
}
