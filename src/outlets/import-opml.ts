/** Adds the feeds of an OPML file to the sources of the configuration, as feeds of other outlets. */
import { isIP } from 'node:net';
import { Parser } from 'htmlparser2';
import type { Config } from '../core/config/config.ts';
import { openRanges } from '../lib/cidr.ts';
import { privateHost } from '../lib/private-address.ts';
import { cleanLine, cleanUrl, hasVisibleCharacter } from '../lib/text/clean-text.ts';
import { MAX_OUTLET, type NewSource, sourceIdOf } from '../sources/add-source.ts';
import { canonicalLink } from '../sources/canonical-link.ts';
import { decodeFeed } from '../sources/feed/decode-feed.ts';

export interface OpmlImport {
  added: Extract<NewSource, { use: 'roundup' }>[];
  /** Feeds that are sources already, or twice in the file: with the id of the source. */
  known: { url: string; id: string }[];
  rejected: { title: string | null; url: string; reason: string }[];
  /** Parts of the file that could not be read. */
  problems: string[];
}

/** The file is not OPML, for a reason that the operator can correct. */
class OpmlError extends Error {
  override name = 'OpmlError';
}

const MAX_ID = 64;

/**
 * Decides which feeds of a file become sources. Nothing is requested or written.
 * @throws OpmlError
 */
export function sourcesOfOpml(
  config: Pick<Config, 'sources' | 'fetch' | 'publication'>,
  bytes: Uint8Array,
): OpmlImport {
  const file = readOpml(bytes);
  if (file.kind === 'unreadable') throw new OpmlError(file.reason);
  const result: OpmlImport = { added: [], known: [], rejected: [], problems: file.problems };
  const byLink = new Map(config.sources.map(({ id, url }) => [canonicalLink(url), id]));
  const ids = new Set(config.sources.map(({ id }) => id));
  for (const { title, url } of file.feeds) {
    const address = feedAddress(url);
    const reason = address === null ? NOT_AN_ADDRESS : refusal(address, config);
    if (address === null || reason !== null) {
      result.rejected.push({ title, url: cleanLine(url.slice(0, 200)), reason: reason ?? NOT_AN_ADDRESS });
      continue;
    }
    const link = canonicalLink(address);
    const known = byLink.get(link);
    if (known !== undefined) {
      result.known.push({ url: address, id: known });
      continue;
    }
    const id = unusedId(sourceIdOf(address), ids);
    ids.add(id);
    byLink.set(link, id);
    result.added.push({ id, url: address, use: 'roundup', outlet: outletOf({ title, url: address }) });
  }
  return result;
}

const NOT_AN_ADDRESS = 'it is not an http or https address without a login';

/** Normalised, without a fragment, which is not sent. Some readers write `feed:` for http. */
function feedAddress(url: string): string | null {
  const written = url.replace(/^feed:(?:\/\/)?(?=https?:)/i, '').replace(/^feed:\/\//i, 'http://');
  const clean = cleanUrl(written);
  if (clean === null) return null;
  const parsed = new URL(clean);
  parsed.hash = '';
  return parsed.href;
}

/** @returns why a feed cannot be a source, or null */
function refusal(url: string, { fetch: { allow }, publication }: Pick<Config, 'fetch' | 'publication'>): string | null {
  if (url.length > 2_000) return 'its address has more than 2,000 characters';
  const host = privateHost(url, { publicUrl: publication.url, sourceOrigins: [] });
  if (host === null) return null;
  // A name is looked up where some private network is allowed.
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const isAllowed = isIP(address) === 0 ? allow.length > 0 : openRanges(allow)(address);
  return isAllowed ? null : `${host} is a private address: if it is yours, name its network in fetch.allow`;
}

/** The title of the feed, else its host. */
function outletOf({ title, url }: OpmlFeed): string {
  const name = (title ?? '').slice(0, MAX_OUTLET).toWellFormed().trim();
  return hasVisibleCharacter(name) ? name : new URL(url).hostname.replace(/^www\./, '').slice(0, MAX_OUTLET);
}

/** The id, or with a number: `the-example-2`. */
function unusedId(wanted: string, ids: ReadonlySet<string>): string {
  const base = wanted === '' ? 'feed' : wanted;
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : `-${number}`;
    const id = `${base.slice(0, MAX_ID - suffix.length).replace(/-+$/, '')}${suffix}`;
    if (!ids.has(id)) return id;
  }
}

