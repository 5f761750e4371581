/**
 * Reads the XML of a feed, well-formed or not, into the elements of its head and of its items. One item is held at a
 * time.
 */
import { Parser } from 'htmlparser2';
import { MAX_ITEMS } from './parsed-feed.ts';
import { decodeReferences } from './references.ts';
import { repairMarkup } from './repair-markup.ts';
import { resolveAddress } from './text-values.ts';
import { MAX_ATTRIBUTE, MAX_ELEMENT, NamespaceScope, type XmlElement } from './xml-element.ts';

export interface XmlFeed {
  /** Null if the document is no feed. */
  format: 'rss' | 'atom' | null;
  root: XmlElement | null;
  /** The elements of the channel or feed other than items. */
  head: XmlElement[];
  repaired: boolean;
  problems: string[];
}

/** Tags within tags. The parser's time grows with the depth of each tag. */
const MAX_DEPTH = 1_000;
const MAX_HEAD = 1_000;

const FORMATS = new Map<string, 'rss' | 'atom'>(
  Object.entries({ rss: 'rss', rdf: 'rss', channel: 'rss', feed: 'atom', entry: 'atom' } as const),
);
const CONTAINERS = new Set(['rss:rss', 'rss:channel', 'rdf:rdf', 'atom:feed']);
const ITEMS = new Set(['rss:item', 'atom:entry']);
/** An element that is open. */
interface OpenElement {
  kind: 'outside' | 'container' | 'item' | 'inside';
  element: XmlElement;
  scope: NamespaceScope;
  base: string | null;
  /** It ended before its end tag, or without one. */
  hasEnded: boolean;
}

/**
 * @param url of the document, the base of a relative `xml:base`
 * @param onItem called with each item that is whole, in order
 */
export function readXmlFeed(document: string, url: string, onItem: (item: XmlElement) => void): XmlFeed {
  const reader = new XmlReader(document, url, onItem);
  return reader.read();
}

class XmlReader {
  readonly #xml: string;
  readonly #url: string;
  readonly #onItem: (item: XmlElement) => void;
  readonly #parser: Parser;
  readonly #problems: Set<string>;
  readonly #open: OpenElement[] = [];
  readonly #head: XmlElement[] = [];
  /** One for each document: it keeps names. */
  readonly #outerScope = new NamespaceScope();
  #format: XmlFeed['format'] = null;
  #root: XmlElement | null = null;
  /** Whether the root is within other elements, as after warnings, or in a picture with RDF metadata. */
  #isEmbedded = false;
  #repaired: boolean;
  #items = 0;
  /** Characters, and some for each element, within the item or element of the head that is being read. */
  #size = 0;
  #isAtEnd = false;
  #isStopped = false;
  #isCdata = false;
  #openTagEnd = -1;

