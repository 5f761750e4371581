/**
 * The checks of the W3C feed validator (github.com/w3c/feedvalidator) for a feed at its public URL, with the names of
 * its errors and warnings. The validator itself is neither in Debian nor on npm. These rules follow its source, and
 * cover every element that daywire writes; unknown elements are reported. Left out is DuplicateUpdated: stories of one
 * minute have the same `updated`.
 */
import { childrenOf, parseXml, textOf, type XmlElement } from './xml.ts';

const ATOM = 'http://www.w3.org/2005/Atom';
const TOMBSTONES = 'http://purl.org/atompub/tombstones/1.0';
const NAMESPACES: Record<string, string> = {
  atom: ATOM,
  content: 'http://purl.org/rss/1.0/modules/content/',
  dc: 'http://purl.org/dc/elements/1.1/',
  dcterms: 'http://purl.org/dc/terms/',
  itunes: 'http://www.itunes.com/dtds/podcast-1.0.dtd',
  media: 'http://search.yahoo.com/mrss/',
  // The validator warns of these two, which it does not check (docs/decisions/2026-11-24-feed-package.md).
  podcast: 'https://podcastindex.org/namespace/1.0',
  webfeeds: 'http://webfeeds.org/rss/1.0',
};

/** @param url the feed's public URL @returns problems such as `item: DuplicateElement title` */
export function validateFeed(xml: string, url: string, now: number): string[] {
  const root = parseXml(xml);
  const check = new Checks(url, now);
  check.namespaces(root);
  if (root.qname === 'rss') check.rss(root);
  else if (root.qname === 'feed' && root.namespace === ATOM) check.atom(root);
  else check.found.push(`UndefinedElement ${root.qname}`);
  return check.found;
}

type Once = Record<string, 'once' | 'many'>;

class Checks {
  readonly found: string[] = [];
  private readonly url: string;
  private readonly now: number;
  constructor(url: string, now: number) {
    this.url = url;
    this.now = now;
  }

  namespaces(element: XmlElement): void {
    for (const [name, value] of Object.entries(element.attributes)) {
      const prefix = name.startsWith('xmlns:') ? name.slice(6) : null;
      if (prefix === null || value === TOMBSTONES) continue;
      if (NAMESPACES[prefix] !== value) this.say(element, `UnknownNamespace ${value}`);
      if (element.namespace === ATOM && prefix === 'atom') this.say(element, 'AvoidNamespacePrefix');
    }
    element.children.forEach((child) => {
      this.namespaces(child);
    });
  }

  rss(root: XmlElement): void {
    this.attributes(root, ['version']);
    if (root.attributes.version !== '2.0') this.say(root, 'InvalidRSSVersion');
    const [channel] = childrenOf(root, 'channel');
    if (channel === undefined || root.children.length !== 1) {
      this.say(root, 'MissingElement channel');
      return;
    }
    this.known(channel, {
      title: 'once',
      link: 'once',
      description: 'once',
      lastBuildDate: 'once',
      pubDate: 'once',
      image: 'once',
      docs: 'once',
      generator: 'once',
      language: 'once',
      ttl: 'once',
      copyright: 'once',
      'atom:link': 'many',
      'webfeeds:icon': 'once',
      'webfeeds:accentColor': 'once',
      'webfeeds:cover': 'once',
      'itunes:author': 'once',
      'itunes:category': 'many',
      'itunes:image': 'once',
      'itunes:explicit': 'once',
      'itunes:owner': 'once',
      'podcast:guid': 'once',
      'podcast:locked': 'once',
      'podcast:medium': 'once',
      item: 'many',
    });
    for (const name of ['title', 'link', 'description', 'language']) this.required(channel, name);
    const firstItem = channel.children.findIndex((child) => child.qname === 'item');
    const lastMeta = channel.children.findLastIndex((child) => child.qname !== 'item');
    if (firstItem >= 0 && lastMeta > firstItem) this.say(channel, 'MisplacedItem');
    for (const name of ['title', 'description', 'copyright']) this.plain(channel, name);
    for (const name of ['link', 'docs']) this.fullUri(channel, textOf(channel, name) ?? '');
    for (const name of ['lastBuildDate', 'pubDate']) this.rfc822(channel, name);
    this.image(channel);
    if ('xmlns:itunes' in root.attributes) this.podcast(channel);
    this.language(channel, textOf(channel, 'language') ?? '');
    if (!/^[1-9]\d*$/.test(textOf(channel, 'ttl') ?? '1')) this.say(channel, 'InvalidPositiveInteger ttl');
    this.self(channel, childrenOf(channel, 'atom:link'), 'MissingAtomSelfLink');
    const items = childrenOf(channel, 'item');
    items.forEach((item) => {
      this.item(item);
    });
    this.unique(
      channel,
      items.map((item) => textOf(item, 'guid') ?? ''),
      'DuplicateValue guid',
    );
  }

