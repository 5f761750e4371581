/**
 * The web server's routes.
 */

import { type Context, Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { serveArticle } from '../../articles/pages/article-page.ts';
import { serveMedia } from '../../articles/pages/media.ts';
import { serveRendition } from '../../articles/pages/renditions.ts';
import { handleConfirm, serveConfirmPage } from '../../audience/pages/confirm-page.ts';
import {
  handleActLinkRequest,
  handlePreferencesLinkRequest,
  handleRevocation,
} from '../../audience/pages/link-requests.ts';
import { serveNewsletters } from '../../audience/pages/newsletters-page.ts';
import { handleErasure, handleExport, serveActPage } from '../../audience/pages/personal-data.ts';
import { handlePreferences, redirectToPreferences, servePreferences } from '../../audience/pages/preferences-page.ts';
import { handleSubscribe, redirectToForm } from '../../audience/pages/subscribe-page.ts';
import { handleUnsubscribe, limitUnsubscribe, serveUnsubscribePage } from '../../audience/pages/unsubscribe-page.ts';
import { articleSources } from '../../core/config/sources.ts';
import { handleBounceWebhook, limitReports } from '../../delivery/hooks/bounce-webhook.ts';
import { addProviderWebhook } from '../../delivery/hooks/provider-webhook.ts';
import { countVisits } from '../../editions/pages/count-visits.ts';
import { serveEdition, serveEditions } from '../../editions/pages/edition-pages.ts';
import { handleHubRequest, limitHubRequest } from '../../feeds/hooks/hub-endpoint.ts';
import { serveFeedDocument, serveFeedPreflight } from '../../feeds/pages/feed-documents.ts';
import { serveArchive, serveArchiveMonth } from '../../front/archive-pages.ts';
import { serveFrontPage } from '../../front/front-page.ts';
import { serveLegalPage } from '../../front/legal-page.ts';
import { serveSection } from '../../front/section-page.ts';
import { handleSourceWebhook, limitSourceWebhook } from '../../own-sites/hooks/source-webhook.ts';
import { redirectFavicon, serveFavicon, serveRobots, serveStylesheet } from '../../web/pages/assets.ts';
import { share } from '../../web/pages/public-page.ts';
import { respondFailure, respondNotFound } from '../../web/server/errors.ts';
import { refuseForeignForms } from '../../web/server/form-origin.ts';
import { privatePageHeaders, securityHeaders } from '../../web/server/headers.ts';
import { limitForm } from '../../web/server/request-body.ts';
import { reportUntrustedProxy } from '../../web/server/untrusted-proxy.ts';
import { openWebContext, type WebContext, type WebOptions } from '../../web/server/web-context.ts';
import { serveMetrics } from '../metrics/metrics.ts';
import { withToken } from '../metrics/metrics-app.ts';
import { serveHealth } from './health.ts';

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
