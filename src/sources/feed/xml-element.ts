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
