/**
 * The WordPress REST API, version 2: `/wp-json/wp/v2/posts` (developer.wordpress.org/rest-api/reference/posts). Without
 * a login it has published posts only.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { textOfHtml } from '../html-text.ts';
import type { SourceImage, SourceItem } from '../source-item.ts';
import {
  type CmsApi,
  CmsFormatError,
  type IdPage,
  type PostPage,
  parseCmsJson,
  readPosts,
  utcInstant,
  wholeNumber,
} from './cms-api.ts';

/** @param endpoint of posts: `https://times.example/wp-json/wp/v2/posts`, or with `?rest_route=/wp/v2/posts` */
export function openWordPress(endpoint: string): CmsApi {
  const url = (query: Record<string, string | number>, below = ''): string => {
    const address = new URL(endpoint);
    const route = address.searchParams.get('rest_route');
    if (route === null) address.pathname += below;
    else address.searchParams.set('rest_route', route + below);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, String(value));
    return address.href;
  };
  // Not the fields that plugins add, which can be longer than the post, nor its comments. Embedding needs the links.
  const whole = {
    _fields: 'id,link,slug,date_gmt,modified_gmt,title,excerpt,content,_links,_embedded',
    _embed: 'author,wp:featuredmedia,wp:term',
  };
  const after = (name: string, at: number | null) => (at === null ? {} : { [name]: new Date(at).toISOString() });
  return {
    headers: { Accept: 'application/json' },
    keepsTimeOfEdit: true,
    changedUrl: ({ after: from, page, size }) => {
      return url({
        ...whole,
        ...{ orderby: 'modified', order: 'asc', per_page: size, page },
        ...after('modified_after', from),
      });
    },
    newestUrl: (size) => url({ ...whole, orderby: 'date', order: 'desc', per_page: size }),
    idsUrl: ({ from, page, size }) => {
      const fields = 'id,modified_gmt';
      // WordPress excludes the instant itself.
      const since = after('after', from === null ? null : from - 1_000);
      return url({ _fields: fields, orderby: 'id', order: 'asc', per_page: size, page, ...since });
    },
    postsUrl: (ids) => url({ ...whole, include: ids.join(','), per_page: Math.max(ids.length, 1) }),
    postUrl: (id) => url({ _fields: 'id' }, `/${encodeURIComponent(id)}`),
    readIds: readWordPressIds,
  };
}

const rendered = z.object({ rendered: z.string(), protected: z.boolean().optional() });
const author = z.object({ name: z.string() });
const term = z.object({ taxonomy: z.string(), name: z.string(), slug: z.string().optional() });
const media = z.object({
  source_url: z.string(),
  // Plugins write what they like: only the address must be one.
  alt_text: z.string().optional().catch(undefined),
  mime_type: z.string().optional().catch(undefined),
  caption: rendered.optional().catch(undefined),
  media_details: z
    .object({ width: z.unknown(), height: z.unknown(), filesize: z.unknown() })
    .partial()
    .optional()
    .catch(undefined),
});
/** Entries that an author cannot be read for, as of a deleted user, are errors: they have another form. */
const each = <T extends z.ZodType>(entry: T) => z.array(entry.or(z.unknown().transform(() => null)));
const post = z.object({
  id: z.int().nonnegative(),
  link: z.string(),
  slug: z.string(),
  date_gmt: z.string().nullish(),
  modified_gmt: z.string().nullish(),
  title: rendered,
  excerpt: rendered.optional(),
  content: rendered,
  _embedded: z
    .object({
      author: each(author).optional(),
      'wp:featuredmedia': each(media).optional(),
      'wp:term': z.array(each(term)).optional(),
    })
    .optional(),
});
type WordPressPost = z.output<typeof post>;

/** @throws CmsFormatError */
export function readWordPressPosts(body: Uint8Array, headers: IncomingHttpHeaders): PostPage {
  return { ...readPosts(listOf(body), post, toItem), pages: wholeNumber(headers['x-wp-totalpages']) };
}

function readWordPressIds(body: Uint8Array, headers: IncomingHttpHeaders): IdPage {
  const posts = listOf(body).map((one) => {
    const { id, modified_gmt } = (one ?? {}) as Record<string, unknown>;
    if (wholeNumber(id) === null) throw new CmsFormatError('a list that is not of posts');
    return { id: String(id), modifiedAt: utcInstant(modified_gmt) };
  });
  return { posts, pages: wholeNumber(headers['x-wp-totalpages']), total: wholeNumber(headers['x-wp-total']) };
}

function listOf(body: Uint8Array): unknown[] {
  const value = parseCmsJson(body);
  if (!Array.isArray(value)) throw new CmsFormatError('JSON that is not a list of posts');
  return value;
}

function toItem({ _embedded: embedded = {}, ...post }: WordPressPost): SourceItem {
  const terms = (embedded['wp:term'] ?? []).flat().filter((one) => one !== null);
  const [image] = embedded['wp:featuredmedia'] ?? [];
  // A password protects it: WordPress sends no content.
  const isForMembers = post.content.protected === true;
  const excerpt = post.excerpt?.protected === true ? '' : textOfHtml(post.excerpt?.rendered ?? '');
  return {
    key: String(post.id),
    url: post.link,
    slug: decodeSlug(post.slug),
    headline: textOfHtml(post.title.rendered),
    dek: excerpt === '' ? null : excerpt,
    html: post.content.rendered,
    baseUrl: post.link,
    authors: (embedded.author ?? []).flatMap((one) => (one === null ? [] : textOfHtml(one.name))),
    categories: terms
      .filter(({ taxonomy }) => taxonomy === 'category')
      .map(({ name, slug }) => ({ name: textOfHtml(name), slug: slug ?? null })),
    tags: terms.filter(({ taxonomy }) => taxonomy === 'post_tag').map(({ name }) => textOfHtml(name)),
    image: image ? toImage(image) : null,
    publishedAt: utcInstant(post.date_gmt),
    updatedAt: utcInstant(post.modified_gmt),
    language: null,
    isForMembers,
  };
}

function toImage({
  source_url,
  alt_text,
  caption,
  mime_type,
  media_details: details,
}: z.output<typeof media>): SourceImage {
  const credit = textOfHtml(caption?.rendered ?? '');
  return {
    url: source_url,
    alt: alt_text ?? null,
    credit: credit === '' ? null : credit,
    type: mime_type ?? null,
    length: wholeNumber(details?.filesize),
    width: wholeNumber(details?.width),
    height: wholeNumber(details?.height),
  };
}

/** WordPress encodes letters of other scripts twice: they are percent-encoded in the slug itself. */
export function decodeSlug(slug: string): string {
  try {
    return decodeURIComponent(slug);
  } catch {
    return slug;
  }
}
