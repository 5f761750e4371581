/**
 * The export of WordPress: published posts, as the REST API would give them, with the same keys. Everything else is
 * counted. Pictures are items of their own, anywhere in the file: it is read twice.
 */
import { parseWrittenDate, parseWrittenInstant } from '../../lib/written-date.ts';
import { decodeSlug } from '../../sources/cms/wordpress.ts';
import { textOfHtml } from '../../sources/html-text.ts';
import type { SourceImage, SourceItem } from '../../sources/source-item.ts';
import { type ExportEntry, ITEM_KEY, type LeftOut } from './export-entry.ts';
import { htmlOfContent } from './wordpress-content.ts';
import { readWxr, type WxrItem } from './wxr-reader.ts';

interface Library {
  /** Display names, by login. */
  authors: Map<string, string>;
  /** Pictures, by id. */
  images: Map<string, SourceImage>;
}

/**
 * Yields the published posts.
 * @param zone of the site, for exports without times in UTC
 * @throws ExportError
 */
export async function* readWordPressExport(file: string, zone: string, leftOut: LeftOut): AsyncGenerator<ExportEntry> {
  // The whole file is read before anything is imported: an export that is cut off brings nothing.
  const library = await readLibrary(file);
  const seen = new Set<string>();
  for await (const item of readWxr(file)) {
    if (item.kind !== 'item' || !isWanted(item, leftOut)) continue;
    const entry = toEntry(item, library, zone, leftOut);
    const key = entry.kind === 'item' ? entry.item.key : entry.key;
    if (seen.has(key)) leftOut.skip('posts whose id occurs twice');
    else yield entry;
    seen.add(key);
  }
}

async function readLibrary(file: string): Promise<Library> {
  const library: Library = { authors: new Map(), images: new Map() };
  for await (const item of readWxr(file)) {
    if (item.kind === 'author') library.authors.set(item.login, item.name);
    else if (field(item, 'wp:post_type') === 'attachment') {
      const url = field(item, 'wp:attachment_url');
      if (url === '') continue;
      const credit = textOfHtml(field(item, 'excerpt:encoded'));
      library.images.set(field(item, 'wp:post_id'), {
        url,
        alt: metaOf(item, '_wp_attachment_image_alt') ?? null,
        credit: credit === '' ? null : credit,
        ...{ type: null, length: null, width: null, height: null },
      });
    }
  }
  return library;
}

function isWanted(item: WxrItem, leftOut: LeftOut): boolean {
  const type = field(item, 'wp:post_type') || 'post';
  const status = field(item, 'wp:status') || 'publish';
  if (type !== 'post') leftOut.skip(`items of the type ${type}`);
  else if (status !== 'publish') leftOut.skip(`posts with the status ${status}`);
  else if (field(item, 'wp:post_password') !== '') leftOut.skip('posts with a password');
  else return true;
  return false;
}

function toEntry(item: WxrItem, library: Library, zone: string, leftOut: LeftOut): ExportEntry {
  const id = field(item, 'wp:post_id');
  const title = field(item, 'title');
  if (!ITEM_KEY.test(id)) {
    const rule = `the post "${textOfHtml(title).slice(0, 100)}" has no wp:post_id`;
    return { kind: 'unreadable', key: 'post-without-id', rule, raw: title };
  }
  if (item.isOversized) return { kind: 'unreadable', key: id, rule: 'the post is longer than 8 MB', raw: title };
  return { kind: 'item', item: toItem(item, id, library, zone, leftOut) };
}

function toItem(item: WxrItem, id: string, { authors, images }: Library, zone: string, leftOut: LeftOut): SourceItem {
  const link = field(item, 'link');
  const login = field(item, 'dc:creator');
  const excerpt = textOfHtml(field(item, 'excerpt:encoded'));
  const inDomain = (domain: string) => item.categories.filter((one) => one.domain === domain);
  const thumbnail = metaOf(item, '_thumbnail_id');
  if (thumbnail !== undefined && !images.has(thumbnail)) leftOut.drop('a picture whose attachment is not in the file');
  return {
    key: id,
    url: link === '' ? null : link,
    slug: decodeSlug(field(item, 'wp:post_name')) || null,
    headline: textOfHtml(field(item, 'title')),
    dek: excerpt === '' ? null : excerpt,
    html: htmlOfContent(item.fields.get('content:encoded') ?? '', (name) => leftOut.drop(`shortcode [${name}]`)),
    baseUrl: link === '' ? null : link,
    authors: login === '' ? [] : [authors.get(login) ?? login],
    categories: inDomain('category').map(({ name, slug }) => ({ name: textOfHtml(name), slug: slug || null })),
    tags: inDomain('post_tag').map(({ name }) => textOfHtml(name)),
    image: thumbnail === undefined ? null : (images.get(thumbnail) ?? null),
    publishedAt: instantOf(item, 'wp:post_date', zone) ?? parseWrittenDate(field(item, 'pubDate')),
    updatedAt: instantOf(item, 'wp:post_modified', zone),
    language: null,
    isForMembers: false,
  };
}

/** In UTC; a draft that was published at once has none, then the time of the site's clock. */
function instantOf(item: WxrItem, name: string, zone: string): number | null {
  const utc = field(item, `${name}_gmt`);
  if (utc !== '' && !utc.startsWith('0000-')) return parseWrittenDate(utc);
  const local = field(item, name);
  const parsed = parseWrittenInstant(local, zone);
  return parsed.kind === 'instant' ? parsed.at : null;
}

function field(item: WxrItem, name: string): string {
  return item.fields.get(name)?.trim() ?? '';
}

function metaOf(item: WxrItem, key: string): string | undefined {
  return item.meta.find(([name]) => name === key)?.[1].trim();
}