  private image(channel: XmlElement): void {
    for (const image of childrenOf(channel, 'image')) {
      this.known(image, { url: 'once', title: 'once', link: 'once', width: 'once', height: 'once' });
      if (textOf(image, 'title') !== textOf(channel, 'title')) this.say(image, 'ImageTitleDoesntMatch');
      if (textOf(image, 'link') !== textOf(channel, 'link')) this.say(image, 'ImageLinkDoesntMatch');
      if (!/\.(?:png|jpe?g|gif)$/.test(textOf(image, 'url') ?? '')) this.say(image, 'ImageUrlFormat');
      this.fullUri(image, textOf(image, 'url') ?? '');
      if (!(Number(textOf(image, 'width') ?? 88) <= 144)) this.say(image, 'InvalidWidth');
      if (!(Number(textOf(image, 'height') ?? 31) <= 400)) this.say(image, 'InvalidHeight');
    }
  }

  /** Also what Apple requires beyond the validator. */
  private podcast(channel: XmlElement): void {
    for (const name of ['itunes:author', 'itunes:explicit']) this.required(channel, name);
    for (const name of ['itunes:category', 'itunes:image', 'itunes:owner']) {
      if (childrenOf(channel, name).length === 0) this.say(channel, `MissingItunesElement ${name}`);
    }
    for (const image of childrenOf(channel, 'itunes:image')) this.httpUrl(image, image.attributes.href ?? '');
    for (const owner of childrenOf(channel, 'itunes:owner')) this.required(owner, 'itunes:email');
    if (!/^(?:true|false)$/.test(textOf(channel, 'itunes:explicit') ?? '')) this.say(channel, 'InvalidTrueFalse');
    for (const item of childrenOf(channel, 'item')) {
      const [enclosure] = childrenOf(item, 'enclosure');
      if (enclosure !== undefined && !/\.(?:m4a|mp3|mov|mp4|m4v|pdf|epub)$/.test(enclosure.attributes.url ?? '')) {
        this.say(item, 'UnsupportedItunesFormat');
      }
      if (!/^\d+(?::[0-5]\d){0,2}$/.test(textOf(item, 'itunes:duration') ?? '1')) this.say(item, 'InvalidDuration');
    }
  }

  private item(item: XmlElement): void {
    this.attributes(item, []);
    this.known(item, {
      title: 'once',
      link: 'once',
      guid: 'once',
      pubDate: 'once',
      description: 'once',
      'content:encoded': 'once',
      category: 'many',
      enclosure: 'once',
      source: 'once',
      'dc:creator': 'many',
      'dc:language': 'once',
      'dcterms:modified': 'once',
      'itunes:duration': 'once',
      'media:content': 'many',
      'media:thumbnail': 'many',
    });
    for (const name of ['title', 'link', 'guid', 'description']) this.required(item, name);
    this.plain(item, 'title');
    this.fullUri(item, textOf(item, 'link') ?? '');
    this.guid(item);
    this.rfc822(item, 'pubDate');
    // The profile of ISO 8601 that the validator calls W3CDTF includes these.
    this.rfc3339(item, 'dcterms:modified');
    const order = item.children.map(({ qname }) => qname);
    if (
      order.includes('content:encoded') &&
      !order.slice(0, order.indexOf('content:encoded')).includes('description')
    ) {
      this.say(item, 'NeedDescriptionBeforeContent');
    }
    for (const name of ['description', 'content:encoded']) {
      for (const child of childrenOf(item, name)) this.html(item, child.text);
    }
    for (const category of childrenOf(item, 'category')) this.blank(item, category);
    this.plain(item, 'category');
    for (const creator of childrenOf(item, 'dc:creator')) this.blank(item, creator);
    for (const language of childrenOf(item, 'dc:language')) this.language(item, language.text);
    for (const enclosure of childrenOf(item, 'enclosure')) {
      this.attributes(enclosure, ['url', 'length', 'type']);
      this.length(enclosure, 'length');
      this.mime(enclosure);
      this.httpUrl(enclosure, enclosure.attributes.url ?? '');
    }
    for (const source of childrenOf(item, 'source')) {
      this.attributes(source, ['url']);
      this.httpUrl(source, source.attributes.url ?? '');
      this.blank(item, source);
      this.plain(item, 'source');
    }
    this.media(item);
  }

