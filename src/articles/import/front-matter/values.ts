/**
 * Values as people write them, in the form of daywire's own keys. A value that is not understood stays as it is, and
 * the rules of its key say what would be right. Pure.
 */

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
    .map((entry) => (typeof entry === 'string' ? entry.trim().replace(/^#(?=\S)/, '') : entry))
    .filter((entry) => typeof value !== 'string' || entry !== '');
}

/** Categories as a list: text, list or null. */
export function toNames(value: unknown): string[] {
  const tags = toTags(value);
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string' && tag !== '') : [];
}

/** `Ann Lee`, `Ann Lee and Bob Ray`, `Ann Lee <ann@example.com>`, a list of such, and maps with a name. */
export function toBylines(value: unknown): unknown {
  if (isBlankValue(value)) return [];
  if (typeof value === 'string') return splitNames(value).map(toByline);
  if (isMap(value)) return [value];
  if (!Array.isArray(value)) return value;
  return value.map((entry) => (typeof entry === 'string' ? toByline(entry) : entry));
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

/** Only between names of several words each: `Lee, Ann` is one person. */
function splitNames(text: string): string[] {
  const names = text.trim().replace(/^by[ \t]+/i, '');
  if (names.length > MAX_BYLINE) return [names];
  const parts = names.split(/,\s*and\s|\sand\s|\s&\s|,|;/i).map((part) => part.trim());
  return parts.every((part) => /\S\s+\S/.test(part)) ? parts : [names];
}

function toByline(text: string): Record<string, unknown> {
  const [, name, email] = /^([^<>]+)<([^<>\s]+@[^<>\s]+)>\s*$/.exec(text.slice(0, MAX_BYLINE)) ?? [];
  return name === undefined ? { name: text } : { name: name.trim(), email };
}

/** `true` and `yes` as words. Null for anything else. */
export function toYesOrNo(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return ['true', 'yes', 'on'].includes(word) ? true : ['false', 'no', 'off'].includes(word) ? false : null;
}

/** Other names of the keys in a map, by the simplified one. */
export type PartNames = Readonly<Record<string, readonly string[]>>;

export const IMAGE_PARTS: PartNames = {
  url: ['src', 'path', 'image', 'href', 'file', 'filename'],
  alt: ['altText', 'description'],
  credit: ['photographer', 'attribution', 'creditText'],
  ...{ type: [], length: [], width: [], height: [] },
};
export const BYLINE_PARTS: PartNames = { name: ['displayName', 'fullName'], email: ['mail'], role: [] };
export const OUTLET_PARTS: PartNames = {
  ...{ name: ['title'], url: ['link', 'href'] },
  published: ['publishedAt', 'datePublished', 'pubDate', 'date', 'time'],
};
export const ALSO_PARTS: PartNames = { name: ['title', 'outlet'], url: ['link', 'href'] };
export const LINK_PARTS: PartNames = { url: ['link', 'href'], title: ['name', 'text'] };
export const ENCLOSURE_PARTS: PartNames = { url: ['src', 'href'], type: [], length: ['size'], title: [] };
