/**
 * What is said when there is no such page, or something broke: in the site's look, and nothing of what stands behind.
 */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { renderPage, respondPage } from '../pages/page.ts';
import type { WebContext } from './web-context.ts';

/** 404. The same page for what never was and for what readers may not see. */
export async function respondNotFound(web: WebContext, c: Context): Promise<Response> {
  return respondError(web, c, 404, {
    title: 'Page not found',
    message: 'There is no page at this address. It may have moved, or the link may have been cut short on its way.',
  });
}

/** 500, for whatever was thrown. The log gets the cause; the reader does not. */
export async function respondFailure(web: WebContext, c: Context, error: unknown): Promise<Response> {
  // Not the address: it may hold a token. The route tells enough.
  const details = { method: c.req.method, route: c.req.routePath, error: describe(error) };
  if (web.log === undefined) console.error('daywire: a request failed', details);
  else web.log.error(details, 'a request failed');
  const said = {
    title: 'Something went wrong',
    message: 'The page could not be made. The fault is ours; please try again in a moment.',
  };
  try {
    return await respondError(web, c, 500, said);
  } catch {
    return c.text(`${said.title}. ${said.message}\n`, 500, { 'Cache-Control': 'no-store' });
  }
}

/** Any other refusal, in words for readers. It is never kept. */
export async function respondError(
  web: WebContext,
  c: Context,
  status: ContentfulStatusCode,
  said: { title: string; message: string },
): Promise<Response> {
  const head = { title: said.title, description: said.message, path: null };
  return respondPage(c, await renderPage(web, 'error', head, { ...said, status }), status);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
