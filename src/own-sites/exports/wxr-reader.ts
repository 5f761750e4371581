/**
 * Reads WordPress eXtended RSS (WXR 1.0 to 1.2), the export of WordPress, item by item, with the memory of one item.
 */
import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { Parser } from 'htmlparser2';
import { MAX_RECORD_BYTES } from '../../articles/import/files/json-lines.ts';
import { boundedLine } from '../../lib/text/clean-text.ts';
import { ExportError, throwFileError } from './export-entry.ts';

/** An `<item>`: a post, a page, a picture and so on. */
export interface WxrItem {
  kind: 'item';
  /** Text by element, such as `wp:post_id`; of several of the same name, the first. */
  fields: Map<string, string>;
  categories: { domain: string; slug: string; name: string }[];
  /** `wp:postmeta` by its key, in order. */
  meta: [string, string][];
  /** Whether it is longer than any article may be: then it is cut off. */
  isOversized: boolean;
}

export interface WxrAuthor {
  kind: 'author';
  login: string;
  name: string;
}

/**
 * Yields the items and authors of a file, in its order.
 * @throws ExportError if the file is not WXR, or ends before its end
 */
export async function* readWxr(file: string): AsyncGenerator<WxrItem | WxrAuthor> {
  const reader = new WxrReader();
  const stream = createReadStream(file, { highWaterMark: 256 * 1024 });
  let decoder: TextDecoder | null = null;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      decoder ??= decoderOf(chunk);
      reader.write(decoder.decode(chunk, { stream: true }));
      yield* reader.take();
    }
  } catch (error) {
    throwFileError(file, error);
  }
  reader.end(decoder?.decode() ?? '');
  yield* reader.take();
  if (decoder === null) throw new ExportError(`${file}: is empty: download the export again`);
  if (!reader.isWxr) {
    throw new ExportError(`${file}: is not an export of WordPress: make one with Tools → Export, "All content"`);
  }
  if (!reader.isWhole) {
    throw new ExportError(`${file}: ends in the middle: download the export again`);
  }
  if (reader.damage !== null) {
    throw new ExportError(`${file}: is not well-formed XML: ${boundedLine(reader.damage.slice(0, 1_000), 300)}`);
  }
}

/** By the byte order mark or the XML declaration; without them it is UTF-8 (XML 1.0 §4.3.3). */
function decoderOf(start: Buffer): TextDecoder {
  // In UTF-16, one byte of "<" is 0, and one of the byte order mark is FE.
  const isUtf16 = [0, 1].map((index) => start[index] === 0 || start[index] === 0xfe);
  const [, label = isUtf16[0] ? 'utf-16be' : isUtf16[1] ? 'utf-16le' : 'utf-8'] =
    /^[^>]{0,200}\sencoding\s*=\s*["']([\w-]{1,40})["']/.exec(start.toString('latin1', 0, 300)) ?? [];
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder('utf-8');
  }
}

/** Characters of a field of an item that is too long already: its id and title are read. */
const MAX_SHORT_FIELD = 1_000;
/** Fields of one item. */
const MAX_FIELDS = 10_000;
/** Their markup is in a CDATA section, or escaped. */
const TEXT_FIELDS = new Set(['title', 'content:encoded', 'excerpt:encoded']);

const AUTHOR_FIELDS = new Set(['wp:author_login', 'wp:author_display_name']);

class WxrReader {
  isWxr = false;
  isWhole = false;
  damage: string | null = null;
  #taken: (WxrItem | WxrAuthor)[] = [];
  readonly #parser: Parser;
  /** Open elements. */
  readonly #path: string[] = [];
  #item: WxrItem | null = null;
  #author: Record<string, string> | null = null;
  #metaKey = '';
  #metaValue = '';
  #text = '';
  #size = 0;
  #attributes: Record<string, string> = {};

