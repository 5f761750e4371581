import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/free-port.ts';
import { NOT_DURABLE, startPostgresServer } from '../../../scripts/postgres-server.ts';
import { closeServers, startServer, type TestServer } from '../../../scripts/smtp-servers.ts';
import { ROLES } from '../../../src/app/start.ts';
import { openStore, type Store } from '../../../src/core/store/store.ts';
import { startWebServer } from '../../core/schedule/web-server.ts';
import { editConfig, type Folder, keepOneFeed, newFolder, printed } from '../../support/command.ts';

let server: Awaited<ReturnType<typeof startPostgresServer>>;
let databases = 0;

beforeAll(async () => {
  server = await startPostgresServer('empty', NOT_DURABLE);
});
afterEach(closeServers);
afterAll(() => server.stop());

/** A sample newsroom on an empty database. Its mail server takes a while for each message. */
async function newsroom(): Promise<{ folder: Folder; env: NodeJS.ProcessEnv; mail: TestServer }> {
  const received: TestServer['received'] = [];
  const mail = await startServer({
    onData(stream, session, done) {
      stream.resume();
      stream.once('end', async () => {
        received.push({
          from: '',
          to: session.envelope.rcptTo.map(({ address }) => address),
          raw: Buffer.of(),
          secure: false,
        });
        await sleep(300);
        done(null, '2.0.0 kept');
      });
    },
  });
  const folder = newFolder('sample');
  keepOneFeed(folder);
  editConfig(folder, 'port: 8080', 'port: 0');
  editConfig(folder, 'transport: file', `transport: smtp\n  smtpUrl: ${mail.url}`);
  editConfig(folder, 'connections: 5', 'connections: 2');
  databases += 1;
  const name = `newsroom_${databases}`;
  const admin = await openStore({ databaseUrl: `${server.url}/empty`, path: '' });
  await sql`create database ${sql.id(name)}`.execute(admin.db);
  await admin.close();
  const env = { DAYWIRE_DATABASE_URL: `${server.url}/${name}`, DAYWIRE_SECRET: 's'.repeat(40) };
  return { folder, env, mail: { ...mail, received } };
}

async function read<T>({ DAYWIRE_DATABASE_URL: databaseUrl }: NodeJS.ProcessEnv, query: (store: Store) => Promise<T>) {
  const store = await openStore({ databaseUrl, path: '' });
  try {
    return await query(store);
  } finally {
    await store.close();
  }
}

/** Those that are resolved. */
const alerts = (env: NodeJS.ProcessEnv): Promise<{ message: string }[]> =>
  read(env, ({ db }) =>
    db.selectFrom('alerts').select('message').where('kind', '=', 'storage').where('resolved_at', '>', 0).execute(),
  );
const AWAY = [{ message: expect.stringMatching(/^The store cannot be written: the database is away: ./) }];

async function expectCleanStop(child: ChildProcess): Promise<void> {
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
}

describe('daywire start', () => {
  it('goes on with the deliveries due at its start after PostgreSQL was away for two seconds', async () => {
    const { folder, env, mail } = await newsroom();
    const child = folder.spawn(['start'], env);
    const isUp = printed(child, /pages +(http:\S+)/);
    await expect.poll(() => mail.received.length, { timeout: 40_000 }).toBeGreaterThan(2);
    await server.halt();
    await sleep(2000);
    await server.resume();
    const url = await isUp;
    // Not before the alert about the store is resolved.
    const health = async (): Promise<number> => (await fetch(new URL('healthz', url))).status;
    await expect.poll(health, { timeout: 30_000 }).toBe(200);
    await expect.poll(() => mail.received.length, { timeout: 20_000 }).toBe(7);
    // A message whose outcome was lost would be submitted again.
    const states = await read(env, ({ db }) => db.selectFrom('deliveries').select(['state', 'reason']).execute());
    expect(states).toEqual(Array(7).fill({ state: 'submitted', reason: null }));
    expect(new Set(mail.received.flatMap(({ to }) => to)).size).toBe(7);
    await expect.poll(() => alerts(env), { timeout: 30_000 }).toEqual(AWAY);
    await expectCleanStop(child);
  }, 90_000);

  it('waits in each role for a PostgreSQL that is away, says so, and goes on once it is back', async () => {
    const { folder, env } = await newsroom();
    const port = await freePort();
    const web = await startWebServer();
    editConfig(folder, 'metrics: 127.0.0.1:0', `metrics: 127.0.0.1:${port}`);
    await server.halt();
    const options = { ...env, DAYWIRE_ALERT_WEBHOOK: web.url };
    const children = ROLES.map((role) => folder.spawn(['start', '--role', role], options));
    const areUp = children.map((child) => printed(child, /^daywire \S+: .*/m));
    await Promise.all(children.map((child) => printed(child, /the database is away: waiting for it/)));
    for (const [index] of ROLES.entries()) {
      const answers = ['livez', 'readyz'].map((path) => fetch(`http://127.0.0.1:${port + index}/${path}`));
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 503]);
    }
    await expect.poll(() => web.requests.length, { timeout: 20_000 }).toBe(ROLES.length);
    for (const { body } of web.requests) expect(body).toContain('"state":"raised","key":"storage:store"');
    await server.resume();
    await Promise.all(areUp);
    await expect.poll(() => alerts(env), { timeout: 30_000 }).toEqual(AWAY);
    await sleep(6000);
    expect(web.requests.slice(ROLES.length).map(({ body }) => /"state":"\w+"/.exec(body)?.[0])).toEqual([
      '"state":"resolved"',
    ]);
    for (const child of children) await expectCleanStop(child);
  }, 90_000);

  it('does not wait for a database that does not exist, and names it', async () => {
    const { folder, env } = await newsroom();
    const url = new URL('/nosuch', server.url).href;
    const { code, stderr } = await folder.exec(['start'], { ...env, DAYWIRE_DATABASE_URL: url });
    expect(stderr).toMatch(
      /cannot use the database at postgres:\/\/127\.0\.0\.1:\d+\/nosuch: database "nosuch" does not/,
    );
    expect(code).toBe(1);
  }, 30_000);

  it('ends at once when it is stopped while it waits', async () => {
    const { folder, env } = await newsroom();
    await server.halt();
    try {
      const child = folder.spawn(['start'], env);
      // Its alert is no failure of the process.
      await printed(child, /a disk or the store cannot be written/);
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      await server.resume();
    }
  }, 60_000);
});

describe('commands that end', () => {
  it.each([['deliver'], ['import', 'articles'], ['start', '--once'], ['migrate']])(
    'do not wait for a PostgreSQL that is away: %s',
    async (...args) => {
      const { folder, env } = await newsroom();
      await server.halt();
      try {
        const { code, stderr } = await folder.exec(args, env);
        expect(stderr).toMatch(/cannot reach the database at postgres:\/\/127\.0\.0\.1:\d+\/\w+: .*ECONNREFUSED/);
        expect(code).toBe(1);
      } finally {
        await server.resume();
      }
    },
    30_000,
  );
});
