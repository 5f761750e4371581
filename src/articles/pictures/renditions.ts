/**
 * The addresses of smaller versions of the newsroom's pictures: `/media/r/800/photo.jpg` is `/media/photo.jpg` in at
 * most 800 pixels of width. There are only the forms below. Pictures on other servers have none: daywire passes on no
 * files of others. Pure.
 */
import type { Config } from '../../core/config/config.ts';
import type { RenditionForm } from '../../lib/pictures/picture-decoder.ts';
import type { Image } from '../article.ts';

/** Pixels. Pages let browsers choose one of these. */
const WIDTHS = [480, 800, 1_200, 1_600] as const;
/** For a picture in a list, and for browsers that do not choose. */
const USUAL_WIDTH = 1_200;
/** For email, and for previews in social networks: many mail programs show no WebP. */
const MAIL = 'jpeg';
/** For a small picture in an email, at twice its 96 pixels, and in feeds. */
const THUMBNAIL = 'thumb';
/** Pixels. */
export const THUMBNAIL_WIDTH = 192;

/** By the name in the address. */
export const RENDITION_FORMS: ReadonlyMap<string, RenditionForm> = new Map<string, RenditionForm>([
  ...WIDTHS.map((width): [string, RenditionForm] => [String(width), { format: 'webp', width }]),
  [MAIL, { format: 'jpeg', width: USUAL_WIDTH, maxBytes: 200_000 }],
  [THUMBNAIL, { format: 'jpeg', width: THUMBNAIL_WIDTH, maxBytes: 20_000 }],
]);

/** The part of the configuration that says where the newsroom's pictures are. */
export type MediaConfig = Pick<Config, 'publication'> & { paths: Pick<Config['paths'], 'media'> };

/** The address of a picture for email; its own address where it has no other form. */
export function mailImageUrl(url: string, config: MediaConfig): string {
  return renditionUrl(url, MAIL, config) ?? url;
}

/**
 * A picture for previews of links, as for email. Its pixels are those before the limit of bytes, for which a few
 * pictures are made still smaller in the same proportion.
 */
export function previewImage(
  { url, width, height }: Pick<Image, 'url' | 'width' | 'height'>,
  config: MediaConfig,
): Pick<Image, 'url' | 'width' | 'height'> {
  const jpeg = renditionUrl(url, MAIL, config);
  if (jpeg === null || width === null || height === null) return { url: jpeg ?? url, width, height };
  const scale = Math.min(1, USUAL_WIDTH / width);
  return { url: jpeg, width: Math.round(width * scale), height: Math.round(height * scale) };
}

/** The address of a small version of a picture; its own address where it has no other form. */
export function thumbnailUrl(url: string, config: MediaConfig): string {
  return renditionUrl(url, THUMBNAIL, config) ?? url;
}

export interface PageImage {
  url: string;
  /** `srcset` of an `<img>`, with the width of each version; null for a picture that has only one. */
  srcset: string | null;
}

/** The addresses of an image for a page. @param isStill whether an animation may be shown as its first frame */
export function pageImage(
  { url, width }: Pick<Image, 'url' | 'width'>,
  config: MediaConfig,
  isStill: boolean,
): PageImage {
  const usual = renditionUrl(url, String(USUAL_WIDTH), config);
  if (usual === null || (!isStill && mayBeAnimated(url))) return { url, srcset: null };
  // No version is larger than the original.
  const narrower = WIDTHS.filter((one) => width === null || one < width);
  const next = WIDTHS.find((one) => width !== null && one >= width);
  const candidates = [...narrower.map((one) => [one, one]), ...(next === undefined ? [] : [[next, width as number]])];
  const srcset = candidates.map(([form, pixels]) => `${renditionUrl(url, String(form), config)} ${pixels}w`);
  return { url: usual, srcset: srcset.join(', ') };
}

/**
 * The body with smaller versions of the newsroom's pictures, which browsers load when they come into view.
 * @param isStill as for `pageImage`
 */
export function withRenditions(bodyHtml: string, config: MediaConfig, isStill: boolean): string {
  if (!bodyHtml.includes('<img ')) return bodyHtml;
  // Sanitised: the address is the first attribute, in quotes, and escaped. It stays so.
  const { publication } = config;
  const escaped = { ...config, publication: { ...publication, url: publication.url.replaceAll('&', '&amp;') } };
  return bodyHtml.replace(/<img src="([^"]*)"/g, (written, src: string) => {
    const url = renditionUrl(src, String(USUAL_WIDTH), escaped);
    return url === null || (!isStill && mayBeAnimated(src)) ? written : `<img src="${url}" loading="lazy"`;
  });
}

/** Whether a picture may be animated. Its versions are not. */
function mayBeAnimated(url: string): boolean {
  return /\.gif(?:[?#]|$)/i.test(url);
}

const PICTURE = /^[^?#]*\.(?:jpe?g|png|webp|gif|avif)(?=[?#]|$)/i;

/** Null for a picture on another server, and for a file of another type, such as SVG. */
function renditionUrl(url: string, form: string, { publication, paths }: MediaConfig): string | null {
  const prefix = `${publication.url}/media/`;
  if (paths.media === undefined || !url.startsWith(prefix)) return null;
  const path = url.slice(prefix.length).replace(/#.*$/s, '');
  return PICTURE.test(path) ? `${prefix}r/${form}/${path}` : null;
}
