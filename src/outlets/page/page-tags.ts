/** The tags of an HTML page that say what it is about, unread. Its text is not kept. */
import { Parser } from 'htmlparser2';

export interface PageTags {
  /** The content of `meta` tags, by the lower-case name, property, itemprop or http-equiv; each in order. */
  metas: ReadonlyMap<string, readonly string[]>;
  /** The first address of `link` tags, by relation. */
  links: ReadonlyMap<string, string>;
  /** Text of the first `title` within the head, or outside pictures. */
  title: string | null;
  /** The first `h1` that has text. */
  heading: string | null;
  /** The language of the document. */
  language: string | null;
  /** Base of relative addresses. */
  base: string | null;
  /** `datetime` of `time` tags: those that are marked as the date of publication first. */
  times: readonly string[];
  /** Scripts with JSON-LD. */
  scripts: readonly string[];
}

/** Characters that are read. The tags are in the head, and scripts with JSON-LD before most of the text. */
const MAX_READ = 1_000_000;
/** Tags within tags: the parser's time grows with the depth of each end tag. */
const MAX_DEPTH = 500;
const MAX_VALUE = 10_000;
/** Values of one `meta` name, and names. */
const MAX_VALUES = 20;
const MAX_NAMES = 500;
const MAX_SCRIPTS = 30;
/** Characters of all scripts. */
const MAX_SCRIPT_LENGTH = 1_000_000;
const MAX_TIMES = 20;

/** More would be read than a page about one report has. */
class PageDepthError extends Error {}

/** Reads any text without an error. Of a page that is too long or too deep, it returns what precedes that place. */
export function readPageTags(html: string): PageTags {
  const reader = new TagReader();
  reader.read(html.length > MAX_READ ? html.slice(0, MAX_READ) : html);
  return reader.tags();
}

class TagReader {
  readonly #metas = new Map<string, string[]>();
  readonly #links = new Map<string, string>();
  readonly #marked: string[] = [];
  readonly #times: string[] = [];
  readonly #scripts: string[] = [];
  #language: string | null = null;
  #base: string | null = null;
  #title: string | null = null;
  #heading: string | null = null;
  #depth = 0;
  #pictures = 0;
  /** The element whose text is being kept. */
  #kept: { name: 'title' | 'h1' | 'script'; text: string; limit: number } | null = null;
  #room = MAX_SCRIPT_LENGTH;

  read(html: string): void {
    const parser = new Parser({
      onopentag: (name, attributes) => this.#open(name, attributes),
      ontext: (text) => this.#text(text),
      onclosetag: (name) => this.#close(name),
    });
    try {
      parser.write(html);
      parser.end();
    } catch (error) {
      if (!(error instanceof PageDepthError)) throw error;
    }
  }

  tags(): PageTags {
    return {
      metas: this.#metas,
      links: this.#links,
      title: this.#title,
      heading: this.#heading,
      language: this.#language,
      base: this.#base,
      times: [...this.#marked, ...this.#times],
      scripts: this.#scripts,
    };
  }

  #open(name: string, attributes: Record<string, string>): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new PageDepthError();
    switch (name) {
      case 'html':
        this.#language ??= short(attributes.lang ?? attributes['xml:lang']);
        break;
      case 'base':
        this.#base ??= short(attributes.href);
        break;
      case 'meta':
        this.#addMeta(attributes);
        break;
      case 'link':
        this.#addLink(attributes);
        break;
      case 'time':
        this.#addTime(attributes);
        break;
      case 'svg':
        this.#pictures += 1;
        break;
      case 'title':
        if (this.#title === null && this.#pictures === 0) this.#kept = { name, text: '', limit: MAX_VALUE };
        break;
      case 'h1':
        if (this.#heading === null) this.#kept ??= { name, text: '', limit: MAX_VALUE };
        break;
      case 'script':
        if (this.#wantsScript(attributes)) this.#kept = { name, text: '', limit: this.#room };
    }
  }

  #text(text: string): void {
    if (this.#kept !== null && this.#kept.text.length <= this.#kept.limit) this.#kept.text += text;
  }

  #close(name: string): void {
    this.#depth -= 1;
    if (name === 'svg') this.#pictures -= 1;
    const kept = this.#kept;
    if (kept === null || kept.name !== name) return;
    this.#kept = null;
    const isWhole = kept.text.length <= kept.limit;
    if (name === 'title') this.#title = short(kept.text);
    if (name === 'h1') this.#heading = kept.text.trim() === '' ? null : short(kept.text);
    // Half a script is no JSON.
    if (name !== 'script' || !isWhole) return;
    this.#scripts.push(kept.text);
    this.#room -= kept.text.length;
  }

  #wantsScript({ type = '' }: Record<string, string>): boolean {
    return this.#scripts.length < MAX_SCRIPTS && /^\s*application\/ld\+json\b/i.test(type.slice(0, 100));
  }

  #addMeta(attributes: Record<string, string>): void {
    const { content } = attributes;
    const name = attributes.property ?? attributes.name ?? attributes.itemprop ?? attributes['http-equiv'];
    if (content === undefined || name === undefined || content.trim() === '' || name.length > 100) return;
    const key = name.trim().toLowerCase();
    const values = this.#metas.get(key) ?? [];
    if (values.length >= MAX_VALUES || (values.length === 0 && this.#metas.size >= MAX_NAMES)) return;
    values.push(content.slice(0, MAX_VALUE));
    this.#metas.set(key, values);
  }

  #addLink({ rel = '', href = '' }: Record<string, string>): void {
    if (href.trim() === '' || href.length > MAX_VALUE) return;
    for (const relation of rel.slice(0, 200).toLowerCase().split(/\s+/)) {
      if (!this.#links.has(relation) && this.#links.size < MAX_NAMES) this.#links.set(relation, href);
    }
  }

  #addTime(attributes: Record<string, string>): void {
    const { datetime } = attributes;
    if (datetime === undefined || datetime.length > 100) return;
    const isMarked = attributes.pubdate !== undefined || /published/i.test((attributes.itemprop ?? '').slice(0, 100));
    const list = isMarked ? this.#marked : this.#times;
    if (list.length < MAX_TIMES) list.push(datetime);
  }
}

function short(value: string | undefined): string | null {
  return value === undefined || value.trim() === '' ? null : value.slice(0, MAX_VALUE);
}