interface OpmlFeed {
  /** One line, or null. */
  title: string | null;
  /** As written: not checked. */
  url: string;
}

/** `reason` is a sentence part for people: "the file is …". */
type OpmlResult =
  | { kind: 'opml'; title: string | null; feeds: OpmlFeed[]; problems: string[] }
  | { kind: 'unreadable'; reason: string };

/** Bytes of a file. A list of 2,000 feeds has about 500 KB. */
export const MAX_OPML_BYTES = 5_000_000;
const MAX_FEEDS = 5_000;
/** Outlines within outlines. The parser's time grows with the depth of each tag. */
const MAX_DEPTH = 100;
const MAX_TITLE = 200;
const MAX_URL = 2_000;

/**
 * Reads every outline that has an address of a feed, also in nested folders. Entities that the file declares are not
 * expanded. Never throws.
 */
export function readOpml(bytes: Uint8Array): OpmlResult {
  if (bytes.length > MAX_OPML_BYTES) {
    return { kind: 'unreadable', reason: `the file is longer than ${MAX_OPML_BYTES / 1_000_000} MB` };
  }
  const reader = new OpmlReader();
  const parser = new Parser(
    {
      onopentag: (name, attributes) => reader.open(name, attributes),
      onclosetag: (name, isImplied) => reader.close(name, isImplied),
      ontext: (text) => reader.text(text),
    },
    { xmlMode: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  );
  try {
    parser.write(decodeFeed(bytes, null));
    parser.end();
  } catch (error) {
    if (error instanceof TooDeepError) return { kind: 'unreadable', reason: error.message };
    throw error;
  }
  return reader.result();
}

class TooDeepError extends Error {}

class OpmlReader {
  readonly #feeds: OpmlFeed[] = [];
  readonly #problems: string[] = [];
  #open: string[] = [];
  #isOpml = false;
  #title = '';
  #more = 0;

  open(name: string, attributes: Record<string, string>): void {
    if (name === 'opml') this.#isOpml = true;
    this.#open.push(name);
    if (this.#open.length > MAX_DEPTH) throw new TooDeepError(`the file has more than ${MAX_DEPTH} tags within tags`);
    if (name === 'outline' && this.#isOpml) this.#outline(attributes);
  }

  /** @param isImplied whether the file has no such tag */
  close(name: string, isImplied: boolean): void {
    this.#open.pop();
    if (name === 'opml' && isImplied) this.#note('the file ends without </opml>: perhaps feeds are missing');
  }

  text(text: string): void {
    const isTitle = this.#open.at(-1) === 'title' && this.#open.at(-2) === 'head';
    if (isTitle && this.#title.length < MAX_TITLE) this.#title += text.slice(0, MAX_TITLE);
  }

  #outline(attributes: Record<string, string>): void {
    const title = [attributes.title, attributes.text].map((text) => lineOf(text ?? '')).find((text) => text !== '');
    const url = (attributes.xmlurl ?? '').trim();
    if (url === '') {
      // A folder has no type.
      if (attributes.type?.toLowerCase() === 'rss') this.#note(`“${title ?? 'an outline'}” has no xmlUrl`);
      return;
    }
    if (url.length > MAX_URL) this.#note(`“${title ?? lineOf(url)}” has an address of more than ${MAX_URL} characters`);
    else if (this.#feeds.length < MAX_FEEDS) this.#feeds.push({ title: title ?? null, url: url.toWellFormed() });
    else this.#more += 1;
  }

  #note(problem: string): void {
    if (this.#problems.length < 100) this.#problems.push(problem);
  }

  result(): OpmlResult {
    if (!this.#isOpml) return { kind: 'unreadable', reason: 'the file is not OPML: it has no element <opml>' };
    if (this.#more > 0) this.#problems.push(`${this.#more} more feeds were not read: a file may have ${MAX_FEEDS}`);
    return { kind: 'opml', title: lineOf(this.#title) || null, feeds: this.#feeds, problems: this.#problems };
  }
}

function lineOf(text: string): string {
  return cleanLine(text.slice(0, MAX_TITLE));
}
