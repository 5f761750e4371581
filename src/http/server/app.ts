/**
 * The web server's routes.
 */

import { type Context, Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { articleSources } from '../../config/sources.ts';
import { handleConfirm, serveConfirmPage } from '../account/confirm-page.ts';
import { handleActLinkRequest, handlePreferencesLinkRequest, handleRevocation } from '../account/link-requests.ts';
import { handleErasure, handleExport, serveActPage } from '../account/personal-data.ts';
import { handlePreferences, redirectToPreferences, servePreferences } from '../account/preferences-page.ts';
import { handleSubscribe, redirectToForm } from '../account/subscribe-page.ts';
import { handleUnsubscribe, limitUnsubscribe, serveUnsubscribePage } from '../account/unsubscribe-page.ts';
import { serveFeedDocument, serveFeedPreflight } from '../feeds/feed-documents.ts';
import { handleBounceWebhook, limitReports } from '../hooks/bounce-webhook.ts';
import { handleHubRequest, limitHubRequest } from '../hooks/hub-endpoint.ts';
import { addProviderWebhook } from '../hooks/provider-webhook.ts';
import { handleSourceWebhook, limitSourceWebhook } from '../hooks/source-webhook.ts';
import { serveArchive, serveArchiveMonth } from '../pages/archive-pages.ts';
import { serveArticle } from '../pages/article-page.ts';
import { serveEdition, serveEditions } from '../pages/edition-pages.ts';
import { serveFrontPage } from '../pages/front-page.ts';
import { serveLegalPage } from '../pages/legal-page.ts';
import { serveNewsletters } from '../pages/newsletters-page.ts';
import { share } from '../pages/public-page.ts';
import { serveSection } from '../pages/section-page.ts';
import { countVisits } from '../visits/count-visits.ts';
import { redirectFavicon, serveFavicon, serveRobots, serveStylesheet } from './assets.ts';
import { respondFailure, respondNotFound } from './errors.ts';
import { refuseForeignForms } from './form-origin.ts';
import { privatePageHeaders, securityHeaders } from './headers.ts';
import { serveHealth } from './health.ts';
import { serveMedia } from './media.ts';
import { serveMetrics } from './metrics.ts';
import { withToken } from './metrics-app.ts';
import { serveRendition } from './renditions.ts';
import { limitForm } from './request-body.ts';
import { reportUntrustedProxy } from './untrusted-proxy.ts';
import { openWebContext, type WebContext, type WebOptions } from './web-context.ts';

/** What a process serves beside the site's public pages, or instead of them. */
export interface AppParts {
  /** Whether it has the public pages and feeds, and receives what others post. Default: true. */
  isPublic?: boolean;
  /** Adds further pages below a path of the site. */
  mount?: (web: WebContext) => { path: string; pages: Hono } | undefined;
}

/**
 * The web app: `listen` serves it, tests call `app.request()`. Its own pages set no cookie, and GET changes nothing.
 * Pages are below the path of `publication.url`; `/healthz` and `/metrics` are about this process and always at the
 * root.
 */
export function createApp(options: WebOptions, { isPublic = true, mount }: AppParts = {}): Hono {
  const web = openWebContext(options);
  const app = new Hono();
  app.use(
    reportUntrustedProxy(web),
    securityHeaders(web),
    methodNotAllowed({ app, onMethodNotAllowed: respondMethods }),
  );
  app.onError((error, c) => respondFailure(web, c, error));
  app.notFound((c) => redirectWithoutSlash(c) ?? respondNotFound(web, c));
  app.get('/healthz', serveHealth(web));
  const { metricsToken } = web.config.secrets;
  if (metricsToken !== undefined) app.get('/metrics', withToken(metricsToken, serveMetrics(web)));
  if (isPublic) addPublicPages(app, web);
  const mounted = mount?.(web);
  if (mounted !== undefined) app.route(web.base + mounted.path, mounted.pages);
  return app;
}

function addPublicPages(app: Hono, web: WebContext): void {
  if (web.base !== '') app.get(web.base, (c) => c.redirect(`${web.base}/`, 301));
  app.get(`${web.base}/`, share(web, serveFrontPage(web)));
  const pages = app.basePath(web.base);
  addPages(pages, web);
  addFeeds(pages, web);
  addAccountPages(pages, web);
}

function addPages(app: Hono, web: WebContext): void {
  app.get('/articles/:slug', share(web, serveArticle(web)));
  app.get('/sections/:id', share(web, serveSection(web)));
  app.get('/archive', share(web, serveArchive(web)));
  app.get('/archive/:month', share(web, serveArchiveMonth(web)));
  app.get('/editions', share(web, serveEditions(web)));
  app.get('/editions/:newsletter', share(web, serveEditions(web)));
  app.get('/editions/:newsletter/:slot', countVisits(web), share(web, serveEdition(web)));
  app.get('/newsletters', share(web, serveNewsletters(web)));
  for (const path of ['/imprint', '/imprint/:newsletter', '/privacy']) app.get(path, share(web, serveLegalPage(web)));
  app.get('/media/r/:form/*', serveRendition(web));
  app.get('/media/*', serveMedia(web));
  app.get('/style.css', serveStylesheet(web));
  app.get('/favicon.svg', serveFavicon(web));
  app.get('/favicon.ico', redirectFavicon(web));
  app.get('/robots.txt', serveRobots(web));
}

function addFeeds(app: Hono, web: WebContext): void {
  app.get('/feeds', (c) => c.redirect(`${web.base}/feeds/`, 301));
  app.get('/feeds/*', serveFeedDocument(web));
  app.options('/feeds/*', serveFeedPreflight);
  if (articleSources(web.config).length > 0) {
    app.post('/hooks/sources/:id', limitSourceWebhook, handleSourceWebhook(web));
  }
  if (web.config.hub?.url === 'self') app.post('/hub', limitHubRequest, handleHubRequest(web));
}

/** Pages about one subscription. The token in the link is the permission to use them. */
function addAccountPages(app: Hono, web: WebContext): void {
  // Their pages have no referrer. A page of another site would need the token.
  const ownForms = refuseForeignForms(web, { acceptsNull: true });
  for (const folder of ['account', 'confirm', 'preferences']) app.use(`/${folder}/*`, privatePageHeaders, ownForms);
  app.use('/unsubscribe/*', privatePageHeaders);
  app.get('/subscribe', redirectToForm(web));
  app.post('/subscribe', refuseForeignForms(web, { acceptsNull: false }), limitForm(web), handleSubscribe(web));
  app.get('/confirm/:token', serveConfirmPage(web)).post(limitForm(web), handleConfirm(web));
  app.get('/unsubscribe/:token', serveUnsubscribePage(web)).post(limitUnsubscribe(web), handleUnsubscribe(web));
  app.get('/preferences/:token', servePreferences(web)).post(limitForm(web), handlePreferences(web));
  const toPreferences = redirectToPreferences(web);
  app.get('/preferences/:token/link', toPreferences).post(handlePreferencesLinkRequest(web));
  app.get('/preferences/:token/export', toPreferences).post(handleActLinkRequest(web, 'export'));
  app.get('/preferences/:token/erase', toPreferences).post(handleActLinkRequest(web, 'erase'));
  app.get('/preferences/:token/revoke', toPreferences).post(handleRevocation(web));
  app.get('/account/export/:token', serveActPage(web, 'export')).post(handleExport(web));
  app.get('/account/erase/:token', serveActPage(web, 'erase')).post(handleErasure(web));
  const { webhookSecret } = web.config.secrets;
  if (webhookSecret !== undefined) {
    app.post('/webhooks/bounces', limitReports, handleBounceWebhook(web, webhookSecret));
  }
  addProviderWebhook(app, web);
}

/** 204 for OPTIONS, 405 for any other method, both with Allow (RFC 9110 §15.5.6). */
function respondMethods(c: Context, methods: string[]): Response {
  const allow = [...new Set([...methods, 'OPTIONS'])].join(', ');
  // Hono copies the headers of the 404 page to the response.
  c.res.headers.delete('Content-Type');
  if (c.req.method === 'OPTIONS') return c.body(null, 204, { Allow: allow });
  return c.text(`${c.req.method} is not allowed here. Allowed: ${allow}.\n`, 405, { Allow: allow });
}

/**
 * Redirects from a path with a superfluous slash at its end. The target has no host: hono/trailing-slash would put in
 * the one of the request, and http: where a proxy ends TLS.
 */
function redirectWithoutSlash(c: Context): Response | null {
  const { path, method } = c.req;
  // Plain segments only: a path that begins with two slashes would name another host.
  if ((method !== 'GET' && method !== 'HEAD') || !/^(?:\/[A-Za-z0-9._~-]+)+\/$/.test(path)) return null;
  return c.redirect(path.slice(0, -1) + new URL(c.req.url).search, 301);
}
