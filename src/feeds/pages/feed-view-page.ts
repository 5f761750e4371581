/**
 * `/feeds/latest/view`: a feed as a page, for a person who opens its address in a browser.
 *
 * The address of a feed never answers HTML. A browser that navigates to it is redirected here, by a response without a
 * body that no cache stores (`no-store`, RFC 9111 §5.2.2.5), so that none can pass the redirect on to a feed reader. A
 * cache may pass the feed itself on to a browser, which shows it with its stylesheet. Therefore the feed has no `Vary`
 * for these headers, which would multiply the copies in caches.
 */
import type { Context, Handler } from 'hono';
import { renderPage, respondPublicPage } from '../../web/pages/page.ts';
import { share } from '../../web/pages/public-page.ts';
import { respondError, respondNotFound } from '../../web/server/errors.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { type DerivedAddress, parseDerivedAddress } from '../derived/derived-address.ts';
import { type FeedLinks, feedLinks } from '../feed-links.ts';
import { waysToFollow } from '../index-page/index-page.ts';
import { BuildRefused } from './build-limiter.ts';
import type { CachedDocument } from './decide-response.ts';

/**
 * Finds the current document at a path below feeds/: a published one, an archive page, or a derived feed, whose path is
 * canonical and includes the query. Null if there is none.
 * @throws BuildRefused if the client, or all clients together, asked for too many
 */
export type FindFeedDocument = (c: Context, path: string) => Promise<CachedDocument | null>;

/** Whether a browser navigates to the address (Fetch Metadata). Feed readers and scripts send other values or none. */
export function isOpenedByPerson(c: Context): boolean {
  return c.req.header('Sec-Fetch-Dest') === 'document' && c.req.header('Sec-Fetch-Mode') === 'navigate';
}

// A configured feed, or a page of its archive.
const FEED_ID = /^(?:archive\/([a-z0-9-]{1,100})\/)?[a-z0-9-]{1,100}$/;

/** Path below feeds/ of the page that shows the feed at `path`; null if the path is not of a feed. */
export function viewPath(path: string, derived?: Pick<DerivedAddress, 'id' | 'query'>): string | null {
  const id = derived?.id ?? path.replace(/\.(?:rss|atom|json)$/, '');
  if (id === path || (derived === undefined && !FEED_ID.test(id))) return null;
  return `${id}/view${derived?.query === undefined ? '' : `?${derived.query}`}`;
}

/** What the page reads of the JSON Feed: its items are those of the other formats. */
interface ShownFeed {
  title: string;
  description: string;
  language: string;
  items: { url: string; title: string; date_published: string; language: string }[];
}

/** The page of a feed below `/feeds/`. The address of a custom feed has its query. */
export function serveFeedView(web: WebContext, find: FindFeedDocument): Handler {
  const { locale, config } = web;
  const respond = async (c: Context): Promise<Response> => {
    const address = addressOf(web, c);
    if (address === null) return respondNotFound(web, c);
    let document: CachedDocument | null;
    try {
      document = await find(c, address.path);
    } catch (error) {
      if (!(error instanceof BuildRefused)) throw error;
      c.header('Retry-After', String(error.retryAfter));
      const message = locale.text(error.status === 429 ? 'feeds.tooManyRequests' : 'feeds.busy');
      return respondError(web, c, error.status, { title: locale.text('common.feeds'), message });
    }
    if (document === null) return respondNotFound(web, c);
    const feed = JSON.parse((await document.plain()).toString()) as ShownFeed;
    const named = locale.text('feed.title', { publication: config.publication.name, feed: '' });
    const title = feed.title.startsWith(named) ? feed.title.slice(named.length) : feed.title;
    // Nobody subscribes to a page of an archive.
    const id = FEED_ID.exec(address.id)?.[1] ?? address.id;
    const head = { id, title, query: address.query };
    const { formats } = feedLinks(head, config);
    // Atom: the only format that reports retractions.
    const { url } = formats.find(({ name }) => name === 'Atom') as FeedLinks['formats'][number];
    const items = feed.items.map((item) => ({ ...item, publishedAt: Date.parse(item.date_published) }));
    const description = locale.text('feedView.pageDescription', { feed: title });
    const page = { title, description, path: null, feeds: [head] };
    const data = { feed: { ...feed, title, formats, items, ...waysToFollow(url) } };
    return respondPublicPage(c, await renderPage(web, 'feed-view', page, data));
  };
  return share(web, respond, (c) => `feed ${addressOf(web, c)?.path ?? c.req.path}`);
}

/** The JSON document that the page shows; null if no feed has such an address. */
function addressOf({ base, config }: WebContext, c: Context): Pick<DerivedAddress, 'id' | 'query' | 'path'> | null {
  const id = c.req.path.slice(`${base}/feeds/`.length, -'/view'.length);
  const path = `${id}.json`;
  const derived = parseDerivedAddress(path, new URL(c.req.url).searchParams, config);
  if (derived === null) return FEED_ID.test(id) ? { id, path } : null;
  return derived.kind === 'derived' ? derived.address : null;
}