  constructor(document: string, url: string, onItem: (item: XmlElement) => void) {
    const { xml, problems } = repairMarkup(document);
    this.#xml = xml;
    this.#url = url;
    this.#onItem = onItem;
    this.#problems = new Set(problems);
    this.#repaired = problems.length > 0;
    this.#parser = new Parser(
      {
        onattribute: (_name, _value, quote) => {
          if (quote === null || quote === undefined) this.#note('an attribute was not quoted');
        },
        onopentag: (name, attributes) => this.#start(name, attributes),
        onclosetag: (_name, isImplied) => this.#end(isImplied),
        ontext: (text) => this.#text(text, !this.#isCdata),
        oncdatastart: () => {
          this.#isCdata = true;
        },
        oncdataend: () => {
          this.#isCdata = false;
        },
      },
      { xmlMode: true, decodeEntities: false },
    );
  }

  read(): XmlFeed {
    this.#parser.write(this.#xml);
    this.#isAtEnd = true;
    if (this.#open.length > 0 && !this.#isStopped) this.#note('it ends before its end tags');
    this.#parser.end();
    return {
      format: this.#isEmbedded && this.#items === 0 ? null : this.#format,
      root: this.#root,
      head: this.#head,
      repaired: this.#repaired,
      problems: [...this.#problems],
    };
  }

  #note(problem: string): void {
    this.#repaired = true;
    this.#problems.add(problem);
  }

  /** Leaves the rest of the document unread. */
  #stop(problem: string): void {
    this.#problems.add(problem);
    this.#isStopped = true;
    this.#parser.pause();
  }

  #start(whole: string, attributes: Record<string, string>): void {
    this.#openTagEnd = this.#parser.endIndex;
    if (this.#isStopped) return;
    if (this.#open.length >= MAX_DEPTH) {
      this.#stop(`elements nest ${MAX_DEPTH} deep: the rest was not read`);
      return;
    }
    const around = this.#around();
    const scope = (around?.scope ?? this.#outerScope).within(attributes);
    const name = scope.nameOf(whole, this.#format ?? FORMATS.get(whole.toLowerCase()) ?? 'other');
    const element: XmlElement = { name, attributes: this.#decoded(attributes), base: null, children: [] };
    element.base = this.#baseOf(element, around);
    this.#open.push({ kind: this.#place(element, around), element, scope, base: element.base, hasEnded: false });
  }

  /** Kind of an element, by its name and the elements around it, which may end with it. */
  #place(element: XmlElement, around: OpenElement | undefined): OpenElement['kind'] {
    const { name } = element;
    if (this.#format === null) {
      const format = FORMATS.get(name.slice(name.indexOf(':') + 1));
      if (format === undefined || name.startsWith('other:')) {
        this.#note(BEFORE);
        return 'outside';
      }
      this.#format = format;
      this.#root = element;
      this.#isEmbedded = this.#open.length > 0;
      return ITEMS.has(name) ? 'item' : 'container';
    }
    if (ITEMS.has(name)) {
      const item = this.#open.findLast(({ kind }) => kind === 'item');
      if (item !== undefined && !item.hasEnded) {
        this.#note('an item was not closed');
        this.#endItem(item);
      }
      this.#size = 0;
      return 'item';
    }
    if (around === undefined || around.kind === 'outside') return CONTAINERS.has(name) ? 'container' : 'outside';
    if (around.kind === 'container' && CONTAINERS.has(name)) return 'container';
    if (around.kind === 'container') {
      this.#size = 0;
      if (this.#head.length < MAX_HEAD) this.#head.push(element);
    } else if (this.#grow(element)) {
      around.element.children.push(element);
    }
    return 'inside';
  }

  #end(isImplied: boolean): void {
    const ended = this.#open.pop();
    if (ended === undefined || this.#isStopped) return;
    const isSelfClosing =
      this.#parser.endIndex === this.#openTagEnd && this.#xml.charCodeAt(this.#parser.endIndex - 1) === SLASH;
    if (isImplied && !isSelfClosing && !this.#isAtEnd && !ended.hasEnded) this.#note('an element was not closed');
    if (ended.kind === 'item' && !ended.hasEnded) this.#endItem(ended);
  }

  #endItem(item: OpenElement): void {
    item.hasEnded = true;
    if (this.#isAtEnd) {
      this.#problems.add('it ends within an item, which was left out');
      return;
    }
    if (this.#size > MAX_ELEMENT) {
      this.#problems.add(`an item has more than ${MAX_ELEMENT.toLocaleString('en')} characters, and was left out`);
      return;
    }
    if (this.#items === MAX_ITEMS) {
      this.#stop(`it has more than ${MAX_ITEMS.toLocaleString('en')} items: the rest was not read`);
      return;
    }
    this.#items++;
    this.#onItem(item.element);
  }

  #text(written: string, hasReferences: boolean): void {
    const around = this.#around();
    if (this.#format === null && written.trim() !== '') this.#note(BEFORE);
    if (around?.kind !== 'inside' || written === '') return;
    if (this.#size > MAX_ELEMENT) return;
    const text = hasReferences ? this.#decode(written) : written;
    this.#size += text.length;
    if (this.#size <= MAX_ELEMENT) around.element.children.push(text);
  }

  #grow({ attributes }: XmlElement): boolean {
    // Elements without text take memory too.
    this.#size += 16;
    for (const name in attributes) this.#size += name.length + (attributes[name] as string).length;
    return this.#size <= MAX_ELEMENT;
  }

  /** The innermost element that has not ended. */
  #around(): OpenElement | undefined {
    const innermost = this.#open.at(-1);
    return innermost?.hasEnded ? this.#open.findLast(({ hasEnded }) => !hasEnded) : innermost;
  }

  #decode(text: string): string {
    return decodeReferences(text, () => this.#note('an “&” was not escaped, or an entity not declared'));
  }

  #decoded(attributes: Record<string, string>): Record<string, string> {
    const decoded: Record<string, string> = {};
    let count = 0;
    for (const name in attributes) {
      const value = attributes[name] as string;
      if (++count > MAX_ATTRIBUTES) break;
      if (value.length > MAX_ATTRIBUTE) continue;
      decoded[name.toLowerCase()] = this.#decode(value);
    }
    return decoded;
  }

  #baseOf({ attributes }: XmlElement, around: OpenElement | undefined): string | null {
    const written = attributes['xml:base'];
    const outer = around?.base ?? null;
    if (written === undefined) return outer;
    return resolveAddress(written, outer ?? this.#url) ?? outer;
  }
}

const MAX_ATTRIBUTES = 50;
const SLASH = 0x2f;
const BEFORE = 'something is before the feed, such as warnings of the server';
