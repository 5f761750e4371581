/** Error pages, in the site's layout. They show nothing of the error itself. */
import type { Context, MiddlewareHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { isUnavailable } from '../../core/store/outages.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { SECOND } from '../../lib/time.ts';
import { renderPage, respondPublicPage } from '../pages/page.ts';
import type { WebContext } from './web-context.ts';

/** 404. The same page for an address that never existed and for one that visitors may not see. */
export async function respondNotFound(web: WebContext, c: Context): Promise<Response> {
  return respondPublicPage(c, await notFoundPage(web), 404);
}

// The same for all addresses, so it is rendered once a second at most: anyone can ask for thousands of them.
const notFoundPages = new WeakMap<WebContext, { html: Promise<string>; renderedAt: number }>();

function notFoundPage(web: WebContext): Promise<string> {
  const last = notFoundPages.get(web);
  const age = last === undefined ? Number.POSITIVE_INFINITY : web.clock() - last.renderedAt;
  if (last !== undefined && age >= 0 && age < SECOND) return last.html;
  const { locale } = web;
  const text = { title: locale.text('error.notFound.title'), message: locale.text('error.notFound.message') };
  const html = renderError(web, 404, text);
  notFoundPages.set(web, { html, renderedAt: web.clock() });
  // Try again after a template error.
  html.catch(() => notFoundPages.delete(web));
  return html;
}

/** The connection was closed before the request was complete. */
export class IncompleteRequest extends Error {
  override name = 'IncompleteRequest';
}

/**
 * 500 for any error, 503 while the store is away, locked or full. The cause goes to the log. An upload that the client
 * aborted is no failure: nobody receives the response.
 */
export async function respondFailure(web: WebContext, c: Context, error: unknown): Promise<Response> {
  if (error instanceof IncompleteRequest || c.req.raw.signal.aborted) {
    web.log?.debug({ method: c.req.method, route: c.req.routePath }, 'client left before its request was complete');
    return c.body(null, 500);
  }
  // The route instead of the address, which may hold a token.
  const isAway = isUnavailable(error);
  const cause = isAway ? errorLine(error) : describe(error);
  const details = { method: c.req.method, route: c.req.routePath, error: cause };
  if (web.log === undefined) console.error('daywire: request failed', details);
  else web.log.error(details, 'request failed');
  return isAway ? respondAway(web, c) : failurePage(web, c, 500);
}

/** 503: the store does not answer, or cannot be written. */
async function respondAway(web: WebContext, c: Context): Promise<Response> {
  const response = await failurePage(web, c, 503);
  response.headers.set('Retry-After', '30');
  return response;
}

/**
 * 503 for a page while the database leaves questions unanswered: visitors and balancers wait no longer. What changes
 * something waits for its outcome.
 */
export function answerWhileSilent(web: WebContext): MiddlewareHandler {
  return (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return next();
    const silent = Promise.withResolvers<Response>();
    const timer = setInterval(() => {
      if (web.store.faults.isSilent) silent.resolve(respondAway(web, c));
    }, SECOND);
    // A handler that goes on is no longer heard.
    return Promise.race([next(), silent.promise]).finally(() => clearInterval(timer));
  };
}

async function failurePage(web: WebContext, c: Context, status: 500 | 503): Promise<Response> {
  const { locale } = web;
  const text = { title: locale.text('error.failure.title'), message: locale.text('error.failure.message') };
  try {
    return await respondError(web, c, status, text);
  } catch {
    return c.text(`${text.title}. ${text.message}\n`, status, { 'Cache-Control': 'no-store' });
  }
}

/** Any other error, in words for visitors. It is never cached. */
export async function respondError(
  web: WebContext,
  c: Context,
  status: ContentfulStatusCode,
  text: { title: string; message: string },
): Promise<Response> {
  return respondPublicPage(c, await renderError(web, status, text), status);
}

function renderError(
  web: WebContext,
  status: ContentfulStatusCode,
  text: { title: string; message: string },
): Promise<string> {
  const head = { title: text.title, description: text.message, path: null };
  return renderPage(web, 'error', head, { ...text, status });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
