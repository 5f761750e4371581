/** A stand-in for a Ghost site: the parts of its Content API that daywire uses, as Ghost 6 behaves. */
import { Hono } from 'hono';
import { published, type StandInPost } from './posts.ts';

/** Ghost 6 returns no more, whatever `limit` says. */
const MAX_LIMIT = 100;

/** @param posts may be changed while it runs */
export function ghostApp(posts: StandInPost[], key: string): Hono {
  const app = new Hono();
  app.get('/', (c) => c.html('<!doctype html><title>Times</title><meta name="generator" content="Ghost 6.0">'));
  app.use('/ghost/api/content/*', async (c, next) => {
    if (c.req.query('key') !== key) return c.json({ errors: [{ message: 'Unknown Content API Key' }] }, 401);
    return next();
  });
  app.get('/ghost/api/content/posts/', (c) => {
    const query = c.req.query();
    const found = select(posts, query);
    const limit = Math.min(Number(query.limit ?? 15), MAX_LIMIT);
    const page = Number(query.page ?? 1);
    const origin = new URL(c.req.url).origin;
    const entries = found.slice((page - 1) * limit, page * limit).map((post) => toJson(post, origin));
    const fields = query.fields?.split(',');
    const pick = (entry: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(entry).filter(([name]) => fields === undefined || fields.includes(name)));
    const pages = Math.max(1, Math.ceil(found.length / limit));
    return c.json({ posts: entries.map(pick), meta: { pagination: { page, limit, pages, total: found.length } } });
  });
  app.get('/ghost/api/content/posts/:id/', (c) => {
    const post = published(posts).find(({ id }) => ghostId(id) === c.req.param('id'));
    if (post === undefined) return c.json({ errors: [{ message: 'Resource could not be found.' }] }, 404);
    return c.json({ posts: [toJson(post, new URL(c.req.url).origin)] });
  });
  return app;
}

/** 24 hexadecimal digits. */
export function ghostId(id: number): string {
  return id.toString(16).padStart(24, '0');
}

function select(
  posts: StandInPost[],
  { filter = '', order = 'published_at desc' }: Record<string, string>,
): StandInPost[] {
  const since = (name: string): number => {
    const [, operator, written] = new RegExp(`${name}:(>=?)'([^']+)'`).exec(filter) ?? [];
    if (written === undefined) return Number.NEGATIVE_INFINITY;
    const instant = Date.parse(`${written.replace(' ', 'T')}Z`);
    return operator === '>=' ? instant - 1 : instant;
  };
  const [, list] = /id:\[([^\]]*)\]/.exec(filter) ?? [];
  const ids = list?.split(',');
  const [name, direction] = order.split(' ');
  const key = ({ updated_at: 'modifiedAt', id: 'id' } as const)[name ?? ''] ?? 'publishedAt';
  const sign = direction === 'asc' ? 1 : -1;
  return published(posts)
    .filter(({ id }) => ids === undefined || ids.includes(ghostId(id)))
    .filter(({ publishedAt, modifiedAt }) => publishedAt > since('published_at') && modifiedAt > since('updated_at'))
    .toSorted((one, other) => (one[key] - other[key]) * sign || (one.id - other.id) * sign);
}

function toJson(post: StandInPost, origin: string): Record<string, unknown> {
  const time = (instant: number): string => new Date(instant).toISOString().replace('Z', '+00:00');
  const tag = (name: string) => ({ name, slug: name.toLowerCase().replace(/[^a-z0-9]+/g, '-'), visibility: 'public' });
  const tags = [tag(post.category), ...post.tags.map(tag)];
  return {
    id: ghostId(post.id),
    title: post.title,
    slug: post.slug,
    url: `${origin}/${post.slug}/`,
    html: post.isForMembers ? '' : post.html,
    custom_excerpt: post.excerpt,
    feature_image: post.image === null ? null : origin + post.image.path,
    feature_image_alt: post.image?.alt ?? null,
    visibility: post.isForMembers ? 'members' : 'public',
    access: !post.isForMembers,
    published_at: time(post.publishedAt),
    updated_at: time(post.modifiedAt),
    authors: [{ name: post.author, slug: 'author' }],
    tags: [...tags, { name: '#internal', slug: 'hash-internal', visibility: 'internal' }],
    primary_tag: tags[0],
  };
}
