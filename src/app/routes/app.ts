/** The web server's routes. */
import { type Context, Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { addArticlePages } from '../../articles/pages/routes.ts';
import { addAudiencePages } from '../../audience/pages/routes.ts';
import { addBounceWebhook } from '../../delivery/hooks/bounce-webhook.ts';
import { addProviderWebhook } from '../../delivery/hooks/provider-webhook.ts';
import { addEditionPages } from '../../editions/pages/edition-pages.ts';
import { addHub } from '../../feeds/hooks/hub-endpoint.ts';
import { addFeedPages } from '../../feeds/pages/feed-documents.ts';
import { serveFrontPage } from '../../front/front-page.ts';
import { addFrontPages } from '../../front/routes.ts';
import { addSourceWebhook } from '../../own-sites/hooks/source-webhook.ts';
import { addAssets } from '../../web/pages/assets.ts';
import { share } from '../../web/pages/public-page.ts';
import { reportUntrustedProxy } from '../../web/server/client-address.ts';
import { answerWhileSilent, respondFailure, respondNotFound } from '../../web/server/errors.ts';
import { securityHeaders } from '../../web/server/headers.ts';
import { type AddRoutes, openWebContext, type WebContext, type WebOptions } from '../../web/server/web-context.ts';
import { serveLive, serveState } from '../health.ts';
import { measureRequests, serveMetrics, withToken } from '../metrics.ts';

/** The public pages and webhooks. No two have a path in common. */
const PUBLIC_ROUTES: readonly AddRoutes[] = [
  ...[addArticlePages, addFrontPages, addEditionPages, addAudiencePages, addAssets, addFeedPages],
  ...[addSourceWebhook, addHub, addBounceWebhook, addProviderWebhook],
];

/** What a process serves beside the site's public pages, or instead of them. */
export interface AppParts {
  /** Whether it has the public pages and feeds, and receives what others post. Default: true. */
  isPublic?: boolean;
  /** Adds further pages below a path of the site. */
  mount?: (web: WebContext) => { path: string; pages: Hono } | undefined;
  /** What `/healthz` is about beside the database. Default: nothing. */
  findStopped?: () => Promise<string[]>;
}

/**
 * The web app: `listen` serves it, tests call `app.request()`. Its own pages set no cookie, and GET changes nothing.
 * Pages are below the path of `publication.url`; `/livez`, `/readyz`, `/healthz` and `/metrics` are always at the
 * root.
 */
export function createApp(options: WebOptions, { isPublic = true, mount, findStopped }: AppParts = {}): Hono {
  const web = openWebContext(options);
  const app = new Hono();
  app.use(
    measureRequests(web.base),
    reportUntrustedProxy(web),
    securityHeaders(web),
    answerWhileSilent(web),
    methodNotAllowed({ app, onMethodNotAllowed: respondMethods }),
  );
  app.onError((error, c) => respondFailure(web, c, error));
  app.notFound((c) => redirectWithoutSlash(c) ?? respondNotFound(web, c));
  app.get('/livez', serveLive);
  app.get('/readyz', serveState(web.store));
  app.get('/healthz', serveState(web.store, findStopped));
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
  const site = app.basePath(web.base);
  for (const addRoutes of PUBLIC_ROUTES) addRoutes(site, web);
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
