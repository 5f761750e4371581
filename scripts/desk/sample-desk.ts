/**
 * The desk of the sample newsroom: a real process on a free port, with an account of each role whose session exists.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { ACCOUNT_ROLES, type AccountRole } from '../../src/accounts/permissions.ts';
import { beginSession } from '../../src/accounts/sessions.ts';
import { openStore, type Store } from '../../src/core/store/store.ts';
import { freePort } from '../free-port.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');

export interface SampleDesk {
  /** Without a slash at its end. */
  url: string;
  /** The folder of the newsroom. */
  folder: string;
  /** The same database as that of the process. */
  store: Store;
  /** Cookies for a browser, by role. */
  cookies: Record<AccountRole, { name: string; value: string }>;
  stop(): Promise<void>;
}

/** Starts it, and waits for its first edition. @param edit changes config/daywire.yaml */
export async function startSampleDesk(edit: (yaml: string) => string = (yaml) => yaml): Promise<SampleDesk> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-desk-'));
  cpSync(join(CHECKOUT, 'config'), join(folder, 'config'), { recursive: true });
  for (const name of ['sample', 'templates']) symlinkSync(join(CHECKOUT, name), join(folder, name));
  const port = await freePort();
  const file = join(folder, 'config/daywire.yaml');
  const yaml = readFileSync(file, 'utf8')
    .replace('port: 8080', `port: ${port}`)
    .replace('url: http://127.0.0.1:8080', `url: http://127.0.0.1:${port}`)
    .replace('metrics: 127.0.0.1:9464', 'metrics: off');
  writeFileSync(file, edit(yaml));
  const child = spawn(process.execPath, [join(CHECKOUT, 'bin/daywire.js'), 'start'], {
    ...{ cwd: folder, env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  try {
    await firstLine(child);
    const store = await openStore({ path: join(folder, 'var/daywire.db') });
    const cookies = await addAccounts(store, Date.now());
    const stop = async (): Promise<void> => {
      await store.close();
      await end(child, folder);
    };
    return { url: `http://127.0.0.1:${port}`, folder, store, cookies, stop };
  } catch (error) {
    await end(child, folder);
    throw error;
  }
}

/** It prints when its first run is done. */
async function firstLine(child: ChildProcess): Promise<void> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  if (typeof line !== 'string') throw new Error('daywire ended before it served the desk');
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
}

const NAMES: Record<AccountRole, string> = {
  editor: 'Edda Moreno',
  operator: 'Otis Park',
  audience: 'Auden Vale',
  admin: 'Ada Lindqvist',
};

/** Nobody can sign in with them, only use the sessions. */
async function addAccounts({ db }: Store, now: number): Promise<SampleDesk['cookies']> {
  const cookies = {} as SampleDesk['cookies'];
  for (const role of ACCOUNT_ROLES) {
    const name = NAMES[role];
    const email = `${role}@example.com`;
    const { id } = await db
      .insertInto('accounts')
      .values({
        ...{ email, email_key: email, name, name_key: name.toLowerCase(), password: '', created_at: now },
        roles: JSON.stringify([role]),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const value = await db.transaction().execute((tx) => beginSession(tx, id, now));
    cookies[role] = { name: '__Host-daywire-desk', value };
  }
  return cookies;
}