  private guid(item: XmlElement): void {
    for (const guid of childrenOf(item, 'guid')) {
      this.attributes(guid, ['isPermaLink']);
      if (guid.attributes.isPermaLink !== 'false') this.say(item, 'InvalidPermalink');
      this.tag(item, guid.text);
    }
  }

  atom(feed: XmlElement): void {
    this.attributes(feed, []);
    this.known(feed, {
      id: 'once',
      title: 'once',
      updated: 'once',
      generator: 'once',
      author: 'many',
      link: 'many',
      subtitle: 'once',
      icon: 'once',
      logo: 'once',
      rights: 'once',
      entry: 'many',
      'at:deleted-entry': 'many',
    });
    for (const name of ['id', 'title', 'updated']) this.required(feed, name);
    const metadata = feed.children.findLastIndex(({ qname }) => !['entry', 'at:deleted-entry'].includes(qname));
    const first = feed.children.findIndex(({ qname }) => qname === 'entry');
    if (first >= 0 && metadata > first) this.say(feed, 'MisplacedMetadata');
    if (feed.attributes['xml:lang'] === undefined) this.say(feed, 'MissingDCLanguage');
    else this.language(feed, feed.attributes['xml:lang']);
    this.tag(feed, textOf(feed, 'id') ?? '');
    this.rfc3339(feed, 'updated');
    for (const name of ['title', 'subtitle', 'rights']) this.construct(feed, name);
    for (const name of ['icon', 'logo']) for (const { text } of childrenOf(feed, name)) this.fullUri(feed, text);
    this.self(feed, childrenOf(feed, 'link'), 'MissingSelf');
    childrenOf(feed, 'author').forEach((author) => {
      this.person(author);
    });
    const entries = childrenOf(feed, 'entry');
    entries.forEach((entry) => {
      this.entry(entry, childrenOf(feed, 'author').length > 0);
    });
    this.unique(
      feed,
      entries.map((entry) => textOf(entry, 'id') ?? ''),
      'DuplicateEntries',
    );
  }

  private entry(entry: XmlElement, feedHasAuthor: boolean): void {
    this.attributes(entry, []);
    this.known(entry, {
      id: 'once',
      title: 'once',
      updated: 'once',
      published: 'once',
      summary: 'once',
      content: 'once',
      link: 'many',
      author: 'many',
      contributor: 'many',
      category: 'many',
      'media:content': 'many',
      'media:thumbnail': 'many',
    });
    for (const name of ['id', 'title', 'updated']) this.required(entry, name);
    if (!feedHasAuthor) this.required(entry, 'author');
    if (textOf(entry, 'content') === null && textOf(entry, 'summary') === null)
      this.say(entry, 'MissingTextualContent');
    this.tag(entry, textOf(entry, 'id') ?? '');
    for (const name of ['updated', 'published']) this.rfc3339(entry, name);
    for (const name of ['title', 'summary', 'content']) this.construct(entry, name);
    const links = childrenOf(entry, 'link');
    links.forEach((link) => {
      this.link(link);
    });
    const alternates = links.filter(({ attributes }) => (attributes.rel ?? 'alternate') === 'alternate');
    this.unique(
      entry,
      alternates.map(({ attributes }) => `${attributes.type} ${attributes.hreflang}`),
      'DuplicateAtomLink',
    );
    childrenOf(entry, 'author').forEach((author) => {
      this.person(author);
    });
    for (const category of childrenOf(entry, 'category')) {
      this.attributes(category, ['term', 'scheme', 'label']);
      if ((category.attributes.term ?? '') === '') this.say(category, 'MissingAttribute term');
    }
    this.media(entry);
  }

  private media(parent: XmlElement): void {
    this.thumbnails(parent);
    for (const content of childrenOf(parent, 'media:content')) {
      this.attributes(content, ['url', 'fileSize', 'type', 'medium', 'width', 'height', 'duration']);
      this.known(content, { 'media:title': 'once', 'media:description': 'once', 'media:credit': 'many' });
      for (const name of ['fileSize', 'width', 'height', 'duration']) {
        if (!/^[1-9]\d*$/.test(content.attributes[name] ?? '1')) this.say(content, `InvalidPositiveInteger ${name}`);
      }
      if (!['image', 'audio', 'video', 'document', 'executable'].includes(content.attributes.medium ?? 'image')) {
        this.say(content, 'InvalidMediaMedium');
      }
      // Optional, as are all attributes but the address (Media RSS 1.5.1).
      if (content.attributes.type !== undefined) this.mime(content);
      this.fullUri(content, content.attributes.url ?? '');
      for (const name of ['media:title', 'media:description']) this.plain(content, name);
    }
  }

