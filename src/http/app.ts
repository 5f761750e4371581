/**
 * All that is served: which address leads to which page.
 */
import { Hono } from 'hono';
import { answerArchive, answerArchiveMonth } from './archive-pages.ts';
import { answerArticle } from './article-page.ts';
import { answerFavicon, answerOldFavicon, answerRobots } from './assets.ts';
import { answerEdition, answerEditions } from './edition-pages.ts';
import { answerFailure, answerNotFound } from './error-pages.ts';
import { answerFeedDocument, answerFeedPreflight } from './feed-documents.ts';
import { answerFrontPage } from './front-page.ts';
import { answerHealth } from './health.ts';
import { answerMedia } from './media.ts';
import { renderMetrics } from './metrics.ts';
import { answerNewsletters } from './newsletters-page.ts';
import { type Answer, route } from './routes.ts';
import { answerSection } from './section-page.ts';
import { securityHeaders } from './security-headers.ts';
import { type Deps, openSite, type Site } from './site.ts';
import { answerStylesheet } from './stylesheet.ts';
import { answerUnsubscribe } from './unsubscribe-page.ts';

/**
 * The web app, to be served behind a port or called in tests by `app.request()`. It sets no cookie and changes nothing but by
 * POST. Pages stand below the path of `publication.url`; `/healthz` and `/metrics`, which are asked of this very process,
 * stand at the root.
 */
export function createApp(deps: Deps): Hono {
  const site = openSite(deps);
  const app = new Hono();
  app.use(securityHeaders);
  app.onError((error, c) => answerFailure(site, c, error));
  app.notFound((c) => answerUnknown(site)(c));
  route(app, '/healthz', { get: answerHealth(site) });
  route(app, '/metrics', { get: answerMetrics(site) });
  routePages(site.base === '' ? app : app.basePath(site.base), site);
  return app;
}

function routePages(app: Hono, site: Site): void {
  route(app, '/', { get: answerFrontPage(site) });
  route(app, '/articles/:slug', { get: answerArticle(site) });
  route(app, '/sections/:id', { get: answerSection(site) });
  route(app, '/archive', { get: answerArchive(site) });
  route(app, '/archive/:month', { get: answerArchiveMonth(site) });
  route(app, '/editions', { get: answerEditions(site) });
  route(app, '/editions/:newsletter', { get: answerEditions(site) });
  route(app, '/editions/:newsletter/:slot', { get: answerEdition(site) });
  route(app, '/newsletters', { get: answerNewsletters(site) });
  route(app, '/unsubscribe/:token', answerUnsubscribe(site));
  route(app, '/feeds', { get: (c) => c.redirect(`${site.base}/feeds/`, 301) });
  app.options('/feeds/*', answerFeedPreflight);
  route(app, '/feeds/*', { get: answerFeedDocument(site) });
  route(app, '/media/*', { get: answerMedia(site) });
  route(app, '/style.css', { get: answerStylesheet(site) });
  route(app, '/favicon.svg', { get: answerFavicon(site) });
  route(app, '/favicon.ico', { get: answerOldFavicon(site) });
  route(app, '/robots.txt', { get: answerRobots(site) });
}

function answerMetrics(site: Site): Answer {
  return async (c) => {
    const { contentType, body } = await renderMetrics(site.store, site.clock());
    return c.body(body, 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  };
}

/** A path with a slash too many at its end leads to the one without. */
function answerUnknown(site: Site): Answer {
  return (c) => {
    const path = c.req.path;
    // Only plain steps: a path that begins with two slashes would name another host.
    if (c.req.method === 'GET' && /^(?:\/[A-Za-z0-9._~%-]+)+\/$/.test(path)) return c.redirect(path.slice(0, -1), 301);
    return answerNotFound(site, c);
  };
}
