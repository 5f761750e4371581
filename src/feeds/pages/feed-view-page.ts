/**
 * `/feeds/latest/view`: a feed as a page, for a person who opens its address in a browser.
 *
 * The address of a feed never answers HTML. A browser that navigates to it is redirected here, by a response without a
 * body that no cache stores (`no-store`, RFC 9111 §5.2.2.5), so that none can pass the redirect on to a feed reader. A
 * cache may pass the feed itself on to a browser, which shows it with its stylesheet. Therefore the feed has no `Vary`
 * for these headers, which would multiply the copies in caches.
 */
import type { Context, Handler } from 'hono';
import { localeOf } from '../../lib/locale/locale.ts';
import { renderPage, respondPublicPage } from '../../web/pages/page.ts';
import { share } from '../../web/pages/public-page.ts';
import { respondError, respondNotFound } from '../../web/server/errors.ts';
import { prefersPage } from '../../web/server/negotiate.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { parseDerivedAddress } from '../derived/derived-address.ts';
import { feedLinks } from '../feed-links.ts';
import { waysToFollow } from '../index-page/index-page.ts';
import { BuildRefused } from './build-limiter.ts';
import type { CachedDocument } from './decide-response.ts';

/**
 * Finds the current document at a path below feeds/: a published one, or a derived feed, whose path is
 * canonical and includes the query. Null if there is none.
 * @throws BuildRefused if the client, or all clients together, asked for too many
 */
export type FindFeedDocument = (c: Context, path: string) => Promise<CachedDocument | null>;

/**
 * Redirects a browser that navigates to a feed (Fetch Metadata); null for readers, scripts, and other addresses. Some
 * readers send the headers of a navigation with an Accept of their own.
 */
export function redirectToView(web: WebContext, c: Context): Response | null {
  const [, path] = /^(.+)\.(?:rss|atom|json)$/.exec(c.req.path) ?? [];
  const isNavigation = c.req.header('Sec-Fetch-Dest') === 'document' && c.req.header('Sec-Fetch-Mode') === 'navigate';
  const isBrowser = isNavigation && prefersPage(c.req.header('Accept'));
  const feed = isBrowser && path !== undefined ? feedAt(web, c, path) : null;
  if (feed === null) return null;
  const query = feed.query === undefined ? '' : `?${feed.query}`;
  return c.body(null, 302, { Location: `${web.base}/feeds/${feed.id}/view${query}`, 'Cache-Control': 'no-store' });
}

const FEED_ID = /^[a-z0-9-]{1,100}$/;

/** The feed whose address begins so, with the path of its JSON document; null if no feed has such an address. */
function feedAt({ base, config }: WebContext, c: Context, path = c.req.path.slice(0, -'/view'.length)) {
  const id = path.slice(`${base}/feeds/`.length);
  const derived = parseDerivedAddress(`${id}.json`, new URL(c.req.url).searchParams, config);
  if (derived === null) return FEED_ID.test(id) ? { id, path: `${id}.json`, query: undefined } : null;
  return derived.kind === 'derived' ? derived.address : null;
}

/** What the handler reads of the JSON Feed, whose items are those of the other formats. The template has the rest. */
interface ShownFeed {
  title: string;
  language: string;
  /** An item says its language only where it is another one. */
  items: { date_published: string }[];
}

/** The page of a feed below `/feeds/`. The address of a custom feed has its query. */
export function serveFeedView(web: WebContext, find: FindFeedDocument): Handler {
  const { locale, config } = web;
  const respond = async (c: Context): Promise<Response> => {
    const address = feedAt(web, c);
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
    const localeOfFeed = localeOf(feed.language, config.ownMessages);
    const named = localeOfFeed.text('feed.title', { publication: config.publication.name, feed: '' });
    const title = feed.title.startsWith(named) ? feed.title.slice(named.length) : feed.title;
    const head = { id: address.id, title, query: address.query };
    const links = feedLinks(head, config);
    const items = feed.items.map((item) => ({
      language: feed.language,
      ...item,
      publishedAt: Date.parse(item.date_published),
    }));
    const page = { title, description: locale.text('feedView.pageDescription', { feed: title }), path: null };
    const data = { feed: { ...feed, title, formats: links.formats, items, ...waysToFollow(links) } };
    return respondPublicPage(c, await renderPage(web, 'feed-view', { ...page, feeds: [head] }, data));
  };
  return share(web, respond, (c) => `feed ${feedAt(web, c)?.path ?? c.req.path}`);
}
