/**
 * Each role, and nobody, on each route of the desk. A route that is added is tested by this file as well.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { ACCOUNT_ROLES, type AccountRole, may } from '../../../src/accounts/permissions.ts';
import { DESK_ROUTES, NAVIGATION } from '../../../src/app/desk/routes.ts';
import type { DeskRoute } from '../../../src/web/desk/desk-route.ts';
import { openSession } from '../../accounts/fixture.ts';
import { openMigrated } from '../../support/databases.ts';
import { openTestDesk, type TestDesk } from './test-desk.ts';

const OWN = 'http://127.0.0.1:8080';

/** The path of a route, with something that does not exist in place of each parameter. */
const pathOf = ({ path }: DeskRoute): string =>
  path.replace(/:\w+(?:\{((?:[^{}]|\{[^}]*\})*)\})?/g, (_, pattern?: string) =>
    pattern?.startsWith('g') ? 'g0' : '0',
  );

interface Answer {
  status: number;
  location: string | null;
  text: string;
}

/** Sends a request of a role, with a session of its own: signing out is an act, too. */
async function send(
  desk: TestDesk,
  route: DeskRoute,
  role: AccountRole | null,
  headers: Record<string, string> = {},
  fields: Record<string, string> = {},
): Promise<Answer> {
  const { store, now } = desk.app;
  // A confirmation with a wrong password counts as a failure.
  await store.db.deleteFrom('sign_in_failures').execute();
  const token = role === null ? null : await openSession(store, desk.accounts[role].id, now);
  const cookie: Record<string, string> = token === null ? {} : { Cookie: `__Host-daywire-desk=${token}` };
  const response =
    route.method === 'GET'
      ? await desk.get(null, pathOf(route), { ...cookie, ...headers })
      : await desk.site.request(`/desk${pathOf(route)}${route.upload ? `?${new URLSearchParams(fields)}` : ''}`, {
          method: 'POST',
          body: new URLSearchParams(fields),
          headers: { ...cookie, ...headers },
        });
  const location = response.headers.get('Location');
  const isStream = response.headers.get('Content-Type')?.startsWith('text/event-stream');
  const text = isStream ? '' : await response.text();
  if (isStream) await response.body?.cancel();
  return { status: response.status, location, text };
}

const fromDesk = { 'Sec-Fetch-Site': 'same-origin' };
const leadsToSignIn = ({ status, location }: Answer): boolean =>
  status === 303 && location !== null && /^\/desk\/sign-in(\?|$)/.test(location);
const isForbidden = ({ status, text }: Answer): boolean => status === 403 && text.includes('Not with your role');
const isForeign = ({ status, text }: Answer): boolean => status === 403 && text.includes('Request from another site');
const asksForPassword = ({ text }: Answer): boolean => text.includes('name="password"');

const FOREIGN: Record<string, string>[] = [
  {},
  { Origin: 'https://evil.example' },
  { 'Sec-Fetch-Site': 'cross-site', Origin: OWN },
];

const POSTS = DESK_ROUTES.filter(({ method }) => method === 'POST');
const CONFIRMED = POSTS.filter((route) => 'confirms' in route);

async function open(): Promise<TestDesk> {
  const desk = await openTestDesk(await openMigrated());
  onTestFinished(() => desk.close());
  return desk;
}

function outcomeOf(route: DeskRoute, answer: Answer): 'forbidden' | 'sign in' | 'handled' {
  if (answer.status >= 500) throw new Error(`${name(route)}: ${answer.status} ${answer.text}`);
  if (isForbidden(answer)) return 'forbidden';
  // Signing out leads there, too.
  return leadsToSignIn(answer) && route.path !== '/sign-out' ? 'sign in' : 'handled';
}

const name = ({ method, path }: DeskRoute): string => `${method} ${path}`;

