/** The head of a podcast in RSS: Apple's elements, and those of the Podcast Namespace. */
import { createHash } from 'node:crypto';
import { PODCAST_CATEGORIES } from '../../core/config/podcast-schema.ts';
import type { Slots } from './feed-package.ts';
import { channelPicture, type FeedView } from './feed-view.ts';

export const PODCAST_NAMESPACES = [
  'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"',
  'xmlns:podcast="https://podcastindex.org/namespace/1.0"',
];

/** The elements of a channel, as XML with slots. */
export function podcastElements(
  { category, image, explicit }: NonNullable<FeedView['podcast']>,
  { publication, urls }: FeedView,
  slots: Slots,
): string[] {
  const { name, email } = publication.contact;
  const element = (tag: string, text: string): string => `<${tag}>${slots.text(text)}</${tag}>`;
  return [
    element('itunes:author', publication.name),
    (PODCAST_CATEGORIES.get(category) ?? []).reduceRight(
      (inner, one) => `<itunes:category text="${slots.text(one)}">${inner}</itunes:category>`,
      '',
    ),
    `<itunes:image href="${slots.text(channelPicture(image, publication) ?? '')}"/>`,
    element('itunes:explicit', String(explicit)),
    `<itunes:owner>${element('itunes:name', name)}${element('itunes:email', email)}</itunes:owner>`,
    element('podcast:guid', guidOf(urls.rss)),
    `<podcast:locked owner="${slots.text(email)}">no</podcast:locked>`,
    element('podcast:medium', 'podcast'),
  ];
}

/** UUIDs of feeds (Podcast Namespace, guid). */
const NAMESPACE = Buffer.from('ead4c236bf5858c6a2c6a6b28d128cb6', 'hex');

/** UUID version 5 (RFC 9562 §5.5) of the address without its scheme. */
function guidOf(feedUrl: string): string {
  const name = feedUrl.replace(/^https?:\/\//, '');
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
