/**
 * All that is served: which address leads to which page.
 */
import { Hono } from 'hono';
import { answerConfirm } from '../account/confirm-page.ts';
import { answerDataDownload, answerErasure } from '../account/personal-data.ts';
import { answerPreferences } from '../account/preferences-page.ts';
import { keepPrivate } from '../account/private-pages.ts';
import { answerSubscribe } from '../account/subscribe-page.ts';
import { answerUnsubscribe } from '../account/unsubscribe-page.ts';
import { answerFeedDocument, answerFeedPreflight } from '../feeds/feed-documents.ts';
import { answerBounceWebhook } from '../hooks/bounce-webhook.ts';
import { answerHub } from '../hooks/hub-endpoint.ts';
import { answerArchive, answerArchiveMonth } from '../pages/archive-pages.ts';
import { answerArticle } from '../pages/article-page.ts';
import { answerEdition, answerEditions } from '../pages/edition-pages.ts';
import { answerFrontPage } from '../pages/front-page.ts';
import { answerNewsletters } from '../pages/newsletters-page.ts';
import { answerSection } from '../pages/section-page.ts';
import { answerStylesheet } from '../pages/stylesheet.ts';
import { answerFavicon, answerOldFavicon, answerRobots } from './assets.ts';
import { answerFailure, answerNotFound } from './error-pages.ts';
import { answerHealth } from './health.ts';
import { answerMedia } from './media.ts';
import { renderMetrics } from './metrics.ts';
import { type Answer, type Answers, route } from './routes.ts';
import { securityHeaders } from './security-headers.ts';
import { type Deps, openSite, type Site } from './site.ts';

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
  routePages(app, site);
  return app;
}

function routePages(app: Hono, site: Site): void {
  const { base } = site;
  const page = (path: string, answers: Answers): void => route(app, base + path, answers);
  if (base !== '') route(app, base, { get: (c) => c.redirect(`${base}/`, 301) });
  page('/', { get: answerFrontPage(site) });
  page('/articles/:slug', { get: answerArticle(site) });
  page('/sections/:id', { get: answerSection(site) });
  page('/archive', { get: answerArchive(site) });
  page('/archive/:month', { get: answerArchiveMonth(site) });
  page('/editions', { get: answerEditions(site) });
  page('/editions/:newsletter', { get: answerEditions(site) });
  page('/editions/:newsletter/:slot', { get: answerEdition(site) });
  page('/newsletters', { get: answerNewsletters(site) });
  routeReaders(app, site);
  page('/feeds', { get: (c) => c.redirect(`${base}/feeds/`, 301) });
  app.options(`${base}/feeds/*`, answerFeedPreflight);
  page('/feeds/*', { get: answerFeedDocument(site) });
  if (site.config.hub?.url === 'self') page('/hub', answerHub(site));
  page('/media/*', { get: answerMedia(site) });
  page('/style.css', { get: answerStylesheet(site) });
  page('/favicon.svg', { get: answerFavicon(site) });
  page('/favicon.ico', { get: answerOldFavicon(site) });
  page('/robots.txt', { get: answerRobots(site) });
}

/** What readers ask of their subscriptions. Those who hold a token are known by it. */
function routeReaders(app: Hono, site: Site): void {
  const { base, config } = site;
  for (const folder of ['unsubscribe', 'confirm', 'preferences']) app.use(`${base}/${folder}/*`, keepPrivate);
  route(app, `${base}/subscribe`, answerSubscribe(site));
  route(app, `${base}/confirm/:token`, answerConfirm(site));
  route(app, `${base}/unsubscribe/:token`, answerUnsubscribe(site));
  route(app, `${base}/preferences/:token`, answerPreferences(site));
  route(app, `${base}/preferences/:token/data`, answerDataDownload(site));
  route(app, `${base}/preferences/:token/erase`, answerErasure(site));
  const { webhookSecret } = config.secrets;
  if (webhookSecret !== undefined) route(app, `${base}/webhooks/bounces`, answerBounceWebhook(site, webhookSecret));
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
    const { path, method } = c.req;
    // Only plain steps: a path that begins with two slashes would name another host.
    if ((method === 'GET' || method === 'HEAD') && /^(?:\/[A-Za-z0-9._~-]+)+\/$/.test(path)) {
      return c.redirect(path.slice(0, -1) + new URL(c.req.url).search, 301);
    }
    return answerNotFound(site, c);
  };
}
