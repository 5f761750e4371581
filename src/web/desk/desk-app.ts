/** The web app of the desk: who sends a request, and whether they may, is decided here, before any handler. */
import { type Context, Hono } from 'hono';
import { compress } from 'hono/compress';
import { findAccount, hasAccounts } from '../../accounts/account.ts';
import { auditAct } from '../../accounts/audit.ts';
import { may } from '../../accounts/permissions.ts';
import { browserName, findSession } from '../../accounts/sessions.ts';
import { clientAddress } from '../server/client-address.ts';
import { framePolicy, setMissing } from '../server/headers.ts';
import { limitBody, readForm } from '../server/request-body.ts';
import { serveAsset } from './assets.ts';
import { askForPassword } from './confirm-password.ts';
import type { DeskContext, DeskRequest, SignedInRequest } from './desk-request.ts';
import type { DeskRoute } from './desk-route.ts';
import { KEPT_LIMIT, keepForm, MAX_KEPT_FIELDS, readKeptForm, showAgain } from './kept-form.ts';
import { setNotice } from './notice.ts';
import { DESK_HEADERS, PAGE_ACCOUNT, respondProblem } from './page.ts';
import { sessionTokenOf } from './session-cookie.ts';

/** Bytes. The body of an article is the longest field, and a form may take three bytes for one. */
const FORM_LIMIT = 2 * 1024 * 1024;

/** Sent by the script when it brings a page up to date by itself. */
const BACKGROUND = 'X-Background';

const POLICY_HEADER = 'Content-Security-Policy';

/** All routes answer 404 until there is an account, or an invitation to one. */
export function createDesk(desk: DeskContext, routes: readonly DeskRoute[]): Hono {
  const app = new Hono();
  let isOpen = false;
  app.use(async (c, next) => {
    isOpen ||= await hasAccounts(desk.app.store.db, desk.app.clock());
    if (!isOpen) return c.notFound();
    await next();
    const isPage = c.res.headers.get('Content-Type')?.startsWith('text/html') && !c.res.headers.has(POLICY_HEADER);
    if (isPage && c.req.header('Sec-Fetch-Dest') === 'iframe') answerInFrame(desk, c);
    setMissing(c, DESK_HEADERS);
  });
  // Not exports and streams. Pages with a secret say that they must not be.
  app.use(compress({ contentTypeFilter: /^text\/(?:html|css|javascript)/ }));
  app.get('/assets/:hash/:name', serveAsset(desk));
  // Before the pages: an act may have the address that a page has of something else, as `/deliveries/release`.
  for (const one of pagesOfActs(routes)) app.get(one.act, (c) => leadToPage(desk, one, c));
  const signIn = routes.find(({ method, path }) => method === 'GET' && path === '/sign-in');
  for (const route of routes) app.on(route.method, route.path, (c) => respond(desk, route, c, signIn));
  return app;
}

const NO_PREVIEW = `<!doctype html><html lang="en"><meta name="color-scheme" content="light dark">
<title>No preview</title><p>There is no preview: you may be signed out, or another account may have signed in. Your text
stays in its form. Sign in, in another tab, and try again.</p>`;

/** No page of the desk may be in a frame, such as that of the sign-in, where there should be a preview. */
function answerInFrame({ app }: DeskContext, c: Context): void {
  const headers = { 'Content-Type': 'text/html', [POLICY_HEADER]: framePolicy(app.config.publication.url) };
  const answer = new Response(NO_PREVIEW, { status: c.res.status, headers });
  c.res = undefined;
  c.res = answer;
}

function leadToPage({ base }: DeskContext, page: PageOfAct, c: Context): Response {
  const { pathname, search } = new URL(c.req.url);
  return c.redirect(base + addressOfPage(page, pathname.slice(base.length)) + search, 303);
}

/** @param signIn the page of a form that was posted without a session */
async function respond(desk: DeskContext, route: DeskRoute, c: Context, signIn?: DeskRoute): Promise<Response> {
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
    // The body of an upload is not read, so its address has the account of its page.
    form: new URLSearchParams(route.upload ? c.req.query() : ''),
    may: (permission) => account !== null && !lacksFactor && may(account.roles, permission),
  };
  const source = { site: c.req.header('Sec-Fetch-Site'), origin: c.req.header('Origin') };
  if (isUnsafe && !isOwnRequest(source, config.publication.url)) return respondForeign(request);
  if (route.needs !== null && account === null) {
    // The body of an upload is not read, and what a page sends by itself needs no answer.
    const isForm = isUnsafe && route.upload !== true && route.isBackground !== true;
    if (!isForm || signIn === undefined) return leadToSignIn(request, isUnsafe, route.upload);
    return withForm(request, KEPT_LIMIT, (posted) => askToSignIn(signIn, posted));
  }
  const admitted = (posted: DeskRequest) => admit(route, posted, lacksFactor);
  return isUnsafe && route.upload !== true ? withForm(request, FORM_LIMIT, admitted) : admitted(request);
}

