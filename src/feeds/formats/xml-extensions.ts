/** What RSS and Atom share: links between a feed and its archive (RFC 5005 §4), Media RSS, and the place of bodies. */
import type { ItemText, Slots } from './feed-package.ts';
import type { FeedItem, FeedView } from './feed-view.ts';

const ARCHIVE = '<fh:archive xmlns:fh="http://purl.org/syndication/history/1.0"/>';

/**
 * Links of a feed's head. There is no `next-archive`: it would change a closed page.
 * @param indent precedes each element
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

export const MEDIA_NAMESPACE = 'http://search.yahoo.com/mrss/';

/** A `media:content` element for each file, and a `media:thumbnail`, as XML with slots. */
export function mediaElements({ media, thumbnail }: Pick<FeedItem, 'media' | 'thumbnail'>, slots: Slots): string[] {
  const contents = media.map((one) => {
    const attributes = [
      `url="${slots.text(one.url)}"`,
      one.length ? ` fileSize="${one.length}"` : '',
      one.type === null ? '' : ` type="${slots.text(one.type)}"`,
      ` medium="${one.medium}"`,
      one.width === null ? '' : ` width="${one.width}"`,
      one.height === null ? '' : ` height="${one.height}"`,
      one.duration === null ? '' : ` duration="${one.duration}"`,
    ].join('');
    const children = [
      one.title === null ? '' : `<media:title type="plain">${slots.text(one.title)}</media:title>`,
      one.description === null
        ? ''
        : `<media:description type="plain">${slots.text(one.description)}</media:description>`,
      one.credit === null ? '' : `<media:credit>${slots.text(one.credit)}</media:credit>`,
    ].join('');
    return children === ''
      ? `<media:content ${attributes}/>`
      : `<media:content ${attributes}>${children}</media:content>`;
  });
  if (thumbnail === null) return contents;
  return [...contents, `<media:thumbnail url="${slots.text(thumbnail.url)}" width="${thumbnail.width}"/>`];
}

/** @param parts the text before the body of the first item, that after it, and so on; summaries stand elsewhere */
export function aroundBodies(parts: string[]): ItemText[] {
  return Array.from({ length: parts.length / 2 }, (_, index) => {
    return { before: parts[2 * index] as string, summary: '', after: parts[2 * index + 1] as string };
  });
}
