/** Reads the feeds of an OPML file (1.0 to 2.0), as feed readers export it. */
import { Parser } from 'htmlparser2';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { decodeFeed } from '../../sources/feed/decode-feed.ts';

export interface OpmlFeed {
  /** One line, or null. */
  title: string | null;
  /** As written: not checked. */
  url: string;
}

/** `reason` is a sentence part for people: "the file is …". */
export type OpmlResult =
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
