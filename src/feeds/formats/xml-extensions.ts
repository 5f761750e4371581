/** What RSS and Atom share: Media RSS, and the place of bodies. */
import type { ItemText, Slots } from './feed-package.ts';
import type { FeedItem } from './feed-view.ts';

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
