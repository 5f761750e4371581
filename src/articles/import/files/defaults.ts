/**
 * What is known of an article by the place of its file and its site, where the article itself does not say it: an id, a
 * date, the address at which a site generator publishes it. Pure.
 */
import { DAY } from '../../../lib/time.ts';
import { parseWrittenDate } from '../../../lib/written-date.ts';
import { SLUG, slugFrom } from '../../slug.ts';
import { type AuthorNames, isBlankValue } from '../front-matter/values.ts';
import type { ParsedRecord, TranslatedRecord } from '../parse.ts';

export interface ArticleDefaults {
  /** Keys of daywire, for an article that lacks them. */
  fields: Readonly<Record<string, string>>;
  address: ArticleAddress | null;
  /** Whether categories and tags in one text are words, as in Jekyll. */
  hasWordLists?: boolean;
  /** Names of authors by their logins, as the site has them in its data. */
  authors?: AuthorNames;
}

interface ArticleAddress {
  /** Absolute, with places such as `:year` in its path; null if it is not known. */
  pattern: string | null;
  /** Address of the site, without a trailing slash. */
  siteUrl: string;
  /** That of the file, for an article without a slug. */
  name: string;
  folders: readonly string[];
  /** Names of the folders that are categories, as in Jekyll. */
  categories: readonly string[];
  form: PathForm;
}

/** What a pattern may say. `slug`: else the name of the file; `slugortitle`: else the headline. */
const PLACES = 'year|month|i_month|day|i_day|y_day|name|slug|title|slugortitle|categories|path';
const PLACE = new RegExp(`:(${PLACES})\\b`, 'g');
const OTHER_PLACE = new RegExp(`:(?!(?:${PLACES})\\b)[a-z]`, 'i');

const STYLES: Readonly<Record<string, string>> = {
  date: '/:categories/:year/:month/:day/:title.html',
  pretty: '/:categories/:year/:month/:day/:title/',
  ordinal: '/:categories/:year/:y_day/:title.html',
  none: '/:categories/:title.html',
};