  private thumbnails(parent: XmlElement): void {
    for (const thumbnail of childrenOf(parent, 'media:thumbnail')) {
      this.attributes(thumbnail, ['url', 'width', 'height', 'time']);
      this.fullUri(thumbnail, thumbnail.attributes.url ?? '');
      if (!/^[1-9]\d*$/.test(thumbnail.attributes.width ?? '1')) this.say(thumbnail, 'InvalidPositiveInteger width');
    }
  }

  private link(link: XmlElement): void {
    this.attributes(link, ['rel', 'type', 'href', 'length', 'title', 'hreflang']);
    if (link.text.trim() !== '') this.say(link, 'AtomLinkNotEmpty');
    if (!REGISTERED_RELATIONS.includes(link.attributes.rel ?? 'alternate')) this.say(link, 'UnregisteredAtomLinkRel');
    if (link.attributes.href === undefined) this.say(link, 'MissingHref');
    this.fullUri(link, link.attributes.href ?? '');
    if (link.attributes.type !== undefined) this.mime(link);
    if (link.attributes.length !== undefined) this.length(link, 'length');
    if (link.attributes.title === '') this.say(link, 'AttrNotBlank title');
  }

  private self(parent: XmlElement, links: XmlElement[], missing: string): void {
    links.forEach((link) => {
      this.link(link);
    });
    const self = links.filter(({ attributes }) => attributes.rel === 'self');
    if (self.length === 0) this.say(parent, missing);
    for (const link of self) if (link.attributes.href !== this.url) this.say(link, 'SelfDoesntMatchLocation');
  }

