/** The web app of the desk: who sends a request, and whether they may, is decided here, before any handler. */
import { type Context, Hono } from 'hono';
import { compress } from 'hono/compress';
import { hasAccounts } from '../../accounts/account.ts';
import { auditAct } from '../../accounts/audit.ts';
import { may } from '../../accounts/permissions.ts';
import { browserName, findSession } from '../../accounts/sessions.ts';
import { clientAddress } from '../server/client-address.ts';
import { setMissing } from '../server/headers.ts';
import { limitBody, readForm } from '../server/request-body.ts';
import { serveAsset } from './assets.ts';
import { askForPassword } from './confirm-password.ts';
import type { DeskContext, DeskRequest, SignedInRequest } from './desk-request.ts';
import type { DeskRoute } from './desk-route.ts';
import { setNotice } from './notice.ts';
import { DESK_HEADERS, respondProblem } from './page.ts';
import { sessionTokenOf } from './session-cookie.ts';

/** Bytes. The body of an article is the longest field, and a form may take three bytes for one. */
const FORM_LIMIT = 2 * 1024 * 1024;

/** Sent by the script when it brings a page up to date by itself. */
const BACKGROUND = 'X-Background';

/** All routes answer 404 until there is an account, or an invitation to one. */
export function createDesk(desk: DeskContext, routes: readonly DeskRoute[]): Hono {
  const app = new Hono();
  let isOpen = false;
  app.use(async (c, next) => {
    isOpen ||= await hasAccounts(desk.app.store.db, desk.app.clock());
    if (!isOpen) return c.notFound();
    await next();
    setMissing(c, DESK_HEADERS);
  });
  // Not exports and streams. Pages with a secret say that they must not be.
  app.use(compress({ contentTypeFilter: /^text\/(?:html|css|javascript)/ }));
  app.get('/assets/:hash/:name', serveAsset(desk));
  // Before the pages: an act may have the address that a page has of something else, as `/deliveries/release`.
  for (const one of pagesOfActs(routes)) app.get(one.act, (c) => leadToPage(desk, one, c));
  for (const route of routes) app.on(route.method, route.path, (c) => respond(desk, route, c));
  return app;
}

function leadToPage({ base }: DeskContext, page: PageOfAct, c: Context): Response {
  const { pathname, search } = new URL(c.req.url);
  return c.redirect(base + addressOfPage(page, pathname.slice(base.length)) + search, 303);
}

async function respond(desk: DeskContext, route: DeskRoute, c: Context): Promise<Response> {
  const { config, store, clock } = desk.app;
  const at = clock();
  const isUnsafe = route.method === 'POST';
  const token = sessionTokenOf(c);
  const isUse = route.isBackground !== true && c.req.header(BACKGROUND) === undefined;
  const client = clientAddress(desk.web, c);
  const use = isUse ? { client, browser: browserName(c.req.header('User-Agent') ?? '') } : null;
  const found = token === null ? null : await findSession(store.db, token, at, use);
  const account = found && { ...found, client };
  const lacksFactor = account?.hasSecondFactor === false && config.accounts.require === 'second-factor';
  const request: DeskRequest = {
    ...{ c, desk, account, at },
    form: new URLSearchParams(),
    may: (permission) => account !== null && !lacksFactor && may(account.roles, permission),
  };
  const source = { site: c.req.header('Sec-Fetch-Site'), origin: c.req.header('Origin') };
  if (isUnsafe && !isOwnRequest(source, config.publication.url)) return respondForeign(request);
  if (route.needs !== null && account === null) return leadToSignIn(request, isUnsafe);
  if (lacksFactor && route.needs !== null) {
    if (route.isBeforeSecondFactor !== true) return c.redirect(`${desk.base}/account/second-factor`, 303);
  } else if (route.needs !== null && !request.may(route.needs)) return respondForbidden(request);
  if (!isUnsafe || route.upload === true) return handle(route, request);
  return readAndHandle(route, request);
}