  constructor() {
    this.#parser = new Parser(
      {
        onopentag: (name, attributes) => this.#open(name, attributes),
        ontext: (text) => this.#add(text),
        // Implied: the end of an element around it, or of the file, closes what is still open.
        onclosetag: (name, isImplied) => this.#close(name, isImplied),
      },
      { xmlMode: true, decodeEntities: true },
    );
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(rest: string): void {
    this.write(rest);
    this.#parser.end();
  }

  take(): (WxrItem | WxrAuthor)[] {
    return this.#taken.splice(0);
  }

  #open(name: string, attributes: Record<string, string>): void {
    const isInText = this.#depthInItem() === 1 && TEXT_FIELDS.has(this.#path.at(-1) ?? '');
    if (isInText) this.damage ??= `<${name}> in <${this.#path.at(-1)}> is not escaped, in ${this.#place()}`;
    if (name === 'item' && this.#item !== null) this.damage ??= `<item> is not closed, in ${this.#place()}`;
    this.#path.push(name);
    if (name === 'item' && this.#item === null) {
      this.#item = { kind: 'item', fields: new Map(), categories: [], meta: [], isOversized: false };
      this.#size = 0;
    } else if (name === 'wp:author' && this.#item === null) this.#author = {};
    if (name === 'wp:wxr_version') this.isWxr = true;
    if (this.#depthInItem() === 1) this.#attributes = attributes;
    // An element begins its own text; that of an element around it is white space.
    this.#text = '';
  }

  #add(text: string): void {
    if (this.#item === null && this.#author === null) return;
    this.#size += text.length;
    if (this.#size > MAX_RECORD_BYTES) {
      if (this.#item !== null) this.#item.isOversized = true;
      if (this.#text.length > MAX_SHORT_FIELD) return;
    }
    this.#text += text;
  }

  #close(name: string, isImplied: boolean): void {
    const item = this.#item;
    const depth = this.#depthInItem();
    if (name === 'rss' && !isImplied) this.isWhole = true;
    if (isImplied) this.damage ??= `<${name}> is not closed, in ${this.#place()}`;
    this.#path.pop();
    if (item === null) {
      if (this.#author !== null) this.#closeInAuthor(name);
    } else if (depth === 0) {
      if (item.fields.has('wp:post_id')) this.isWxr = true;
      this.#taken.push(item);
      this.#item = null;
    } else this.#closeInItem(item, name, depth);
    this.#text = '';
  }

  #closeInItem(item: WxrItem, name: string, depth: number): void {
    if (name === 'wp:meta_key' && depth === 2) this.#metaKey = this.#text;
    else if (name === 'wp:meta_value' && depth === 2) this.#metaValue = this.#text;
    if (depth !== 1 || item.meta.length + item.categories.length + item.fields.size > MAX_FIELDS) return;
    if (name === 'wp:postmeta') {
      item.meta.push([this.#metaKey, this.#metaValue]);
      this.#metaKey = '';
      this.#metaValue = '';
    } else if (name === 'category') {
      const { domain = 'category', nicename = '' } = this.#attributes;
      item.categories.push({ domain, slug: nicename, name: this.#text });
    } else if (!item.fields.has(name)) item.fields.set(name, this.#text);
  }

  #closeInAuthor(name: string): void {
    const author = this.#author ?? {};
    if (AUTHOR_FIELDS.has(name)) author[name] = this.#text;
    if (name !== 'wp:author') return;
    const { 'wp:author_login': login = '', 'wp:author_display_name': display = '' } = author;
    if (login !== '') this.#taken.push({ kind: 'author', login, name: display.trim() || login });
    this.#author = null;
    this.#size = 0;
  }

  #place(): string {
    const title = this.#item?.fields.get('title');
    return title ? `the post "${title.slice(0, 80)}"` : `<${this.#path.at(-2)}>`;
  }

  /** 0 for the item itself, 1 for its elements; -1 outside of items. */
  #depthInItem(): number {
    return this.#item === null ? -1 : this.#path.length - 1 - this.#path.lastIndexOf('item');
  }
}