  private person(author: XmlElement): void {
    this.known(author, { name: 'once', email: 'once', uri: 'once' });
    this.required(author, 'name');
    const email = textOf(author, 'email');
    if (email !== null && !/^[A-Z0-9_\-+.']+@([A-Z0-9-]+\.)+[A-Z0-9][-A-Z0-9]*$/i.test(email))
      this.say(author, 'InvalidAddrSpec');
    const uri = textOf(author, 'uri');
    if (uri !== null) this.fullUri(author, uri);
  }

  // textConstruct: text that looks like HTML and says it is not, or HTML that is not safe.
  private construct(parent: XmlElement, name: string): void {
    for (const child of childrenOf(parent, name)) {
      this.attributes(child, ['type']);
      const type = child.attributes.type ?? 'text';
      if (child.text === '') this.say(child, 'NotBlank');
      if (type === 'html') this.html(child, child.text);
      else if (type === 'text') this.plainText(child, child.text, 'ContainsUndeclaredHTML');
      else this.say(child, 'InvalidTextType');
    }
  }

  private plain(parent: XmlElement, name: string): void {
    for (const child of childrenOf(parent, name)) this.plainText(child, child.text, 'ContainsHTML');
  }

  private plainText(element: XmlElement, text: string, rule: string): void {
    if (/<\/(?:a|b|i|p|em|strong|span|div|br|script|style|title|code|u|s|sub|sup)>/i.test(text))
      this.say(element, rule);
  }

  private html(element: XmlElement, html: string): void {
    for (const [, name = '', attributes = ''] of html.matchAll(/<([a-zA-Z][^\s/>]*)((?:"[^"]*"|[^">])*)>/g)) {
      if (!HTML_TAGS.has(name.toLowerCase())) this.say(element, `NotHtml ${name}`);
      if (/^(script|style|iframe|object|embed|link|meta|base)$/i.test(name)) this.say(element, `SecurityRisk ${name}`);
      if (/\son[a-z]+\s*=/i.test(attributes)) this.say(element, 'SecurityRiskAttr');
      for (const [, url = ''] of attributes.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
        if (!/^\w+:/.test(url)) this.say(element, `ContainsRelRef ${url}`);
      }
      if (name === 'img' && !(/\ssrc="/.test(attributes) && /\salt="/.test(attributes)))
        this.say(element, 'img without src or alt');
    }
    if (/&(?!#\d+;|#x[0-9a-f]+;|\w+;)/i.test(html)) this.say(element, 'NotHtml: a bare ampersand');
  }

  private known(parent: XmlElement, elements: Once): void {
    const seen = new Set<string>();
    for (const { qname } of parent.children) {
      const rule = elements[qname];
      if (rule === undefined) this.say(parent, `UndefinedElement ${qname}`);
      if (rule === 'once' && seen.has(qname)) {
        this.say(parent, qname === 'enclosure' ? 'DuplicateEnclosure' : `DuplicateElement ${qname}`);
      }
      seen.add(qname);
    }
  }

  private attributes(element: XmlElement, names: string[]): void {
    for (const name of Object.keys(element.attributes)) {
      if (!names.includes(name) && !name.startsWith('xmlns') && name !== 'xml:lang') {
        this.say(element, `UnexpectedAttribute ${name}`);
      }
    }
    if (element.attributes['xml:lang'] !== undefined) this.language(element, element.attributes['xml:lang']);
  }

  private required(parent: XmlElement, name: string): void {
    const [child] = childrenOf(parent, name);
    if (child === undefined) this.say(parent, `MissingElement ${name}`);
    else if (child.children.length === 0) this.blank(parent, child);
  }

  private blank(parent: XmlElement, child: XmlElement): void {
    if (child.text.trim() === '') this.say(parent, `NotBlank ${child.qname}`);
  }

  private rfc822(parent: XmlElement, name: string): void {
    const text = textOf(parent, name);
    if (text === null) return;
    if (!/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text))
      this.say(parent, `InvalidRFC2822Date ${name}`);
    else if (new Date(text).toUTCString() !== text) this.say(parent, `IncorrectDOW ${name}`);
    this.plausible(parent, name, text);
  }

  private rfc3339(parent: XmlElement, name: string): void {
    const text = textOf(parent, name);
    if (text === null) return;
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text))
      this.say(parent, `InvalidRFC3339Date ${name}`);
    this.plausible(parent, name, text);
  }

  private plausible(parent: XmlElement, name: string, text: string): void {
    const instant = Date.parse(text);
    if (!(instant >= Date.UTC(1990, 0) && instant <= this.now + 600_000)) this.say(parent, `ImplausibleDate ${name}`);
  }

  private tag(parent: XmlElement, uri: string): void {
    if (!/^tag:[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,]*$/.test(uri))
      this.say(parent, `InvalidTAG ${uri}`);
  }

  private fullUri(element: XmlElement, uri: string): void {
    if (
      !/^https?:\/\/[^/]/.test(uri) ||
      !/^[a-z]+:(\/\/)?(\[[0-9a-f:]+\])?[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,#]+$/.test(uri)
    ) {
      this.say(element, `InvalidFullLink ${uri}`);
    }
  }

  private httpUrl(element: XmlElement, uri: string): void {
    if (!/^https?:\/\/(\d+\.\d+\.\d+\.\d+|([A-Z0-9-]+\.)+[A-Z0-9][-A-Z0-9]*)(:\d+)?(\/|$)/i.test(uri)) {
      this.say(element, `InvalidURLAttribute ${uri}`);
    }
    this.fullUri(element, uri);
  }

  private length(element: XmlElement, name: string): void {
    // 0 is "unknown".
    if (!/^(?:0|[1-9]\d*)$/.test(element.attributes[name] ?? ''))
      this.say(element, `InvalidNonNegativeInteger ${name}`);
  }

  private mime(element: XmlElement): void {
    if (!/^[^\s()<>,;:\\"/[\]?=]+\/[^\s()<>,;:\\"/[\]?=]+$/.test(element.attributes.type ?? ''))
      this.say(element, 'InvalidMIMEType');
  }

  private language(element: XmlElement, tag: string): void {
    if (!/^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(tag)) this.say(element, `InvalidLanguage ${tag}`);
  }

  private unique(parent: XmlElement, values: string[], rule: string): void {
    if (new Set(values).size !== values.length) this.say(parent, rule);
  }

  private say(element: XmlElement, rule: string): void {
    this.found.push(`${element.qname}: ${rule}`);
  }
}

const REGISTERED_RELATIONS = ['alternate', 'self', 'enclosure', 'related', 'via', 'hub'];

const HTML_TAGS = new Set(
  (
    'a abbr address article aside b bdi blockquote br caption cite code col colgroup dd del dfn div dl dt em ' +
    'figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p picture pre q rp rt ruby s ' +
    'samp section small source span strong sub sup table tbody td tfoot th thead time tr u ul var wbr'
  ).split(' '),
);
