/**
 * What is looked up of a picture on another server, and the images of articles that need it. Pure.
 */
import type { Article, Image } from '../article.ts';

export interface ImageFacts {
  /** MIME type, by the content. */
  type: string;
  /** Bytes. */
  length: number;
  /** Pixels. */
  width: number;
  height: number;
}

/** The URL that must be looked up for an article, or null. */
export function urlToLookUp({ image }: Pick<Article, 'image'>): string | null {
  return image?.isLookedUp && (image.type === null || image.length === null) ? image.url : null;
}

/** The image with what was looked up, which takes precedence over what was written. */
export function withFacts(image: Image, { type, length, width, height }: ImageFacts): Image {
  return { ...image, type, length, width, height };
}

/**
 * The image of an input with what is known of it: an unchanged article stays as it is when it is imported again.
 * @param stored the image of the stored article
 * @param known by URL
 */
export function completeImage(
  image: Image | null,
  stored: Image | null | undefined,
  known: ReadonlyMap<string, ImageFacts>,
): Image | null {
  if (!image?.isLookedUp) return image;
  const facts = known.get(image.url) ?? factsOf(stored?.url === image.url ? stored : null);
  return facts === null ? image : withFacts(image, facts);
}

function factsOf(image: Image | null): ImageFacts | null {
  if (!image?.isLookedUp) return null;
  const { type, length, width, height } = image;
  return type === null || length === null || width === null || height === null ? null : { type, length, width, height };
}
