/**
 * One entry of a source: what WordPress, Ghost, a feed or an export says about one post, in one form. Text may still
 * hold anything: the import cleans, limits and sanitises it.
 */
export interface SourceItem {
  /** Identifies it within its source for good: the id of the post. Of a feed, a hash of its guid: see `guid`. */
  key: string;
  /** The guid of a feed's item, null without one. Absent for a post of a CMS. */
  guid?: string | null;
  /** Where it is published, absolute; null if the source does not say. */
  url: string | null;
  /** As the source has it, or the last part of its path. */
  slug: string | null;
  /** Plain text. */
  headline: string;
  /** Plain text. Null where it repeats the beginning of the body. */
  dek: string | null;
  /** HTML as the source has it; null or empty if it has none. */
  html: string | null;
  /** The base of relative URLs in the HTML. */
  baseUrl: string | null;
  /** Names of its authors, in order. */
  authors: string[];
  /** Names of its categories, the most important first; each may also be given by its slug. */
  categories: { name: string; slug: string | null }[];
  tags: string[];
  image: SourceImage | null;
  /** In items of feeds. */
  enclosures?: SourceEnclosure[];
  /** Epoch milliseconds; null if the source does not say. */
  publishedAt: number | null;
  updatedAt: number | null;
  /** BCP 47; null for that of the publication. */
  language: string | null;
  /** Only members of the source's site may read all of it: `html` is its beginning, or nothing. */
  isForMembers: boolean;
}

export interface SourceImage {
  /** Absolute. */
  url: string;
  alt: string | null;
  credit: string | null;
  /** MIME type. */
  type: string | null;
  /** Bytes. */
  length: number | null;
  /** Pixels. */
  width: number | null;
  height: number | null;
}

/** A file other than a picture, such as the audio of a podcast. */
export interface SourceEnclosure extends Pick<SourceImage, 'url' | 'type' | 'length'> {
  title: string | null;
  /** Seconds; absent where the source does not say. */
  duration?: number;
}
