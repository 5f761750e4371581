/**
 * Sign-up from the newsroom's own site, which is at another origin: the form of `own-site-form.ts`, with or without the
 * script `/subscribe.js`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Handler, MiddlewareHandler } from 'hono';
import { isolate } from '../../lib/locale/direction.ts';
import { sha256 } from '../../lib/sha256.ts';
import { BUILT_IN_TEMPLATES } from '../../lib/templates.ts';
import { isNotModified } from '../../web/server/conditional.ts';
import { respondForeignForm } from '../../web/server/form-origin.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { CONFIRM_WITHIN_HOURS } from '../consent/signup-limits.ts';
import { type SignupResult, signUp } from './sign-up.ts';
import { chosenTitles } from './subscribe-form.ts';
import { respondSignup } from './subscribe-page.ts';

/**
 * Responds with 403 unless Origin (RFC 6454 §7) is one of `signup.origins` or the site's own. Browsers always send it
 * with a POST, and pages cannot change it, so a request without it is a program's. It is no secret: a program can send
 * any value, and only the limits of sign-ups apply to that.
 */
export function allowListedOrigins(web: WebContext): MiddlewareHandler {
  const own = new URL(web.view.url).origin;
  const listed = new Set([own, ...web.config.signup.origins]);
  return async (c, next) => {
    c.header('Vary', 'Origin');
    const origin = c.req.header('Origin');
    if (origin === undefined || !listed.has(origin)) return respondForeignForm(web, c);
    // Fetch Metadata (W3C): a browser's value agrees with Origin.
    const site = c.req.header('Sec-Fetch-Site');
    const expected = origin === own ? ['same-origin'] : ['same-site', 'cross-site'];
    if (site !== undefined && !expected.includes(site)) return respondForeignForm(web, c);
    c.header('Access-Control-Allow-Origin', origin);
    return next();
  };
}

/** POST of `/api/subscribe`: JSON for a client that accepts it, else a page or the redirect to `signup.thanks`. */
export function handleApiSubscribe(web: WebContext): Handler {
  const { thanks } = web.config.signup;
  return async (c) => {
    const origin = c.req.header('Origin');
    c.header('Cache-Control', 'no-store');
    if (/\bapplication\/json\b/i.test(c.req.header('Accept') ?? '')) {
      return respondJson(web, c, await signUp(web, c, 'text', origin));
    }
    const result = await signUp(web, c, 'html', origin);
    if (result.kind === 'check-inbox' && thanks !== undefined) return c.redirect(thanks, 303);
    return respondSignup(web, c, result);
  };
}

/** `message` and `errors` are plain text for the visitor, in the publication's language. */
function respondJson(web: WebContext, c: Context, result: SignupResult): Promise<Response> | Response {
  const { locale } = web;
  const status = result.kind;
  if (result.kind === 'no-form') return respondSignup(web, c, result);
  if (result.kind === 'closed') return c.json({ status, message: locale.text('signup.closed.text') }, 404);
  if (result.kind === 'too-many') {
    return c.json({ status, message: result.message }, 429, { 'Retry-After': result.retryAfter });
  }
  if (result.kind === 'invalid') {
    const { email, newsletters: newsletter, zone, choices } = result.errors;
    const errors = Object.entries({ email, newsletter, zone, ...choices }).filter(([, error]) => error !== null);
    const message = errors.map(([, error]) => error).join(' ');
    return c.json({ status, message, errors: Object.fromEntries(errors) }, 422);
  }
  const titles = locale.list(chosenTitles(web, result.fields).map(({ title }) => isolate(title, locale.dir)));
  const values = { email: result.fields.email, hours: CONFIRM_WITHIN_HOURS, titles };
  return c.json({ status, message: locale.text('signup.inbox.sent', values) });
}

/** `/subscribe.js`, for pages of any site. */
export function serveSubscribeScript(): Handler {
  const script = readFileSync(join(BUILT_IN_TEMPLATES, 'pages', 'subscribe.js'), 'utf8');
  const headers = {
    ETag: `"${sha256(script).slice(0, 12)}"`,
    'Cache-Control': 'public, max-age=3600',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  };
  return (c) => {
    if (isNotModified(c.req.raw.headers, { etag: headers.ETag })) return c.body(null, 304, headers);
    return c.body(script, 200, { ...headers, 'Content-Type': 'text/javascript; charset=utf-8' });
  };
}