/** How a generator writes a text in a path. */
const FORMS = {
  plain: (text: string) => text,
  astro: (text: string) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  hugo: (text: string) => hugoPath(text).toLowerCase(),
  hugoCased: hugoPath,
  jekyll: (text: string) => text.replace(/[^\p{M}\p{L}\p{Nd}._~!$&'()+,;=@]+/gu, '-').replace(/^-|-$/g, ''),
};
export type PathForm = keyof typeof FORMS;

function hugoPath(text: string): string {
  const kept = text.replace(/[^\p{L}\p{M}\p{Nd}\s./_#+~@%-]|%(?![0-9a-f]{2})/giu, '');
  return kept.trim().replace(/\s+/g, ' ').replace(/ ?- ?/g, '-').replaceAll(' ', '-');
}

/** Keys in which site generators take the path of a page. */
const PATH_KEYS = ['permalink', 'url', 'path'];
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
  const written = PATH_KEYS.map((key) => parsed.fields[key]).filter((value) => !isBlankValue(value));
  const path = written.find(isPath);
  if (path !== undefined) {
    const url = new URL(path.trim().replace(/^\/*/, `${address.siteUrl}/`)).href;
    // The path is no address for the rules of the keys, which say so.
    return { ...record, fields: { ...fields, url }, notices: withoutPathNotices(record.notices) };
  }
  if (!isBlankValue(fields.url)) return { ...record, fields };
  const own = jekyllPattern(written[0]);
  // The site has it at a place that a template makes, or nowhere: the usual one would lead nowhere.
  if (own === null && /\{|^\s*false\s*$/.test(String(written[0] ?? ''))) return { ...record, fields };
  const pattern = own === null ? address.pattern : address.siteUrl + own;
  const url = pattern === null ? null : addressOf(pattern, address, fields, parsed.fields);
  const notices = own === null ? record.notices : withoutPathNotices(record.notices);
  return { ...record, fields: url === null ? fields : { ...fields, url }, notices };
}

/** Makes a slug of ours of another one, which only the address of the site has. */
export function withOwnSlug(record: TranslatedRecord): TranslatedRecord {
  if (record.kind === 'broken' || typeof record.fields.slug !== 'string') return record;
  const written = record.fields.slug.trim();
  const made = SLUG.test(written) && written.length <= 160 ? written : slugFrom(written, '');
  return { ...record, fields: { ...record.fields, slug: made === '' ? null : made } };
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
function isPath(value: unknown): value is string {
  return typeof value === 'string' && /^\s*(?:\/(?![/\\])[^:{}\s]*|[^:{}/\s]+\/[^:{}\s]*)\s*$/.test(value);
}

function withoutPathNotices<T extends { text: string }>(notices: T[]): T[] {
  return notices.filter(({ text }) => !/^(?:permalink|url) is left out/.test(text));
}

/** @returns null for a path without places, or with others than those above */
export function toPattern(written: unknown): string | null {
  const path = typeof written === 'string' ? written.trim() : '';
  const isPattern = /^(?!https?:)[^{}\s]+$/i.test(path) && path.search(PLACE) !== -1;
  return isPattern && !OTHER_PLACE.test(path) ? path.replace(/^\/*/, '/') : null;
}

/** A permalink of Jekyll as a pattern, or null. */
export function jekyllPattern(written: unknown): string | null {
  const path = STYLES[String(written).trim()] ?? written;
  return toPattern(
    typeof path === 'string' ? path.replace(/:title\b/g, ':slug').replace(':output_ext', '.html') : path,
  );
}

/** @returns null if the pattern needs a date that the article does not have */
function addressOf(
  pattern: string,
  { name, folders, categories, form }: ArticleAddress,
  fields: Record<string, unknown>,
  written: Record<string, unknown>,
): string | null {
  const date = dayOf(String(fields.published ?? ''));
  if (date === null && /:(?:[iy]_)?(?:year|month|day)\b/.test(pattern)) return null;
  const [year = '', month = '', day = ''] = date?.split('-') ?? [];
  const yearDay = (Date.parse(`${date}T00:00Z`) - Date.parse(`${year}-01-01T00:00Z`)) / DAY + 1;
  const title = FORMS[form](String(fields.headline ?? ''));
  const own = isBlankValue(fields.slug) ? null : String(fields.slug).trim();
  // Astro takes it as it is written.
  const ownSlug = own === null || form === 'astro' ? own : FORMS[form](own);
  const named = isBlankValue(written.category) ? namesOf(written.categories) : [String(written.category)];
  const parts: Record<string, string> = {
    ...{ year, month, i_month: `${Number(month)}`, day, i_day: `${Number(day)}`, y_day: `${yearDay}`.padStart(3, '0') },
    ...{ name: FORMS[form](name), slug: ownSlug ?? FORMS[form](name), title, slugortitle: ownSlug ?? title },
    path: folders.map(FORMS[form]).join('/'),
    categories: [...new Set([...categories, ...named].map((one) => one.trim().toLowerCase()))].join('/'),
  };
  // Where a slug may have slashes, as in Docusaurus, it is the whole path below the part that all posts share.
  const isWhole = (form === 'plain' || form === 'astro') && ownSlug?.includes('/') === true;
  const used = isWhole ? pattern.replace(/(?<=\/):.*:(?=slug\b)/, ':') : pattern;
  const filled = used.replace(PLACE, (_, place: string) => (parts[place] ?? '').replace(UNSAFE, encodeURIComponent));
  // An article without categories has no part for them.
  return filled.replace(/([^:])\/{2,}/g, '$1/');
}

/** The day as it is written, else in UTC. */
function dayOf(published: string): string | null {
  const [, year, month = '', day = ''] = DATE.exec(published) ?? [];
  if (year !== undefined) return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const at = parseWrittenDate(published);
  return at === null ? null : new Date(at).toISOString().slice(0, 10);
}

/** Letters are encoded where the address is read; `%C3%A9` stays. */
const UNSAFE = /[?#\\]|%(?![0-9a-f]{2})/gi;

function namesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter((name) => typeof name === 'string');
  return typeof value === 'string' ? value.split(/\s+/).filter((name) => name !== '') : [];
}
