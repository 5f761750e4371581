/**
 * Web readers that add a feed by a link, with the addresses that each of them documents or its own bookmarklet calls.
 */

export interface ReaderLink {
  name: string;
  url: string;
}

const ADDRESSES: [name: string, before: string][] = [
  ['Feedly', 'https://feedly.com/i/subscription/feed/'],
  ['Inoreader', 'https://www.inoreader.com/?add_feed='],
  ['NewsBlur', 'https://www.newsblur.com/?url='],
  ['The Old Reader', 'https://theoldreader.com/feeds/subscribe?url='],
  ['Feedbin', 'https://feedbin.com/?subscribe='],
  ['BazQux', 'https://bazqux.com/add?url='],
];

/** One link for each reader. @param feedUrl absolute, of the format that the reader shall have */
export function readerLinks(feedUrl: string): ReaderLink[] {
  return ADDRESSES.map(([name, before]) => ({ name, url: before + encodeURIComponent(feedUrl) }));
}
