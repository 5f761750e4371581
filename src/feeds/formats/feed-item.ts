/**
 * An item as the three formats carry it.
 */

/** All text is plain and clean, `html` apart; all URLs are absolute and keep to RFC 3986. */
export interface FeedItem {
  /** The article's tag: URI. */
  id: string;
  url: string;
  /** `Kicker: Headline`. */
  title: string;
  /** The dek, or else the beginning of the body. Never empty. */
  summary: string;
  html: string;
  publishedAt: number;
  /** Never before `publishedAt`. */
  updatedAt: number;
  /** BCP 47, canonical. */
  language: string;
  /** The section's title, then the tags. */
  categories: string[];
  authors: { name: string; email: string | null }[];
  image: FeedMedia | null;
  /** The image first, then the other enclosures. */
  media: FeedMedia[];
}

export interface FeedMedia {
  url: string;
  type: string;
  /** Bytes, more than 0. */
  length: number;
  medium: 'image' | 'audio' | 'video' | 'document';
  width: number | null;
  height: number | null;
  title: string | null;
  credit: string | null;
  /** What the image shows. */
  description: string | null;
}
