/**
 * A stand-in for a WordPress site: the parts of its REST API that daywire uses, as WordPress 6 behaves, and the pages
 * of its posts.
 */
import { Hono } from 'hono';
import { published, type StandInPost } from './posts.ts';

/** @param posts may be changed while it runs */
export function wordPressApp(posts: StandInPost[]): Hono {
  const app = new Hono();
  app.get('/', (c) => {
    const root = new URL('/wp-json/', c.req.url).href;
    const html = `<!doctype html><title>Times</title><link rel="https://api.w.org/" href="${root}">`;
    return c.html(html, 200, { Link: `<${root}>; rel="https://api.w.org/"` });
  });
  app.get('/wp-json/wp/v2/posts', (c) => {
    const query = c.req.query();
    const size = Number(query.per_page ?? 10);
    if (size > 100) return c.json({ code: 'rest_invalid_param' }, 400);
    const found = select(posts, query);
    const pages = Math.ceil(found.length / size);
    const page = Number(query.page ?? 1);
    if (page > Math.max(pages, 1)) return c.json({ code: 'rest_post_invalid_page_number' }, 400);
    const origin = new URL(c.req.url).origin;
    const entries = found.slice((page - 1) * size, page * size).map((post) => toJson(post, origin));
    const fields = query._fields?.split(',');
    const body = fields === undefined ? entries : entries.map((entry) => pick(entry, fields));
    return c.json(body, 200, { 'X-WP-Total': String(found.length), 'X-WP-TotalPages': String(pages) });
  });
  app.get('/wp-json/wp/v2/posts/:id', (c) => {
    const post = posts.find(({ id }) => id === Number(c.req.param('id')));
    if (post === undefined || post.state === 'deleted') return c.json({ code: 'rest_post_invalid_id' }, 404);
    // To anyone without a login.
    if (post.state === 'trashed') return c.json({ code: 'rest_forbidden' }, 401);
    return c.json(toJson(post, new URL(c.req.url).origin));
  });
  app.get('/:slug', (c) => {
    const post = published(posts).find(({ slug }) => slug === c.req.param('slug'));
    return post === undefined ? c.text('Not found', 404) : c.html(post.html);
  });
  return app;
}

function select(posts: StandInPost[], query: Record<string, string>): StandInPost[] {
  const ids = query.include?.split(',').map(Number);
  const since = (name: string): number =>
    query[name] === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query[name]);
  const key = ({ modified: 'modifiedAt', id: 'id' } as const)[query.orderby ?? ''] ?? 'publishedAt';
  const direction = query.order === 'asc' ? 1 : -1;
  return published(posts)
    .filter(({ id }) => ids === undefined || ids.includes(id))
    .filter(({ publishedAt, modifiedAt }) => publishedAt > since('after') && modifiedAt > since('modified_after'))
    .toSorted((one, other) => (one[key] - other[key]) * direction || (one.id - other.id) * direction);
}

function toJson(post: StandInPost, origin: string): Record<string, unknown> {
  const { id, title, slug, html, excerpt, isForMembers } = post;
  const time = (instant: number): string => new Date(instant).toISOString().slice(0, 19);
  const encode = (text: string): string => text.replaceAll('&', '&#038;');
  const term = (taxonomy: string, name: string) => ({ taxonomy, name: encode(name), slug: name.toLowerCase() });
  return {
    id,
    date_gmt: time(post.publishedAt),
    modified_gmt: time(post.modifiedAt),
    slug,
    link: `${origin}/${slug}`,
    title: { rendered: encode(title) },
    content: { rendered: isForMembers ? '' : html, protected: isForMembers },
    // By itself WordPress takes the first words of the body.
    excerpt: { rendered: `<p>${excerpt ?? `The first words of story ${id}. See about. [&hellip;]`}</p>` },
    _embedded: {
      author: [{ name: post.author }],
      ...(post.image === null ? {} : { 'wp:featuredmedia': [imageOf(post.image, origin)] }),
      'wp:term': [[term('category', post.category)], post.tags.map((tag) => term('post_tag', tag))],
    },
  };
}

function imageOf({ path, alt }: NonNullable<StandInPost['image']>, origin: string): object {
  return {
    source_url: origin + path,
    alt_text: alt,
    mime_type: 'image/jpeg',
    media_details: { width: 1_200, height: 800, filesize: 90_000 },
  };
}

function pick(entry: Record<string, unknown>, fields: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => fields.includes(name)));
}
