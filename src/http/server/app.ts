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
import { serveFeedDocument, serveFeedPreflight } from '../feeds/feed-documents.ts';
import { answerBounceWebhook } from '../hooks/bounce-webhook.ts';
import { answerHub } from '../hooks/hub-endpoint.ts';
import { serveArchive, serveArchiveMonth } from '../pages/archive-pages.ts';
import { serveArticle } from '../pages/article-page.ts';
import { serveEdition, serveEditions } from '../pages/edition-pages.ts';
import { serveFrontPage } from '../pages/front-page.ts';
import { serveNewsletters } from '../pages/newsletters-page.ts';
import { serveSection } from '../pages/section-page.ts';
import { serveStylesheet } from '../pages/stylesheet.ts';
import { redirectFavicon, serveFavicon, serveRobots } from './assets.ts';
import { respondFailure, respondNotFound } from './errors.ts';
import { securityHeaders } from './headers.ts';
import { serveHealth } from './health.ts';
import { serveMedia } from './media.ts';
import { renderMetrics } from './metrics.ts';
import { type Answers, type RequestHandler, route } from './routes.ts';
import { openWebContext, type WebContext, type WebOptions } from './web-context.ts';

/**
 * The web app, to be served behind a port or called in tests by `app.request()`. It sets no cookie and changes nothing but by
 * POST. Pages stand below the path of `publication.url`; `/healthz` and `/metrics`, which are asked of this very process,
 * stand at the root.
 */
export function createApp(deps: WebOptions): Hono {
  const web = openWebContext(deps);
  const app = new Hono();
  app.use(securityHeaders);
  app.onError((error, c) => respondFailure(web, c, error));
  app.notFound((c) => answerUnknown(web)(c));
  route(app, '/healthz', { get: serveHealth(web) });
  route(app, '/metrics', { get: answerMetrics(web) });
  routePages(app, web);
  return app;
}

function routePages(app: Hono, web: WebContext): void {
  const { base } = web;
  const page = (path: string, answers: Answers): void => route(app, base + path, answers);
  if (base !== '') route(app, base, { get: (c) => c.redirect(`${base}/`, 301) });
  page('/', { get: serveFrontPage(web) });
  page('/articles/:slug', { get: serveArticle(web) });
  page('/sections/:id', { get: serveSection(web) });
  page('/archive', { get: serveArchive(web) });
  page('/archive/:month', { get: serveArchiveMonth(web) });
  page('/editions', { get: serveEditions(web) });
  page('/editions/:newsletter', { get: serveEditions(web) });
  page('/editions/:newsletter/:slot', { get: serveEdition(web) });
  page('/newsletters', { get: serveNewsletters(web) });
  routeReaders(app, web);
  page('/feeds', { get: (c) => c.redirect(`${base}/feeds/`, 301) });
  app.options(`${base}/feeds/*`, serveFeedPreflight);
  page('/feeds/*', { get: serveFeedDocument(web) });
  if (web.config.hub?.url === 'self') page('/hub', answerHub(web));
  page('/media/*', { get: serveMedia(web) });
  page('/style.css', { get: serveStylesheet(web) });
  page('/favicon.svg', { get: serveFavicon(web) });
  page('/favicon.ico', { get: redirectFavicon(web) });
  page('/robots.txt', { get: serveRobots(web) });
}

/** What readers ask of their subscriptions. Those who hold a token are known by it. */
function routeReaders(app: Hono, web: WebContext): void {
  const { base, config } = web;
  for (const folder of ['unsubscribe', 'confirm', 'preferences']) app.use(`${base}/${folder}/*`, keepPrivate);
  route(app, `${base}/subscribe`, answerSubscribe(web));
  route(app, `${base}/confirm/:token`, answerConfirm(web));
  route(app, `${base}/unsubscribe/:token`, answerUnsubscribe(web));
  route(app, `${base}/preferences/:token`, answerPreferences(web));
  route(app, `${base}/preferences/:token/data`, answerDataDownload(web));
  route(app, `${base}/preferences/:token/erase`, answerErasure(web));
  const { webhookSecret } = config.secrets;
  if (webhookSecret !== undefined) route(app, `${base}/webhooks/bounces`, answerBounceWebhook(web, webhookSecret));
}

function answerMetrics(web: WebContext): RequestHandler {
  return async (c) => {
    const { contentType, body } = await renderMetrics(web.store, web.clock());
    return c.body(body, 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  };
}

/** A path with a slash too many at its end leads to the one without. */
function answerUnknown(web: WebContext): RequestHandler {
  return (c) => {
    const { path, method } = c.req;
    // Only plain steps: a path that begins with two slashes would name another host.
    if ((method === 'GET' || method === 'HEAD') && /^(?:\/[A-Za-z0-9._~-]+)+\/$/.test(path)) {
      return c.redirect(path.slice(0, -1) + new URL(c.req.url).search, 301);
    }
    return respondNotFound(web, c);
  };
}
