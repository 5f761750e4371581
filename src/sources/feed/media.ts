/** Pictures and other files of an item: Media RSS, RSS enclosures and Atom links. */
import { cleanLine } from '../../lib/text/clean-text.ts';
import type { SourceEnclosure, SourceImage } from '../source-item.ts';
import { MAX_PARTS, type ParsedItem } from './parsed-feed.ts';
import { resolveAddress, textLine, textValue } from './text-values.ts';
import { elementsOf, type XmlElement } from './xml-element.ts';

const IMAGE_EXTENSION = /\.(?:jpe?g|png|gif|webp|avif)$/i;

/** @param elements of one item, in order */
export function readMedia(elements: XmlElement[], base: string): Pick<ParsedItem, 'images' | 'enclosures'> {
  const files = new ItemFiles(base);
  const own = { ...NO_CAPTION, ...captionOf(elements, base) };
  for (const element of elements) {
    if (element.name === 'media:group') {
      const parts = elementsOf(element);
      for (const part of parts) files.addMedia(part, { ...own, ...captionOf(parts, base) });
    } else if (element.name === 'rss:enclosure') {
      files.add(element, element.attributes.url, NO_CAPTION);
    } else if (element.name === 'atom:link' && element.attributes.rel?.trim().toLowerCase() === 'enclosure') {
      files.add(element, element.attributes.href, NO_CAPTION);
    } else if (element.name === 'atom:content' && element.attributes.src !== undefined) {
      files.add(element, element.attributes.src, NO_CAPTION);
    } else {
      files.addMedia(element, own);
    }
  }
  return files.lists();
}

/** What Media RSS says about a file, in it or in the group or item around it (Media RSS §5.1). */
interface MediaCaption {
  alt: string | null;
  credit: string | null;
}

const NO_CAPTION: MediaCaption = { alt: null, credit: null };

function captionOf(elements: XmlElement[], base: string): Partial<MediaCaption> {
  const line = (wanted: string): string | null => {
    const found = elements.find(({ name }) => name === wanted);
    return found === undefined ? null : textLine(textValue(found, base));
  };
  const alt = line('media:description') ?? line('media:title');
  const credit = line('media:credit');
  return { ...(alt !== null && { alt }), ...(credit !== null && { credit }) };
}

/** Files by URL: one that is named twice keeps what each place says. */
class ItemFiles {
  readonly #base: string;
  readonly #images = new Map<string, SourceImage>();
  readonly #thumbnails = new Map<string, SourceImage>();
  readonly #enclosures = new Map<string, SourceEnclosure>();

  constructor(base: string) {
    this.#base = base;
  }

  addMedia(element: XmlElement, around: MediaCaption): void {
    const { name, attributes } = element;
    if (name !== 'media:content' && name !== 'media:thumbnail') return;
    const parts = elementsOf(element);
    const caption = { ...around, ...captionOf(parts, this.#base) };
    this.add(element, attributes.url, caption, name === 'media:thumbnail');
    for (const part of parts) if (part.name === 'media:thumbnail') this.addMedia(part, caption);
  }

  add(element: XmlElement, written: string | undefined, caption: MediaCaption, isThumbnail = false): void {
    const { attributes } = element;
    const url = resolveAddress(written ?? '', element.base ?? this.#base);
    if (url === null) return;
    const file = {
      url,
      type: mimeTypeOf(attributes.type),
      length: parsePositiveInteger(attributes.filesize ?? attributes.length),
    };
    const isImage =
      isThumbnail || (file.type === null ? looksLikeImage(url, attributes.medium) : file.type.startsWith('image/'));
    if (!isImage) {
      this.#addEnclosure(element, file);
      return;
    }
    const image: SourceImage = {
      ...file,
      width: parsePositiveInteger(attributes.width),
      height: parsePositiveInteger(attributes.height),
      ...caption,
    };
    const known = this.#images.get(url) ?? this.#thumbnails.get(url);
    const images = isThumbnail ? this.#thumbnails : this.#images;
    if (known !== undefined) completeFile(known, image);
    else if (images.size < MAX_PARTS) images.set(url, image);
  }

  /** Media RSS also names players, which are pages. */
  #addEnclosure({ name, attributes }: XmlElement, file: Omit<SourceEnclosure, 'title'>): void {
    const kind = file.type ?? attributes.medium?.trim().toLowerCase() ?? '';
    if (name !== 'rss:enclosure' && name !== 'atom:link' && !/^(?:audio|video)\b/.test(kind)) return;
    const enclosure = { ...file, title: cleanLine(attributes.title ?? '') || null };
    const known = this.#enclosures.get(file.url);
    if (known !== undefined) completeFile(known, enclosure);
    else if (this.#enclosures.size < MAX_PARTS) this.#enclosures.set(file.url, enclosure);
  }

  /** Thumbnails last: they are smaller copies. */
  lists(): Pick<ParsedItem, 'images' | 'enclosures'> {
    const images = [...this.#images.values(), ...this.#thumbnails.values()].slice(0, MAX_PARTS);
    return { images, enclosures: [...this.#enclosures.values()] };
  }
}

function completeFile<T extends object>(known: T, more: T): void {
  Object.assign(known, { ...more, ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null)) });
}

function looksLikeImage(url: string, medium?: string): boolean {
  return medium === undefined ? IMAGE_EXTENSION.test(new URL(url).pathname) : medium.trim().toLowerCase() === 'image';
}

const MIME_TYPE = /^[a-z0-9][a-z0-9.+-]{0,63}\/[a-z0-9][a-z0-9.+-]{0,63}$/;

/** A MIME type without its parameters, or null. */
function mimeTypeOf(written: string | undefined): string | null {
  const type = written?.split(';')[0]?.trim().toLowerCase() ?? '';
  return MIME_TYPE.test(type) ? type : null;
}

/** A whole number above 0, or null: feeds write 0 where they do not know a length. */
function parsePositiveInteger(written: string | undefined): number | null {
  const number = /^\s*(\d{1,15})(?:px|\.0*)?\s*$/.exec(written ?? '')?.[1];
  return number === undefined || Number(number) === 0 ? null : Number(number);
}
