/**
 * A small XML parser for tests: elements, attributes and text, with namespaces resolved. It expects XML that xmllint
 * accepts, and throws if it does not know a construct.
 */
export interface XmlElement {
  /** Namespace URI; empty for none. */
  namespace: string;
  /** The local name. */
  name: string;
  /** As written, such as `media:content`. */
  qname: string;
  /** By name as written. */
  attributes: Record<string, string>;
  children: XmlElement[];
  /** Its own text, decoded. */
  text: string;
}

const TOKEN = new RegExp(
  [
    /<\?[\s\S]*?\?>/,
    /<!\[CDATA\[([\s\S]*?)\]\]>/,
    /<\/([^\s>]+)\s*>/,
    /<([^\s/>!?]+)((?:\s+[^\s=]+\s*=\s*"[^"]*")*)\s*(\/?)>/,
    /([^<]+)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

/** @returns the root element @throws Error if the text is not understood */
export function parseXml(xml: string): XmlElement {
  const document = element('', '', {});
  const open = [document];
  const scopes: Record<string, string>[] = [{ xml: 'http://www.w3.org/XML/1998/namespace' }];
  let at = 0;
  for (const match of xml.matchAll(TOKEN)) {
    if (match.index !== at) throw new Error(`not understood at ${at}: ${xml.slice(at, at + 40)}`);
    at += match[0].length;
    const parent = open.at(-1) as XmlElement;
    const [, cdata, closing, opening, attributeText = '', selfClosing, text] = match;
    if (cdata !== undefined) parent.text += cdata;
    else if (text !== undefined) parent.text += decode(text);
    else if (closing !== undefined) {
      if (parent.qname !== closing) throw new Error(`</${closing}> closes <${parent.qname}>`);
      open.pop();
      scopes.pop();
    } else if (opening !== undefined) {
      const attributes = attributesOf(attributeText);
      const scope = { ...scopes.at(-1) };
      for (const [name, value] of Object.entries(attributes)) {
        if (name === 'xmlns') scope[''] = value;
        else if (name.startsWith('xmlns:')) scope[name.slice(6)] = value;
      }
      const [prefix, local] = opening.includes(':') ? opening.split(':', 2) : ['', opening];
      const namespace = scope[prefix as string];
      if (prefix !== '' && namespace === undefined) throw new Error(`the prefix ${prefix} is not declared`);
      const child = element(namespace ?? '', local as string, attributes, opening);
      parent.children.push(child);
      if (selfClosing === '') {
        open.push(child);
        scopes.push(scope);
      }
    }
  }
  if (at !== xml.length || open.length !== 1 || document.children.length !== 1)
    throw new Error('not one whole document');
  return document.children[0] as XmlElement;
}

/** The children of that name as written. */
export function childrenOf(parent: XmlElement, qname: string): XmlElement[] {
  return parent.children.filter((child) => child.qname === qname);
}

/** The text of the only child of that name, or null. */
export function textOf(parent: XmlElement, qname: string): string | null {
  return childrenOf(parent, qname)[0]?.text ?? null;
}

function element(namespace: string, name: string, attributes: Record<string, string>, qname = name): XmlElement {
  return { namespace, name, qname, attributes, children: [], text: '' };
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/([^\s=]+)\s*=\s*"([^"]*)"/g)) {
    if (name in attributes) throw new Error(`the attribute ${name} occurs twice`);
    attributes[name] = decode(value);
  }
  return attributes;
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(?:#x([0-9A-Fa-f]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (name === undefined) return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
    const character = NAMED[name as string];
    if (character === undefined) throw new Error(`the entity ${whole} is not declared`);
    return character;
  });
}
