/**
 * Whether a form was posted from a page of this site. A page of another site could make the browsers of its visitors
 * post forms, such as the one that requests email to a stranger. Browsers say where a form comes from in Sec-Fetch-Site
 * (Fetch Metadata, W3C) and Origin (RFC 6454 §7); other clients say nothing, and are no danger to their users.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { peerAddress } from './client-address.ts';
import { respondError } from './errors.ts';
import type { WebContext } from './web-context.ts';

export interface FormOrigin {
  /** Sec-Fetch-Site. */
  site: string | undefined;
  /** Origin. */
  origin: string | undefined;
  /** The host that the client used, with its port. */
  host: string | undefined;
  /** `http` or `https`, as far as a trusted proxy says it. */
  protocol: string | undefined;
}

/**
 * Decides whether a form comes from another site. Pure.
 * @param ownOrigin the origin of `publication.url`
 * @param acceptsNull whether `Origin: null` is enough without Sec-Fetch-Site: older browsers send it from pages without
 *   a referrer, and so do pages of other sites
 */
export function isForeignForm(form: FormOrigin, ownOrigin: string, acceptsNull: boolean): boolean {
  const { site, origin } = form;
  if (site === 'cross-site') return true;
  if (origin === undefined) return site === 'same-site';
  if (origin === 'null') return site === undefined ? !acceptsNull : site !== 'same-origin';
  return origin !== ownOrigin && !isHostOfClient(origin, form);
}

/** A site may be served at other addresses too, such as a test address. */
function isHostOfClient(origin: string, { host, protocol }: FormOrigin): boolean {
  if (host === undefined || !/^https?:/.test(origin) || !URL.canParse(origin)) return false;
  const from = new URL(origin);
  if (protocol !== undefined && from.protocol !== `${protocol}:`) return false;
  // With the same scheme, the default port is left out of both.
  const address = `${from.protocol}//${host}`;
  return URL.canParse(address) && new URL(address).origin === from.origin;
}

/** Responds with 403 to a form that another site posts. @param acceptsNull see `isForeignForm` */
export function refuseForeignForms(web: WebContext, options: { acceptsNull: boolean }): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'POST' && isForeign(web, c, options)) return respondForeignForm(web, c);
    return next();
  };
}

/** Whether another site posts the form of this request. */
export function isForeign(web: WebContext, c: Context, { acceptsNull }: { acceptsNull: boolean }): boolean {
  const form = { site: c.req.header('Sec-Fetch-Site'), origin: c.req.header('Origin'), ...forwardedAddressOf(web, c) };
  return isForeignForm(form, new URL(web.view.url).origin, acceptsNull);
}

export function respondForeignForm(web: WebContext, c: Context): Promise<Response> | Response {
  const message = web.locale.text('error.foreignForm.message', { address: `${web.view.url}/` });
  return respondError(web, c, 403, { title: web.locale.text('error.foreignForm.title'), message });
}

/** Host and protocol that the client used: those that a trusted proxy forwards, else the Host of the request. */
export function forwardedAddressOf(web: WebContext, c: Context): Pick<FormOrigin, 'host' | 'protocol'> {
  const peer = peerAddress(c);
  const isForwarded = peer !== null && web.isTrustedProxy(peer);
  const forwarded = (name: string): string | undefined =>
    isForwarded ? c.req.header(name)?.split(',').at(-1)?.trim() : undefined;
  return {
    host: forwarded('X-Forwarded-Host') ?? c.req.header('Host'),
    protocol: forwarded('X-Forwarded-Proto')?.toLowerCase(),
  };
}
