/**
 * Values as people write them, in the form of daywire's own keys. A value that is not understood stays as it is, and
 * the rules of its key say what would be right. Pure.
 */
import { cleanLine } from '../../../lib/text/clean-text.ts';
import { textOfHtml } from '../../../sources/html-text.ts';
import { mediaTypeOf } from '../../pictures/media.ts';

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isBlankValue(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** Typographic quotation marks around a whole value: a word processor made them of straight ones. */
export function withoutSmartQuotes(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const [, inner] = /^\s*[“”„«‘’‚]([^“”„«»‘’‚]*)[“”»‘’]\s*$/.exec(value.slice(0, 1_000)) ?? [];
  return inner === undefined || value.length > 1_000 ? value : inner;
}

/** `a, b` and `[a, b]` as a list. Numbers become text. */
export function toTags(value: unknown): unknown {
  if (isBlankValue(value)) return [];
  const entries = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(entries)) return typeof value === 'number' ? [String(value)] : value;
  return entries
    .map((entry) => (typeof entry === 'number' ? String(entry) : withoutSmartQuotes(entry)))
    .map((entry) => (typeof entry === 'string' ? cleanLine(entry).replace(/^#(?=\S)/, '') : entry))
    .filter((entry) => typeof value !== 'string' || entry !== '');
}

/** Categories as a list: text, list or null. */
export function toNames(value: unknown): string[] {
  const tags = toTags(value);
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string' && tag !== '') : [];
}

/** Names of authors by their logins, as a site has them in its data. */
export type AuthorNames = Readonly<Record<string, string>>;

/** `Ann Lee`, `Ann Lee and Bob Ray`, `Ann Lee <ann@example.com>`, logins, a list of such, and maps with a name. */
export function toBylines(value: unknown, authors: AuthorNames): unknown {
  if (isBlankValue(value)) return [];
  const entries = typeof value === 'string' || isMap(value) ? [value] : value;
  if (!Array.isArray(entries)) return value;
  return entries
    .filter((entry) => !isBlankValue(entry))
    .flatMap((entry) => (typeof entry === 'string' ? splitNames(entry, authors).map(toByline) : [entry]));
}

export function withAuthorName(byline: unknown, authors: AuthorNames): unknown {
  return isMap(byline) ? { ...byline, name: nameOf(byline.name, authors) ?? byline.name } : byline;
}

function nameOf(login: unknown, authors: AuthorNames): string | undefined {
  const key = typeof login === 'string' ? login.trim().replace(/^@/, '') : '';
  return Object.hasOwn(authors, key) ? authors[key] : undefined;
}

/** `Reuters`, or the address of a report, whose host is then the name. Anything else stays as it is. */
export function toOutlet(value: unknown): unknown {
  if (typeof value !== 'string' || isBlankValue(value)) return value;
  const address = value.trim();
  return /^https?:\/\//i.test(address) && URL.canParse(address)
    ? { name: new URL(address).hostname.replace(/^www\./, ''), url: value }
    : { name: value };
}

/** Outlets as a list: of names, of addresses, or of maps; also one alone. */
export function toOutlets(value: unknown): unknown {
  if (isBlankValue(value)) return [];
  if (isMap(value) || typeof value === 'string') return [toOutlet(value)];
  return Array.isArray(value) ? value.map(toOutlet) : value;
}

const MAX_BYLINE = 1_000;
/** After a comma, what somebody does or works for. */
const ROLE =
  /\b(?:director|editor|president|officer|manager|engineer|developer|designer|analyst|chief|lead|team|staff|inc)\b/i;

/** `[Ann Lee](https://ann.example)` */
const MARKDOWN_LINK = /\[([^[\]]{1,200})\]\([^()\s]{0,500}\)/g;

/** Only between logins and names of several words each: `Lee, Ann` is one person. */
function splitNames(text: string, authors: AuthorNames): string[] {
  if (text.length > MAX_BYLINE) return [text.trim()];
  const names = text
    .trim()
    .replace(/^by[ \t]+/i, '')
    .replace(MARKDOWN_LINK, '$1');
  const parts = names.split(/,\s*and\s|\sand\s|\s&\s|,|;/i).map((part) => part.trim());
  const isName = (part: string): boolean =>
    (/\S\s+\S/.test(part) && !ROLE.test(part)) || nameOf(part, authors) !== undefined;
  return parts.every(isName) ? parts : [names];
}

function toByline(written: string): Record<string, unknown> {
  const text = String(withoutMarkup(written));
  const [, name, email] = /^([^<>]+)<([^<>\s]+@[^<>\s]+)>\s*$/.exec(text.slice(0, MAX_BYLINE)) ?? [];
  return name === undefined ? { name: text } : { name: name.trim(), email };
}

/** `image: false`, and an empty map, mean none. */
export function isNone(value: unknown): boolean {
  if (isMap(value)) return Object.keys(value).length === 0;
  return value === false || (typeof value === 'string' && /^\s*(?:false|no|none|off|~)\s*$/i.test(value));
}

/** `true` and `yes` as words. Null for anything else. */
export function toYesOrNo(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return ['true', 'yes', 'on'].includes(word) ? true : ['false', 'no', 'off'].includes(word) ? false : null;
}

/** A complete entity of HTML. */
const ENTITY = /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/i;
const OTHER_AMPERSAND = new RegExp(`&(?!${ENTITY.source.slice(1)})`, 'gi');

/** Elements that end: `Vec<T>` has none. */
const MARKUP = /<\/(?:a|b|code|em|i|p|s|small|span|strike|strong|su[bp]|u)>/i;

/** A text without markup, with its entities decoded once: `<em>AT&amp;T</em>`. */
export function withoutMarkup(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (MARKUP.test(value)) return textOfHtml(value);
  if (!ENTITY.test(value)) return value;
  return textOfHtml(value.replace(OTHER_AMPERSAND, '&amp;').replaceAll('<', '&lt;'));
}

/** A duration in seconds, `1830`, or as `30:30` or `1:02:03`. */
export const DURATION = /^\s*\d{1,6}(?::[0-5]?\d){0,2}\s*$/;

/**
 * The enclosures that `audio: /media/talk.mp3` means, also a list or a map of parts. Anything else, such as the name of
 * a podcast, is left out.
 * @param duration as written beside it; left out if it is none
 * @returns null if nothing is written
 */
export function toAudio(value: unknown, duration: unknown): object[] | null {
  if (isBlankValue(value) || isNone(value)) return null;
  return [value].flat().flatMap((one) => {
    const file = isMap(one) ? one : { url: one };
    const url = withoutSmartQuotes(file.url ?? file.src ?? file.href ?? file.file ?? file.mp3);
    if (typeof url !== 'string' || !/^\s*(?:https?:\/\/|\/media\/)/i.test(url)) return [];
    const type = mediaTypeOf(url.trim().replace(/[?#].*$/s, '')) ?? file.type;
    if (typeof type !== 'string' || !/^(?:audio|video)\/[\w.+-]+$/.test(type)) return [];
    const bytes = plainText(file.length ?? file.size ?? file.bytes);
    const time = plainText(file.duration ?? duration);
    return {
      ...{ url, type, length: /^\d{1,15}$/.test(bytes) ? Number(bytes) : 0 },
      ...(typeof file.title === 'string' ? { title: file.title } : {}),
      ...(DURATION.test(time) ? { duration: time } : {}),
    };
  });
}

/** Text, or a number as text; empty for anything else. */
function plainText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

/** Of WordPress and Pelican. */
const STATES: Readonly<Record<string, string>> = {
  ...{ publish: 'published', public: 'published' },
  ...{ private: 'draft', hidden: 'draft', pending: 'draft', trash: 'draft', skip: 'draft' },
};

export function toState(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const word = value.trim().toLowerCase();
  return STATES[word] ?? (/^[a-z]+$/.test(word) ? word : value);
}

/** Other names of the keys in a map, by the simplified one. */
export type PartNames = Readonly<Record<string, readonly string[]>>;

export const IMAGE_PARTS: PartNames = {
  url: ['src', 'path', 'image', 'href', 'file', 'filename'],
  alt: ['altText', 'description'],
  credit: ['photographer', 'attribution', 'creditText'],
  ...{ type: [], length: [], width: [], height: [] },
};
export const BYLINE_PARTS: PartNames = {
  name: ['displayName', 'fullName', 'nick', 'nickname', 'login', 'username', 'id'],
  email: ['mail'],
  role: [],
};
export const OUTLET_PARTS: PartNames = {
  ...{ name: ['title'], url: ['link', 'href'] },
  published: ['publishedAt', 'datePublished', 'pubDate', 'date', 'time'],
};
export const ALSO_PARTS: PartNames = { name: ['title', 'outlet'], url: ['link', 'href'] };
export const LINK_PARTS: PartNames = { url: ['link', 'href'], title: ['name', 'text'] };
export const ENCLOSURE_PARTS: PartNames = {
  url: ['src', 'href', 'file'],
  ...{ type: [], length: ['size', 'bytes'], title: [], duration: [] },
};

/** Parts of an image that are for a site generator's own pages. */
export const IGNORED_PARTS = new Set([
  'hidden',
  'hiddeninlist',
  'hiddeninsingle',
  'relative',
  'linkfullimages',
  'responsiveimages',
]);
