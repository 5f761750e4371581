/** Requests to the desk in the process of a benchmark, as a browser makes them, with a session of an account. */
import type { Hono } from 'hono';
import type { AccountRole } from '../src/accounts/permissions.ts';
import { beginSession } from '../src/accounts/sessions.ts';
import { openDesk } from '../src/app/desk/routes.ts';
import { createApp } from '../src/app/routes/app.ts';
import type { AppContext } from '../src/core/app-context.ts';
import { inTransaction } from '../src/core/store/store.ts';

export interface DeskClient {
  /** @param path from the root of the site; @throws Error unless the status is 200 or 303 */
  request(path: string, init?: RequestInit): Promise<string>;
  stop(): Promise<void>;
}

export async function openDeskClient(app: AppContext, role: AccountRole): Promise<DeskClient> {
  const { store, config, templates, clock, log } = app;
  const secrets = await app.keys.signingSecrets();
  let stop = async (): Promise<void> => {};
  const site: Hono = createApp(
    { store, config, templates, secrets, clock, log },
    {
      mount: (web) => {
        const desk = openDesk(app, web);
        stop = desk.stop;
        return desk;
      },
    },
  );
  const Cookie = `__Host-daywire-desk=${(await signInAs(app, role)).token}`;
  const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
  return {
    async request(path, init = {}) {
      const headers = { 'Sec-Fetch-Site': 'same-origin', Cookie };
      const response = await site.request(path, { ...init, headers }, env);
      const text = await response.text();
      if (response.status !== 200 && response.status !== 303) throw new Error(`${path}: ${response.status} ${text}`);
      return text;
    },
    stop: () => stop(),
  };
}

/** Makes an account of a role. @returns its id, and the token of a session */
export async function signInAs(
  { store, clock }: Pick<AppContext, 'store' | 'clock'>,
  role: AccountRole,
): Promise<{ accountId: number; token: string }> {
  const email = `${role}@example.com`;
  await store.db.deleteFrom('accounts').where('email_key', '=', email).execute();
  const { id } = await store.db
    .insertInto('accounts')
    .values({
      ...{ email, email_key: email, name: `The ${role}`, name_key: `the ${role}`, password: '-' },
      ...{ created_at: clock(), roles: JSON.stringify([role]) },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { accountId: id, token: await inTransaction(store.db, (tx) => beginSession(tx, id, clock())) };
}