describe('the routes of the desk', () => {
  it('are many, each once, and only those for signing in are open', () => {
    expect(POSTS.length).toBeGreaterThan(8);
    const names = DESK_ROUTES.map(name);
    expect(names.filter((one, index) => names.indexOf(one) !== index)).toEqual([]);
    expect(DESK_ROUTES.filter(({ needs }) => needs === null).map(name)).toEqual([
      ...['GET /sign-in', 'POST /sign-in', 'GET /invitation/:token', 'POST /invitation/:token'],
    ]);
  });

  it('mark their place in the navigation, which names the pages that a role may open', async () => {
    const desk = await open();
    // That of the edition leads on to the next draft.
    const all = NAVIGATION.flatMap((group) => group.items);
    const items = all.filter(({ id }) => id !== 'edition');
    expect(items.length).toBeGreaterThan(9);
    for (const { label, path, needs } of items) {
      for (const role of ACCOUNT_ROLES.filter((one) => may([one], needs))) {
        const [, shown = ''] = /<nav aria-label="Desk">(.*?)<\/nav>/s.exec(await desk.read(role, path)) ?? [];
        expect(shown).toContain(`<li><a href="/desk${path}" aria-current="page">${label}</a></li>`);
        const labels = [...shown.matchAll(/>([^<]+)<\/a>/g)].map(([, text]) => text);
        expect(labels).toEqual(all.filter((item) => may([role], item.needs)).map((item) => item.label));
        // A group without items that the role may use is not named.
        const groups = NAVIGATION.filter((group) => group.items.some((item) => may([role], item.needs)));
        expect([...shown.matchAll(/<p id="menu-\w+">([^<]+)</g)].map(([, text]) => text)).toEqual(
          groups.map((group) => group.label),
        );
      }
    }
  });

  it('are handled for the roles that may use them, forbidden to others, and ask anybody else to sign in', async () => {
    const desk = await open();
    const [seen, expected]: string[][] = [[], []];
    for (const route of DESK_ROUTES) {
      const { needs } = route;
      for (const role of [null, ...ACCOUNT_ROLES]) {
        // What an allowed request does is the business of other tests: nothing of that name exists.
        seen?.push(`${name(route)} ${role}: ${outcomeOf(route, await send(desk, route, role, fromDesk))}`);
        const isAllowed = needs === null || (role !== null && may([role], needs));
        const isSignIn = role === null && needs !== null && route.path !== '/sign-out';
        expected?.push(
          `${name(route)} ${role}: ${isSignIn ? 'sign in' : isAllowed || role === null ? 'handled' : 'forbidden'}`,
        );
      }
    }
    expect(seen).toEqual(expected);
  });

  it('refuse forms of another site, and requests that do not say where they come from', async () => {
    const desk = await open();
    const accepted: string[] = [];
    for (const route of POSTS) {
      for (const source of FOREIGN) {
        for (const role of ['admin', null] as const) {
          if (isForeign(await send(desk, route, role, source))) continue;
          accepted.push(`${name(route)} of ${role} with ${JSON.stringify(source)}`);
        }
      }
      if (isForeign(await send(desk, route, 'admin', { Origin: OWN }))) accepted.push(`${name(route)} refuses its own`);
    }
    expect(accepted).toEqual([]);
  });

  it('do nothing with a form of the page of another account, and say whose it was and who is signed in', async () => {
    const desk = await open();
    const { operator } = desk.accounts;
    const carriedOut: string[] = [];
    for (const route of POSTS) {
      // As `kept`, the sign-in posts a form again that was sent without a session.
      for (const kept of route.needs === null || route.upload ? [''] : ['', 'kept-']) {
        const fields = { [`${kept}page-account`]: String(operator.id), [`${kept}what`]: 'Typed by Otis.' };
        const posted = kept === '' ? fields : { kept: `/desk${pathOf(route)}`, ...fields };
        const { text } = await send(desk, route, 'admin', fromDesk, posted);
        const isTold = text.includes('opened by Otis Park, and you are signed in as Ada Lindqvist');
        if (!isTold) carriedOut.push(`${name(route)} ${kept}`);
        else if (text.includes('id="send-again"'))
          expect([name(route), text]).toEqual([name(route), expect.stringContaining('Typed by Otis.')]);
      }
    }
    expect(carriedOut).toEqual([]);
    expect(await desk.audit()).toEqual([]);
  });

  it('get the account of the page with each form that a page has', async () => {
    const desk = await open();
    const { id } = desk.accounts.admin;
    let forms = 0;
    for (const { path } of DESK_ROUTES.filter((one) => one.method === 'GET' && !/:|live/.test(one.path))) {
      const page = await (await desk.get('admin', path)).text();
      for (const [form] of page.matchAll(/<form [^>]*method="post"[^>]*>[^<]*(?:<input[^>]*>)?/g)) {
        expect([path, form]).toEqual([path, expect.stringMatching(new RegExp(`page-account(?:" value="|=)${id}"`))]);
        forms++;
      }
    }
    expect(forms).toBeGreaterThan(20);
  });

  it('that are acts lead to their page where a browser asks for their address', async () => {
    const desk = await open();
    const gets = DESK_ROUTES.filter(({ method }) => method === 'GET');
    const acts = POSTS.filter(({ path }) => !gets.some((get) => get.path === path));
    expect(acts.length).toBeGreaterThan(60);
    for (const route of acts) {
      const path = pathOf(route);
      const { status, headers } = await desk.get('admin', `${path}?view=desktop`);
      const [location = '', query] = (headers.get('Location') ?? '').split('?', 2);
      expect([name(route), status, query]).toEqual([name(route), 303, 'view=desktop']);
      const page = location.replace('/desk', '');
      // The nearest page above it, which answers, although nothing of this name exists.
      const pages = gets.map(pathOf).filter((one) => one === '' || path.startsWith(`${one}/`));
      expect([name(route), page]).toEqual([name(route), pages.toSorted((a, b) => b.length - a.length)[0]]);
    }
  });

  it('that need the password again do nothing without it', async () => {
    const desk = await open();
    const attempts: Record<string, string>[] = [{}, { password: '' }, { password: 'not the password' }];
    expect(CONFIRMED.length).toBeGreaterThan(3);
    for (const route of CONFIRMED) {
      for (const fields of attempts) {
        const answer = await send(desk, route, 'admin', fromDesk, fields);
        expect([name(route), fields, answer.status, asksForPassword(answer)]).toEqual([
          ...[name(route), fields, 'password' in fields ? 422 : 200, true],
        ]);
      }
    }
    expect(await desk.audit()).toEqual([]);
  });

  it('that change accounts, export, erase or cancel need the password again', () => {
    const needing = POSTS.filter(({ path }) => /\/accounts\/(?!.*withdraw)|export|erase|deliveries.*cancel/.test(path));
    expect(needing.length).toBeGreaterThan(4);
    expect(needing.filter((route) => !CONFIRMED.includes(route)).map(name)).toEqual([]);
  });
});