/**
 * Decides whether the account may do that. A form that was kept during a sign-in is shown and not carried out. So is a
 * form of another account's page: somebody else has signed in since, in another tab.
 */
async function admit(route: DeskRoute, request: DeskRequest, lacksFactor: boolean): Promise<Response> {
  const { c, desk, account } = request;
  const isRefused = route.needs !== null && !(lacksFactor && route.isBeforeSecondFactor) && !request.may(route.needs);
  const kept = route.needs === null ? null : readKeptForm(request.form);
  const form = kept ?? request.form;
  const owner = form.get(PAGE_ACCOUNT) ?? String(account?.id);
  form.delete(PAGE_ACCOUNT);
  const isOther = owner !== String(account?.id);
  if (account !== null && (kept !== null || isOther)) {
    const known = /^\d{1,9}$/.test(owner) ? await findAccount(desk.app.store.db, Number(owner)) : null;
    const refusal = lacksFactor ? 'Set up your second factor first: copy your text.' : roleText(request);
    const problem = isRefused ? refusal : route.upload ? 'The file was not read: choose it again.' : undefined;
    const other = isOther ? (known?.name ?? 'another account') : undefined;
    return showAgain(route, { ...signedIn(request, account), form }, { problem, other });
  }
  if (isRefused && lacksFactor) return c.redirect(`${desk.base}/account/second-factor`, 303);
  return isRefused ? respondProblem(request, 403, 'Not with your role', roleText(request)) : handle(route, request);
}

/** Reads the form of a request, at most so many bytes. */
async function withForm(
  request: DeskRequest,
  maxSize: number,
  respondTo: (posted: DeskRequest) => Promise<Response>,
): Promise<Response> {
  const { c, account } = request;
  const advice = account === null ? ' Sign in in another tab, go back here, and send it again.' : '';
  const message = `The form is longer than ${maxSize / 1024} KB. Nothing was changed.${advice}`;
  const refuseLong = () => respondProblem(request, 413, 'Form too long', message);
  let response: Response | undefined;
  const refusal = await limitBody({ maxSize, onError: refuseLong })(c, async () => {
    const form = await readForm(c);
    response =
      form === null
        ? await respondProblem(request, 415, 'Not a form', 'The request is not a form. Nothing was changed.')
        : await respondTo({ ...request, form });
  });
  return response ?? (refusal as Response);
}

async function handle(route: DeskRoute, request: DeskRequest): Promise<Response> {
  if (route.needs === null) return route.handle(request);
  const { account } = request;
  // Checked before: a route with `needs` is not handled without an account.
  if (account === null) throw new Error(`${route.path} was reached without a session`);
  const known = signedIn(request, account);
  const question = route.confirms === undefined ? null : await askForPassword(known, route.confirms);
  return question ?? route.handle(known);
}

function signedIn(request: DeskRequest, account: SignedInRequest['account']): SignedInRequest {
  return {
    ...request,
    account,
    audit: (act, subject, detail) =>
      auditAct(account, request.at, { act, subject, ...(detail === undefined ? {} : { detail }) }),
  };
}

/** The page of the sign-in, with the form that was posted. A form without fields has no text. */
async function askToSignIn(page: DeskRoute, request: DeskRequest): Promise<Response> {
  const size = request.form.size - Number(request.form.has(PAGE_ACCOUNT));
  if (size === 0 || size > MAX_KEPT_FIELDS || page.needs !== null) return leadToSignIn(request, true);
  // One that is kept already was posted again, such as by loading its page again.
  const isKept = readKeptForm(request.form) !== null;
  const form = isKept ? request.form : keepForm(new URL(request.c.req.url).pathname, request.form);
  return page.handle({ ...request, form });
}

function leadToSignIn(request: DeskRequest, isUnsafe: boolean, isUpload = false): Response {
  const { c, desk } = request;
  if (isUnsafe) {
    const advice = isUpload ? 'The file was not read: sign in, and choose it again.' : 'Sign in, and try it again.';
    const text = `You are not signed in, or your session has ended. ${advice}`;
    setNotice(c, { kind: 'problem', text });
  }
  const { pathname, search } = new URL(c.req.url);
  // The page of an act's form is not known; the address of the act itself is no page.
  const next = isUnsafe ? '' : `?${new URLSearchParams({ next: pathname + search })}`;
  return c.redirect(`${desk.base}/sign-in${next}`, 303);
}

function roleText({ account }: DeskRequest): string {
  const roles = account?.roles.join(', ');
  return `Your role is ${roles}, which does not include this. An admin can give you another role.`;
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
