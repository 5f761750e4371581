/**
 * The Ghost Content API (ghost.org/docs/content-api): published posts, with a key that the site's owner makes. Ghost 6
 * returns at most 100 posts, even if `limit` is higher.
 */
import { z } from 'zod';
import { rfc3339 } from '../../lib/time.ts';
import { textOfHtml } from '../html-text.ts';
import type { SourceItem } from '../source-item.ts';
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

/**
 * @param endpoint of posts: `https://times.example/ghost/api/content/posts/`
 * @param key of the Content API
 */
export function openGhost(endpoint: string, key: string): CmsApi {
  const url = (query: Record<string, string | number>, below = ''): string => {
    const address = new URL(below, endpoint);
    for (const [name, value] of Object.entries({ key, ...query })) address.searchParams.set(name, String(value));
    return address.href;
  };
  const whole = { include: 'authors,tags', formats: 'html' };
  const since = (name: string, operator: string, at: number | null): Record<string, string> => {
    return at === null ? {} : { filter: `${name}:${operator}'${rfc3339(at).replace('T', ' ').replace('Z', '')}'` };
  };
  return {
    headers: { Accept: 'application/json', 'Accept-Version': 'v5.0' },
    keepsTimeOfEdit: false,
    changedUrl: ({ after, page, size }) => {
      return url({ ...whole, order: 'updated_at asc', limit: size, page, ...since('updated_at', '>', after) });
    },
    newestUrl: (size) => url({ ...whole, order: 'published_at desc', limit: size }),
    idsUrl: ({ from, page, size }) => {
      const fields = 'id,updated_at';
      return url({ fields, order: 'id asc', limit: size, page, ...since('published_at', '>=', from) });
    },
    postsUrl: (ids) => url({ ...whole, filter: `id:[${ids.join(',')}]`, limit: Math.max(ids.length, 1) }),
    postUrl: (id) => url({ fields: 'id' }, `${encodeURIComponent(id)}/`),
    readIds: readGhostIds,
  };
}

const named = z.object({ name: z.string(), slug: z.string().nullish(), visibility: z.string().nullish() });
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const post = z.object({
  id: z.string().regex(ID),
  title: z.string(),
  slug: z.string(),
  url: z.string().nullish(),
  html: z.string().nullish(),
  custom_excerpt: z.string().nullish(),
  feature_image: z.string().nullish(),
  feature_image_alt: z.string().nullish(),
  feature_image_caption: z.string().nullish(),
  visibility: z.string().nullish(),
  access: z.boolean().nullish(),
  published_at: z.string().nullish(),
  updated_at: z.string().nullish(),
  authors: z.array(named).nullish(),
  tags: z.array(named).nullish(),
  primary_tag: named.nullish(),
});
type GhostPost = z.output<typeof post>;

const page = z.object({
  posts: z.array(z.unknown()),
  meta: z.object({ pagination: z.object({ pages: z.number(), total: z.number() }) }).optional(),
});

/** @throws CmsFormatError */
export function readGhostPosts(body: Uint8Array): PostPage {
  const { posts, meta } = pageOf(body);
  return { ...readPosts(posts, post, ghostItem), pages: wholeNumber(meta?.pagination.pages) };
}

function readGhostIds(body: Uint8Array): IdPage {
  const { posts, meta } = pageOf(body);
  return {
    posts: posts.map((one) => {
      const { id, updated_at } = (one ?? {}) as Record<string, unknown>;
      if (typeof id !== 'string' || !ID.test(id)) throw new CmsFormatError('a list that is not of posts');
      return { id, modifiedAt: utcInstant(updated_at) };
    }),
    pages: wholeNumber(meta?.pagination.pages),
    total: wholeNumber(meta?.pagination.total),
  };
}

function pageOf(body: Uint8Array): z.output<typeof page> {
  const parsed = page.safeParse(parseCmsJson(body));
  if (!parsed.success) throw new CmsFormatError('JSON that is not a list of posts');
  return parsed.data;
}

export function ghostItem(post: GhostPost): SourceItem {
  const { primary_tag: primary, feature_image: image } = post;
  // Ghost's address of a post that is on no page of the site, or of any while it starts.
  const url = post.url?.endsWith('/404/') ? null : (post.url ?? null);
  // Names with a hash are internal: they steer the theme.
  const tags = (post.tags ?? []).filter(({ visibility, name }) => visibility !== 'internal' && !name.startsWith('#'));
  const excerpt = textOfHtml(post.custom_excerpt ?? '');
  const credit = textOfHtml(post.feature_image_caption ?? '');
  const size = { type: null, length: null, width: null, height: null };
  return {
    key: post.id,
    url,
    slug: post.slug,
    headline: post.title,
    dek: excerpt === '' ? null : excerpt,
    html: post.html ?? '',
    baseUrl: url,
    authors: (post.authors ?? []).map(({ name }) => name),
    categories: [...(primary ? [primary] : []), ...tags].map(({ name, slug }) => ({ name, slug: slug ?? null })),
    tags: tags.map(({ name }) => name),
    image: image ? { url: image, alt: post.feature_image_alt ?? null, credit: credit || null, ...size } : null,
    publishedAt: utcInstant(post.published_at),
    updatedAt: utcInstant(post.updated_at),
    language: null,
    isForMembers: post.access === false || (post.visibility ?? 'public') !== 'public',
  };
}
