/**
 * Elements of a feed, and their names, for any prefix that a feed uses for their namespace: `rss:item`, `atom:entry`,
 * `dc:creator`. Local names are in lower case, because feeds write `pubdate` and `PubDate`.
 */

const NAMESPACES = new Map(
  Object.entries({
    'http://my.netscape.com/rdf/simple/0.9/': 'rss',
    'http://channel.netscape.com/rdf/simple/0.9/': 'rss',
    'http://purl.org/rss/1.0/': 'rss',
    'http://purl.org/net/rss1.1#': 'rss',
    'http://backend.userland.com/rss2': 'rss',
    'http://backend.userland.com/rss': 'rss',
    'http://blogs.law.harvard.edu/tech/rss': 'rss',
    'http://purl.org/atom/ns#': 'atom',
    'http://www.w3.org/2005/Atom': 'atom',
    'http://www.w3.org/1999/02/22-rdf-syntax-ns#': 'rdf',
    'http://purl.org/dc/elements/1.0/': 'dc',
    'http://purl.org/dc/elements/1.1/': 'dc',
    'http://purl.org/dc/terms/': 'dcterms',
    'http://purl.org/rss/1.0/modules/content/': 'content',
    'http://search.yahoo.com/mrss/': 'media',
    'http://www.itunes.com/dtds/podcast-1.0.dtd': 'itunes',
    'http://www.w3.org/1999/xhtml': 'xhtml',
    'http://purl.org/atompub/tombstones/1.0': 'at',
  }),
);

/** Prefixes that mean the usual namespace where a feed declares none, or one with a typing error. */
const PREFIXES = new Map([
  ...['rss', 'atom', 'rdf', 'dc', 'dcterms', 'content', 'media', 'itunes', 'xhtml', 'at'].map(
    (one): [string, string] => [one, one],
  ),
  ['atom10', 'atom'],
]);

/** The namespaces that are in force within an element. */
export class NamespaceScope {
  readonly #namespaces: ReadonlyMap<string, string>;
  readonly #names = new Map<string, string>();
  /** The value of `byDefault` that `#names` was filled with. */
  #default = '';

  constructor(namespaces: ReadonlyMap<string, string> = new Map()) {
    this.#namespaces = namespaces;
  }

  /** The scope within an element that has these attributes. */
  within(attributes: Record<string, string>): NamespaceScope {
    let declared: Map<string, string> | null = null;
    for (const name in attributes) {
      if (!name.startsWith('xmlns') || (name.length > 5 && name[5] !== ':')) continue;
      declared ??= new Map(this.#namespaces);
      if (declared.size < MAX_PREFIXES) declared.set(name.slice(6), (attributes[name] as string).trim());
    }
    return declared === null ? this : new NamespaceScope(declared);
  }

  /**
   * The name of an element, such as `dc:creator`; `other:…` if its namespace is none of a feed.
   * @param whole the name as written
   * @param byDefault what a name without prefix and known namespace belongs to
   */
  nameOf(whole: string, byDefault: string): string {
    // The format is known from the first element of a feed on.
    if (byDefault !== this.#default) this.#names.clear();
    this.#default = byDefault;
    const known = this.#names.get(whole);
    if (known !== undefined) return known;
    const colon = whole.indexOf(':');
    const prefix = colon === -1 ? '' : whole.slice(0, colon);
    const namespace = NAMESPACES.get(this.#namespaces.get(prefix) ?? '') ?? PREFIXES.get(prefix.toLowerCase());
    const name = `${namespace ?? (prefix === '' ? byDefault : 'other')}:${whole.slice(colon + 1).toLowerCase()}`;
    if (this.#names.size < MAX_NAMES) this.#names.set(whole, name);
    return name;
  }
}

/** More than any feed has: hostile documents invent names without end. */
const MAX_NAMES = 500;
const MAX_PREFIXES = 100;

/** An element of a feed, below its channel or item. */
export interface XmlElement {
  /** As `NamespaceScope.nameOf` gives it: `dc:creator`. */
  name: string;
  /** References decoded; names as written, in lower case. */
  attributes: Record<string, string>;
  /** The `xml:base` in force, absolute, or null where the feed states none. */
  base: string | null;
  /** References decoded. Adjacent texts are separate. */
  children: (XmlElement | string)[];
}

/** Characters of an attribute. A longer one counts as none: a URL that was cut is another URL. */
export const MAX_ATTRIBUTE = 8_192;
/**
 * Characters of an item with all within it. A longer one is left out, because an article with half a body would be
 * published. Pictures within the text, as `data:` URLs, take most of such an item.
 */
export const MAX_ELEMENT = 5_000_000;

/** All text within an element. */
export function textOf(element: XmlElement): string {
  const [first] = element.children;
  if (element.children.length < 2) return first === undefined ? '' : typeof first === 'string' ? first : textOf(first);
  return element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}

/** The elements among the children. */
export function elementsOf(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== 'string');
}
