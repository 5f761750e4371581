/**
 * What the page of another outlet's report says of it: OpenGraph tags first, then JSON-LD, then plain HTML. Pure. All
 * of it is hostile text, and comes out clean and of limited length.
 *
 * The canonical link counts only on the page's own host. A page that names another host as its original may be a copy,
 * or may claim to be somebody else's report: what was fetched stays the address, and the other one is returned apart.
 */
import { getDomainWithoutSuffix } from 'tldts';
import { outletKey } from '../../articles/outlets.ts';
import { boundedLine, cleanLine, cleanUrl, hasVisibleCharacter } from '../../lib/text/clean-text.ts';
import { parseWrittenDate } from '../../lib/written-date.ts';
import { canonicalLink, isFrontPage } from '../../sources/canonical-link.ts';
import { CLOCK_SKEW } from '../../sources/feed/dates-ahead.ts';
import { decodeFeed, headerEncoding, knownEncoding } from '../../sources/feed/decode-feed.ts';
import { feedLanguageTag } from '../../sources/feed/text-values.ts';
import { textOfHtml } from '../../sources/html-text.ts';
import { MAX_SUMMARY, MAX_URL } from '../items/usable-entry.ts';
import { type LinkedArticle, readLinkedArticle } from './json-ld.ts';
import { type PageTags, readPageTags } from './page-tags.ts';

export interface PageDocument {
  bytes: Uint8Array;
  /** The HTTP header, or null. */
  contentType: string | null;
  /** From which it came, after redirects. */
  url: string;
}

/** Texts are plain, clean and on one line; addresses are absolute, http or https. */
export interface PageMetadata {
  /** At most 500 characters, without the name of the site at its end. */
  title: string | null;
  /** The name of the site; at most 200 characters. */
  outlet: string | null;
  /** The canonical address, if it is on the same host; else that of the document. */
  url: string;
  /** The canonical address on another host; null without one. */
  originalUrl: string | null;
  /** Epoch milliseconds; null if the page has no date that can be read, and can be true. */
  publishedAt: number | null;
  imageUrl: string | null;
  /** BCP 47, canonical. */
  language: string | null;
  /** At most `MAX_SUMMARY` characters. */
  summary: string | null;
}

const MAX_TITLE = 500;
const MAX_NAME = 200;

/** Names of `meta` tags with the time of publication, the most precise first. */
const DATE_NAMES = [
  ...['article:published_time', 'og:article:published_time', 'og:published_time', 'datepublished'],
  ...['parsely-pub-date', 'sailthru.date', 'publish-date', 'publishdate', 'pubdate', 'dc.date.issued'],
  ...['dcterms.issued', 'dc.date', 'dcterms.date', 'dcterms.created', 'date'],
];

/** Reads any document without an error. @param now epoch milliseconds */
export function readPageMetadata({ document, now }: { document: PageDocument; now: number }): PageMetadata {
  const { bytes, contentType, url } = document;
  const tags = readPageTags(decodePage(bytes, contentType));
  const base = cleanUrl(tags.base ?? '', url) ?? url;
  const canonical = readCanonical(tags, base, url);
  const linked = readLinkedArticle(tags.scripts, [url, canonical.url]);
  const meta = (...names: string[]): string | null => firstMeta(tags, names);
  const outlet = firstText(MAX_NAME, meta('og:site_name'), linked?.publisher, meta('application-name', 'publisher'));
  const names = [outlet, textFrom(linked?.publisher, MAX_NAME), ...siteNames(url)].filter((name) => name !== null);
  const titles = [meta('og:title'), linked?.headline, meta('twitter:title', 'dc.title'), tags.title, tags.heading];
  return {
    title: titles.map((text) => withoutSite(textFrom(text, MAX_TITLE), names)).find((text) => text !== null) ?? null,
    outlet,
    ...canonical,
    publishedAt: readDate(tags, linked, now),
    imageUrl: readImage(tags, linked, base),
    language: readLanguage(tags, linked),
    summary: firstText(
      MAX_SUMMARY,
      ...[meta('og:description'), linked?.description, meta('description', 'twitter:description', 'dc.description')],
    ),
  };
}

function firstMeta({ metas }: PageTags, names: readonly string[]): string | null {
  return names.map((name) => metas.get(name)?.[0]).find((value) => value !== undefined) ?? null;
}

function firstText(limit: number, ...texts: (string | null | undefined)[]): string | null {
  return texts.map((text) => textFrom(text, limit)).find((text) => text !== null) ?? null;
}

