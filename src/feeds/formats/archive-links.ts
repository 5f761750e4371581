/**
 * How a feed and its archives lead to each other (RFC 5005 §4), in RSS and Atom.
 */

import type { Slots } from './feed-package.ts';
import type { FeedView } from './feed-view.ts';

/**
 * What stands in the head behind the self link. There is no `next-archive`: it would change an archive that is closed.
 * @param indent goes before each element
 */
export function historyElements(view: FeedView, format: 'rss' | 'atom', slots: Slots, indent: string): string {
  const { current, previous } = view;
  const name = format === 'rss' ? 'atom:link' : 'link';
  const type = `application/${format}+xml`;
  const link = (rel: string, url: string): string => `<${name} rel="${rel}" href="${slots.text(url)}" type="${type}"/>`;
  return [
    ...(previous === null ? [] : [link('prev-archive', previous[format])]),
    ...(current === null ? [] : [link('current', current[format]), ARCHIVE]),
  ]
    .map((element) => indent + element)
    .join('');
}

const ARCHIVE = '<fh:archive xmlns:fh="http://purl.org/syndication/history/1.0"/>';
