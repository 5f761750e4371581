/**
 * What a file says about its article by its name and place, where the article itself does not: an id, a date, the
 * address at which a site generator publishes it. Pure.
 */

import { type AuthorNames, isBlankValue } from './front-matter/values.ts';
import type { ParsedRecord, TranslatedRecord } from './parse.ts';

export interface ArticleDefaults {
  /** Keys of daywire, for an article that lacks them. */
  fields: Readonly<Record<string, string>>;
  /** Where the site publishes the article, or null. */
  address: ArticleAddress | null;
  /** Whether categories and tags in one text are words, as in Jekyll. */
  hasWordLists?: boolean;
  /** Names of authors by their logins, as the site has them in its data. */
  authors?: AuthorNames;
}

interface ArticleAddress {
  /** Absolute, with `:year`, `:month`, `:day`, `:slug` and `:categories` in its path. */
  pattern: string;
  /** Address of the site, without a trailing slash. */
  siteUrl: string;
  /** From the name of the file, for an article without a slug. */
  slug: string;
}

/** Keys in which site generators take the path of a page. */
const PATH_KEYS = ['permalink', 'url'];
/** What Eleventy takes for the times of the file. */
const FILE_TIME = /^\s*(?:git )?(?:created|last modified)\s*$/i;
const DATE = /^\s*(\d{4})-(\d\d?)-(\d\d?)/;

/**
 * Adds defaults to a record.
 * @param parsed the same record, before its keys were translated
 */
export function withDefaults(
  record: TranslatedRecord,
  parsed: ParsedRecord,
  defaults: ArticleDefaults,
): TranslatedRecord {
  if (record.kind === 'broken' || parsed.kind === 'broken') return record;
  const fields = { ...record.fields };
  if (typeof fields.published === 'string' && FILE_TIME.test(fields.published)) fields.published = null;
  for (const [key, value] of Object.entries(defaults.fields)) if (isBlankValue(fields[key])) fields[key] = value;
  const { address } = defaults;
  if (address === null) return { ...record, fields };
  fields.image = withSiteAddress(fields.image, address.siteUrl);
  const path = PATH_KEYS.map((key) => parsed.fields[key]).find((value) => isPath(value));
  if (path !== undefined) {
    const url = new URL(String(path).trim(), `${address.siteUrl}/`).href;
    // The path is no address for the rules of the keys, which say so.
    return { ...record, fields: { ...fields, url }, notices: withoutPathNotices(record.notices) };
  }
  if (!isBlankValue(fields.url)) return { ...record, fields };
  const written = PATH_KEYS.map((key) => parsed.fields[key]).find((value) => !isBlankValue(value));
  const ownPattern = written === undefined ? null : patternOf(written);
  if (ownPattern !== null) {
    const url = addressOf({ ...address, pattern: address.siteUrl + ownPattern }, fields, parsed.fields);
    return {
      ...record,
      fields: url === null ? fields : { ...fields, url },
      notices: withoutPathNotices(record.notices),
    };
  }
  // The site has it at a place that a template makes: the usual one would lead nowhere.
  if (typeof written === 'string' && written.includes('{')) return { ...record, fields };
  const url = addressOf(address, fields, parsed.fields);
  return { ...record, fields: url === null ? fields : { ...fields, url } };
}

/** Splits `categories: world asia` into its words. */
export function withWordLists(parsed: ParsedRecord): ParsedRecord {
  if (parsed.kind === 'broken') return parsed;
  const fields = { ...parsed.fields };
  for (const key of ['categories', 'tags']) {
    const value = fields[key];
    if (typeof value === 'string' && !value.includes(',')) fields[key] = namesOf(value);
  }
  return { ...parsed, fields };
}

/** A picture by its path on the site has its address there. */
function withSiteAddress(image: unknown, siteUrl: string): unknown {
  const { url } = (image ?? {}) as { url?: unknown };
  if (typeof url !== 'string' || !/^\s*\/(?!\/)/.test(url)) return image;
  return { ...(image as object), url: siteUrl + url.trim() };
}

/** A path without places for other values. */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^\s*\/(?![/\\])[^:{}\s]*\s*$/.test(value);
}

function withoutPathNotices<T extends { text: string }>(notices: T[]): T[] {
  return notices.filter(({ text }) => !/^(?:permalink|url) is left out/.test(text));
}

/** A path of an article's own with places such as `:title`; null if it has others than a pattern of ours. */
function patternOf(written: unknown): string | null {
  if (typeof written !== 'string' || !/^\s*\/(?![/\\])[^{}\s]*\s*$/.test(written)) return null;
  const pattern = written.trim().replace(/:title\b/g, ':slug');
  return /:(?!(?:year|month|day|slug|categories)\b)/.test(pattern) ? null : pattern;
}

/** @returns null if the pattern needs a date that the article does not have */
function addressOf(
  { pattern, slug }: ArticleAddress,
  fields: Record<string, unknown>,
  written: Record<string, unknown>,
): string | null {
  const [, year, month = '', day = ''] = DATE.exec(String(fields.published ?? '')) ?? [];
  if (year === undefined && /:(?:year|month|day)\b/.test(pattern)) return null;
  const parts: Record<string, string> = {
    ...{ year: year ?? '', month: month.padStart(2, '0'), day: day.padStart(2, '0') },
    slug: isBlankValue(fields.slug) ? slug : String(fields.slug).trim(),
    categories: namesOf(written.categories ?? written.category)
      .map(pathPart)
      .join('/'),
  };
  const filled = pattern.replace(/:(year|month|day|slug|categories)\b/g, (_, name: string) =>
    encodeURI(parts[name] ?? ''),
  );
  // An article without categories has no part for them.
  return filled.replace(/([^:])\/{2,}/g, '$1/');
}

/** A list, or words in one text. */
function namesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter((name) => typeof name === 'string');
  return typeof value === 'string' ? value.split(/\s+/).filter((name) => name !== '') : [];
}

function pathPart(name: string): string {
  return name.trim().toLowerCase().replace(/\s+/g, '-');
}
