/**
 * The desk for tests: a web app with an account of each role, who are signed in.
 */
import type { Hono } from 'hono';
import { ACCOUNT_ROLES, type AccountRole } from '../../../src/accounts/permissions.ts';
import { beginSession } from '../../../src/accounts/sessions.ts';
import { openDesk } from '../../../src/app/desk/routes.ts';
import { createApp } from '../../../src/app/routes/app.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { openSampleApp, openTestApp, type TestApp, type TestAppOptions } from '../../support/test-app.ts';

/** Of all accounts. */
export const PASSWORD = 'correct horse battery';
/** With parameters that take no time. */
const HASHED = '$argon2id$v=19$m=8,t=1,p=1$ZGF5d2lyZS10ZXN0cy1zYQ$y+PypHiwdILiDEzuKsQbaAHzlpPVIuMlukF4V61z2l4';

export interface TestDesk {
  app: TestApp;
  site: Hono;
  /** By role. */
  accounts: Record<AccountRole, { id: number; name: string; email: string; token: string }>;
  /** GET of a path below /desk. @param role null: without a session */
  get(role: AccountRole | null, path: string, headers?: Record<string, string>): Promise<Response>;
  /** The text of a page. @throws Error unless its status is 200 */
  read(role: AccountRole, path: string): Promise<string>;
  /** Posts a form as a page of the desk does. Does not follow redirects. */
  post(
    role: AccountRole | null,
    path: string,
    fields?: Record<string, string> | [string, string][],
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** Posts a form, and reads the page that the browser shows then, with its notice. @throws Error for an error */
  act(role: AccountRole, path: string, fields?: Record<string, string> | [string, string][]): Promise<string>;
  /** The audit log, oldest first. */
  audit(): Promise<{ actor: string; act: string; subject: string; detail: unknown }[]>;
  close(): Promise<void>;
}

export interface TestDeskOptions extends TestAppOptions {
  /** With the sample's articles and subscribers. */
  sample?: boolean;
  app?: TestApp;
}

export async function openTestDesk(
  store: Store,
  { sample = false, ...options }: TestDeskOptions = {},
): Promise<TestDesk> {
  const app = options.app ?? (sample ? await openSampleApp(store, options) : openTestApp(store, options));
  const accounts = await addAccounts(store, app.now);
  const { config, templates, clock, log } = app;
  const secrets = await app.keys.signingSecrets();
  let stop = async (): Promise<void> => {};
  const site = createApp(
    { store, config, templates, secrets, clock, log },
    {
      mount: (web) => {
        const desk = openDesk(app, web);
        stop = desk.stop;
        return desk;
      },
    },
  );
  const cookieOf = (role: AccountRole | null): Record<string, string> =>
    role === null ? {} : { Cookie: `__Host-daywire-desk=${accounts[role].token}` };
  const env = { incoming: { socket: { remoteAddress: '192.0.2.7' } } };
  const get: TestDesk['get'] = async (role, path, headers = {}) =>
    site.request(`/desk${path}`, { headers: { ...cookieOf(role), ...headers } }, env);
  const post: TestDesk['post'] = async (role, path, fields = {}, headers = {}) =>
    site.request(
      `/desk${path}`,
      {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { 'Sec-Fetch-Site': 'same-origin', ...cookieOf(role), ...headers },
      },
      env,
    );
  return {
    ...{ app, site, accounts, get, post },
    async read(role, path) {
      const response = await get(role, path);
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return response.text();
    },
    async act(role, path, fields) {
      const response = await post(role, path, fields);
      if (response.status === 200) return response.text();
      if (response.status !== 303) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      const location = response.headers.get('Location') ?? '';
      const notice = response.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0]);
      const cookie = [...Object.values(cookieOf(role)), ...notice].join('; ');
      const next = await get(role, location.replace(/^\/desk/, ''), { Cookie: cookie });
      if (next.status !== 200) throw new Error(`${location}: ${next.status} ${await next.text()}`);
      return next.text();
    },
    async audit() {
      const rows = await store.db.selectFrom('audit_log').selectAll().orderBy('id').execute();
      return rows.map(({ actor, act, subject, detail }) => ({ actor, act, subject, detail: JSON.parse(detail) }));
    },
    close: () => stop(),
  };
}

const NAMES: Record<AccountRole, string> = {
  editor: 'Edda Moreno',
  operator: 'Otis Park',
  audience: 'Auden Vale',
  admin: 'Ada Lindqvist',
};

async function addAccounts(store: Store, now: number): Promise<TestDesk['accounts']> {
  const added: Partial<TestDesk['accounts']> = {};
  for (const role of ACCOUNT_ROLES) {
    const name = NAMES[role];
    const email = `${role}@example.com`;
    const { id } = await store.db
      .insertInto('accounts')
      .values({
        ...{ email, email_key: email, name, name_key: name.toLowerCase(), password: HASHED, created_at: now },
        roles: JSON.stringify([role]),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const token = await store.db.transaction().execute((tx) => beginSession(tx, id, now));
    added[role] = { id, name, email, token };
  }
  return added as TestDesk['accounts'];
}
