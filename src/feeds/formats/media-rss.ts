/**
 * Media RSS elements, alike in RSS and Atom: type, size and, for an image, credit and description.
 */
import type { FeedMedia } from './feed-item.ts';
import type { Slots } from './feed-package.ts';

export const MEDIA_NAMESPACE = 'http://search.yahoo.com/mrss/';

/** One `media:content` for each of the item's media, as XML with slots. */
export function mediaElements(media: FeedMedia[], slots: Slots): string[] {
  return media.map((one) => {
    const attributes = [
      `url="${slots.text(one.url)}" fileSize="${one.length}" type="${slots.text(one.type)}" medium="${one.medium}"`,
      one.width === null ? '' : ` width="${one.width}"`,
      one.height === null ? '' : ` height="${one.height}"`,
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
}