/** Reads the form, which only those can make long who may post it. */
async function readAndHandle(route: DeskRoute, request: DeskRequest): Promise<Response> {
  const { c } = request;
  const refuseLong = () =>
    respondProblem(request, 413, 'Form too long', 'The form is longer than any of the desk. Nothing was changed.');
  let response: Response | undefined;
  const refusal = await limitBody({ maxSize: FORM_LIMIT, onError: refuseLong })(c, async () => {
    const form = await readForm(c);
    response =
      form === null
        ? await respondProblem(request, 415, 'Not a form', 'The request is not a form. Nothing was changed.')
        : await handle(route, { ...request, form });
  });
  return response ?? (refusal as Response);
}

async function handle(route: DeskRoute, request: DeskRequest): Promise<Response> {
  if (route.needs === null) return route.handle(request);
  const { account, at } = request;
  // Checked before: a route with `needs` is not handled without an account.
  if (account === null) throw new Error(`${route.path} was reached without a session`);
  const signedIn: SignedInRequest = {
    ...request,
    account,
    audit: (act, subject, detail) =>
      auditAct(account, at, { act, subject, ...(detail === undefined ? {} : { detail }) }),
  };
  const question = route.confirms === undefined ? null : await askForPassword(signedIn, route.confirms);
  return question ?? route.handle(signedIn);
}

function leadToSignIn(request: DeskRequest, isUnsafe: boolean): Response {
  const { c, desk } = request;
  if (isUnsafe) {
    const text = 'You are not signed in, or your session has ended. Sign in, and try it again.';
    setNotice(c, { kind: 'problem', text });
  }
  const { pathname, search } = new URL(c.req.url);
  // The page of an act's form is not known; the address of the act itself is no page.
  const next = isUnsafe ? '' : `?${new URLSearchParams({ next: pathname + search })}`;
  return c.redirect(`${desk.base}/sign-in${next}`, 303);
}

function respondForbidden(request: DeskRequest): Promise<Response> {
  const roles = request.account?.roles.join(', ');
  const message = `Your role is ${roles}, which does not include this. An admin can give you another role.`;
  return respondProblem(request, 403, 'Not with your role', message);
}

function respondForeign(request: DeskRequest): Promise<Response> {
  const { url } = request.desk.app.config.publication;
  const message = `The form did not come from a page of the desk. Nothing was changed: use the desk at ${url}/desk.`;
  return respondProblem(request, 403, 'Request from another site', message);
}

interface RequestSource {
  /** Sec-Fetch-Site (Fetch Metadata, W3C). Browsers send it to https and to localhost. */
  site: string | undefined;
  /** Origin (RFC 6454 §7). */
  origin: string | undefined;
}

/**
 * Decides whether an unsafe request was sent by a page of the publication's own origin. Pages of other sites can make
 * the browser of a signed-in editor post forms, and the browser sends the session's cookie with some of them.
 * Sec-Fetch-Site decides where there is one, otherwise Origin. A request with neither is refused, unlike with the forms
 * for visitors: the desk is used by browsers only.
 * @param publicUrl `publication.url`
 */
export function isOwnRequest({ site, origin }: RequestSource, publicUrl: string): boolean {
  if (site !== undefined) return site === 'same-origin';
  return origin !== undefined && origin === new URL(publicUrl).origin;
}

/** An act whose address is no page, and the page above it; paths as routes have them. */
interface PageOfAct {
  act: string;
  page: string;
}

/** The page of an act is the nearest one above it: `/deliveries/:id` of `/deliveries/:id/pause`. */
function pagesOfActs(routes: readonly Pick<DeskRoute, 'method' | 'path'>[]): PageOfAct[] {
  const pages = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path));
  const acts = routes.filter(({ method, path }) => method === 'POST' && !pages.has(path));
  return acts.flatMap(({ path: act }) => {
    for (let page = parentOf(act); page !== null; page = parentOf(page)) {
      if (pages.has(page)) return [{ act, page }];
    }
    return [];
  });
}

/** Null of the uppermost path, which is empty. */
function parentOf(path: string): string | null {
  return path === '' ? null : path.slice(0, path.lastIndexOf('/'));
}

/**
 * The address of the page of an act.
 * @param pathname of the act, below the desk's path
 */
function addressOfPage({ page }: PageOfAct, pathname: string): string {
  return pathname.split('/', page.split('/').length).join('/');
}