/** As plain text: many programs escape what they write twice. Null if nothing of it is visible. */
function textFrom(written: string | null | undefined, limit: number): string | null {
  if (written === null || written === undefined) return null;
  const text = /&(?:#|[a-z])/i.test(written) || /<[a-z/]/i.test(written) ? textOfHtml(written) : cleanLine(written);
  return hasVisibleCharacter(text) ? boundedLine(text, limit) : null;
}

/** The host without `www.`, and the name in it: `the-example` of `news.the-example.co.uk`. */
function siteNames(url: string): string[] {
  const host = bareHost(url);
  const name = getDomainWithoutSuffix(host) ?? '';
  return [host, name, name.replaceAll('-', ' ')];
}

/** `Title | The Example`, with any of the usual separators. */
const SITE_AT_END = /^(.*\S)\s+(?:[|\-–—·•»:]|::)\s+(\S.*)$/su;

/** Removes the last part of a title if it is the name of the site, and nothing else. */
function withoutSite(title: string | null, names: readonly string[]): string | null {
  const [, rest, end] = SITE_AT_END.exec(title ?? '') ?? [];
  if (rest === undefined || end === undefined || !hasVisibleCharacter(rest)) return title;
  const key = siteKey(end);
  return key !== '' && names.some((name) => siteKey(name) === key) ? rest : title;
}

/** `The Example` and `Example` are one site, and so is `the-example.com`. */
function siteKey(name: string): string {
  return outletKey(name)
    .replace(/^the\s+/, '')
    .replace(/[^\p{L}\p{N}.]/gu, '');
}

/** Without `www.` and what marks a version for phones. */
function bareHost(url: string): string {
  return new URL(url).hostname.replace(/\.$/, '').replace(/^(?:www|m|amp|mobile)\.(?=[^.]+\.)/, '');
}

function readCanonical(tags: PageTags, base: string, url: string): Pick<PageMetadata, 'url' | 'originalUrl'> {
  const named = [tags.links.get('canonical'), firstMeta(tags, ['og:url'])].flatMap((written) => {
    const address = written === undefined || written === null ? null : cleanUrl(written, base);
    return address === null || address.length > MAX_URL ? [] : [address];
  });
  // A front page as the address of every report is a usual mistake.
  const usable = named.filter((address) => !isFrontPage(canonicalLink(address) ?? ''));
  const own = usable.find((address) => bareHost(address) === bareHost(url));
  if (own !== undefined) return { url: withSecurityOf(url, own), originalUrl: null };
  return { url, originalUrl: usable[0] ?? null };
}

/** A page that came by https is linked by https. */
function withSecurityOf(page: string, address: string): string {
  const [from, to] = [new URL(page), new URL(address)];
  if (from.protocol === 'https:' && to.protocol === 'http:' && to.port === '') to.protocol = 'https:';
  return to.href;
}

function readDate(tags: PageTags, linked: LinkedArticle | null, now: number): number | null {
  const metas = DATE_NAMES.map((name) => firstMeta(tags, [name]));
  for (const written of [metas[0], linked?.published, ...metas.slice(1), ...tags.times]) {
    const at = written === null || written === undefined ? null : parseWrittenDate(written);
    if (at !== null && at <= now + CLOCK_SKEW) return at;
  }
  return null;
}

function readImage(tags: PageTags, linked: LinkedArticle | null, base: string): string | null {
  const og = firstMeta(tags, ['og:image:secure_url', 'og:image', 'og:image:url']);
  const others = [firstMeta(tags, ['twitter:image', 'twitter:image:src']), tags.links.get('image_src')];
  for (const written of [og, linked?.image, ...others]) {
    const address = written === null || written === undefined ? null : cleanUrl(written, base);
    if (address !== null && address.length <= MAX_URL) return address;
  }
  return null;
}

/** The language of the document first: many sites leave og:locale at en_US. */
function readLanguage(tags: PageTags, linked: LinkedArticle | null): string | null {
  const written = [tags.language, linked?.language, firstMeta(tags, ['og:locale', 'content-language', 'language'])];
  return written.map((one) => feedLanguageTag(one ?? '')).find((tag) => tag !== null) ?? null;
}

/** Bytes in which a page declares its charset. The HTML standard (§4.2.5.4) allows 1,024; some pages need more. */
const DECLARATION_LENGTH = 4_096;
const META_CHARSET = /<meta\s[^>]{0,500}?\bcharset\s*=\s*["']?\s*([^\s"'/>;]{1,40})/i;

/**
 * Decodes a page by its byte order mark, else by the charset of the HTTP header, else by its first `<meta charset>` or
 * `http-equiv`, else as UTF-8 if it is valid, else as windows-1252.
 * @param contentType the value of the HTTP header, or null
 */
function decodePage(bytes: Uint8Array, contentType: string | null): string {
  if (headerEncoding(contentType) !== null) return decodeFeed(bytes, contentType);
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, DECLARATION_LENGTH));
  const declared = knownEncoding(META_CHARSET.exec(start)?.[1]);
  return decodeFeed(bytes, declared === null ? null : `text/html; charset=${declared}`);
}
