/** Rules about an RSS document, and how they are judged. Pure. */
import { plainLine } from '../../lib/text/clean-text.ts';
import { elementsOf, textOf, type XmlElement } from '../../sources/feed/xml-element.ts';

/** A document that has been read. */
export interface ReadFeed {
  head: XmlElement[];
  items: XmlElement[];
  bytes: number;
}

export interface FeedRule {
  rule: string;
  /** What makes a feed meet it. */
  change: string;
  judge: (feed: ReadFeed) => { outcome: 'meets' | 'breaks' | 'not applicable'; found: string };
}

/** A rule about each item. @param test null for an item that it does not concern */
export function eachItem(rule: string, change: string, test: (item: XmlElement) => boolean | null): FeedRule {
  return {
    ...{ rule, change },
    judge: ({ items }) => {
      const judged = items.filter((item) => test(item) !== null);
      const [first, ...others] = judged.filter((item) => test(item) === false);
      if (judged.length === 0) return { outcome: 'not applicable', found: 'there is no such item' };
      if (first === undefined) return { outcome: 'meets', found: `items: ${judged.length}` };
      const title = titleOf(first).slice(0, 60);
      return { outcome: 'breaks', found: `${others.length + 1} of ${judged.length} items do not, first "${title}"` };
    },
  };
}

/** A rule about the document. */
export function wholeFeed(rule: string, change: string, test: (feed: ReadFeed) => [boolean, string]): FeedRule {
  const judge: FeedRule['judge'] = (feed) => {
    const [isMet, found] = test(feed);
    return { outcome: isMet ? 'meets' : 'breaks', found: plainLine(found).slice(0, 80) };
  };
  return { rule, change, judge };
}

/** A rule about an element of the channel: its `href` or `text`, or the text in it, matches. */
export function channelHas(name: string, change: string, pattern = /\S/, what = name): FeedRule {
  return wholeFeed(`the channel has ${what}`, change, ({ head }) => {
    const element = head.find((one) => one.name === elementName(name));
    const { href, text } = element?.attributes ?? {};
    const found = element === undefined ? '' : (href ?? text ?? textOf(element)).trim();
    return [pattern.test(found), found || 'none'];
  });
}

/** Whether an element with text is in the item. */
export function hasText(item: XmlElement, name: string): boolean {
  return below(item, elementName(name)).some((one) => textOf(one).trim() !== '');
}

export function titleOf(item: XmlElement): string {
  return plainLine(below(item, 'rss:title').map(textOf).join(''));
}

/** The elements below one with that name, at any depth. */
export function below(element: XmlElement, name: string): XmlElement[] {
  return elementsOf(element).flatMap((one) => [...(one.name === name ? [one] : []), ...below(one, name)]);
}

/** `rss:pubdate` for `pubDate`. */
function elementName(written: string): string {
  return written.includes(':') ? written.toLowerCase() : `rss:${written.toLowerCase()}`;
}
