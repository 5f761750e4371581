import { chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { NOT_DURABLE, startPostgresServer } from '../../../scripts/postgres-server.ts';
import { startTcpProxy, type TcpProxy } from '../../../scripts/tcp-proxy.ts';
import { isConnectionLost } from '../../../src/core/store/outages.ts';
import { openStore, type Store } from '../../../src/core/store/store.ts';
import { SECOND } from '../../../src/lib/time.ts';
import { makeCertificate } from '../../delivery/transport/certificate.ts';
import { newPostgresUrl } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function openProxied(): Promise<{ store: Store; proxy: TcpProxy }> {
  const url = new URL(await newPostgresUrl());
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(proxy.port);
  const store = await openStore({ databaseUrl: url.href, path: '' });
  onTestFinished(async () => {
    await store.close();
    proxy.close();
  });
  return { store, proxy };
}

const two = async ({ db }: Store): Promise<unknown> => (await sql`select 2 as two`.execute(db)).rows;

describe('a PostgreSQL server', () => {
  it('that vanishes without a word is noticed within 30 s, also by a statement that waits', async () => {
    const { store, proxy } = await openProxied();
    await sleep(2 * SECOND);
    const waiting = store.db.transaction().execute(async (tx) => {
      await sql`select 1`.execute(tx);
      proxy.become('silent');
      return sql`select 2`.execute(tx);
    });
    const vanishedAt = performance.now();
    const error = await waiting.catch((error: unknown) => error);
    expect(isConnectionLost(error)).toBe(true);
    expect(performance.now() - vanishedAt).toBeLessThan(30 * SECOND);
    await expect.poll(() => store.faults.last, { timeout: 5000 }).toBe('the database is away: Query read timeout');
    proxy.become('open');
    await expect.poll(() => two(store).catch(isConnectionLost), { timeout: 40_000 }).toEqual([{ two: 2 }]);
  }, 90_000);

  it('that resets all connections for a moment is a fault of the store', async () => {
    const { store, proxy } = await openProxied();
    await sleep(2 * SECOND);
    proxy.become('closed');
    await expect.poll(() => two(store).catch(isConnectionLost)).toBe(true);
    await expect.poll(() => store.faults.last, { timeout: 10_000 }).toMatch(/^the database is away: /);
    proxy.become('open');
    await expect.poll(() => two(store).catch(isConnectionLost), { timeout: 10_000 }).toEqual([{ two: 2 }]);
  }, 30_000);

  it('that vanished does not keep a process from ending', async () => {
    const { store, proxy } = await openProxied();
    await sleep(2 * SECOND);
    proxy.become('silent');
    const closingAt = performance.now();
    await store.close();
    expect(performance.now() - closingAt).toBeLessThan(30 * SECOND);
  }, 60_000);
});

describe('TLS to PostgreSQL', () => {
  const { key, cert } = makeCertificate(Date.now());
  let server: Awaited<ReturnType<typeof startPostgresServer>>;

  beforeAll(async () => {
    server = await startPostgresServer('wire', NOT_DURABLE);
    const { uid, gid } = statSync(server.folder);
    for (const [name, text] of Object.entries({ 'server.key': key, 'server.crt': cert })) {
      const file = join(server.folder, name);
      writeFileSync(file, text, { mode: 0o600 });
      chownSync(file, uid, gid);
    }
    const store = await openStore({ databaseUrl: `${server.url}/wire`, path: '' });
    await sql`alter system set ssl = on`.execute(store.db);
    await sql`select pg_reload_conf()`.execute(store.db);
    await store.close();
  });
  afterAll(() => server.stop());

  /** Opens it with the certificate as the authority. @returns whether the connection is encrypted */
  async function isEncrypted(authority: string, parameters = 'sslmode=verify-full', host = '127.0.0.1') {
    const file = join(temporaryFolder(), 'ca.pem');
    writeFileSync(file, authority);
    const url = `${server.url.replace('127.0.0.1', host)}/wire?${parameters}&sslrootcert=${file}`;
    const store = await openStore({ databaseUrl: url, path: '' });
    try {
      const { rows } = await sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(store.db);
      return rows[0];
    } finally {
      await store.close();
    }
  }

  it('checks the server by the authority that the URL names', async () => {
    expect(await isEncrypted(cert)).toEqual({ ssl: true });
    expect(await isEncrypted(cert, 'sslmode=disable')).toEqual({ ssl: false });
  });

  it('refuses a server of another authority, or of another name, at once', async () => {
    const error = (opening: Promise<unknown>): Promise<unknown> => opening.catch((error: unknown) => error);
    const ofAnother = await error(isEncrypted(makeCertificate(Date.now(), 'other.example.com').cert));
    expect(String(ofAnother)).toMatch(/cannot reach the database at .*: self-signed certificate/);
    const byName = await error(isEncrypted(cert, 'sslmode=verify-full', 'localhost'));
    expect(String(byName)).toMatch(/does not match certificate's altnames/);
    // No wait would help.
    expect([ofAnother, byName].map(isConnectionLost)).toEqual([false, false]);
  });
});
