/** The database of one trial, in a way that lets the fault happen. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dialect } from '../../src/core/store/store.ts';
import { type PostgresServer, startPostgresServer } from '../postgres-server.ts';
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts';
import { mountSmallDisk, unmount } from './folders.ts';
import { type Standby, startStandby } from './standby.ts';

export interface TrialDatabase {
  /** What daywire gets; undefined for SQLite. */
  url: string | undefined;
  /** URL of the present server, without a proxy. */
  directUrl(): string | undefined;
  server: PostgresServer | null;
  proxy: TcpProxy | null;
  /** Makes the standby the server behind the proxy. */
  failOver(): Promise<void>;
  /** The mount point, if the database has a small disk. */
  disk: string | null;
}

/** Data survive the end of the server's processes, as all faults here need, but not a loss of power. */
const SETTINGS = ['fsync=off', 'max_connections=100', 'wal_keep_size=64MB', 'max_wal_size=64MB', 'min_wal_size=32MB'];
/** Megabytes: an empty SQLite store and its log; an empty PostgreSQL and its log. */
const DISK_SIZE = { sqlite: 24, postgres: 192 };

/**
 * @param folder of the newsroom
 * @param isProxied a proxy is between daywire and the server
 * @param onClose gets what ends it again, in the order of the beginning
 */
export async function openTrialDatabase(
  dialect: Dialect,
  folder: string,
  options: { isProxied?: boolean; hasStandby?: boolean; isOnSmallDisk?: boolean },
  onClose: (close: () => unknown) => void,
): Promise<TrialDatabase> {
  const disk = options.isOnSmallDisk ? openSmallDisk(dialect, folder, onClose) : null;
  const none = { failOver: () => Promise.reject(new Error('there is no standby')) };
  if (dialect === 'sqlite')
    return { ...none, url: undefined, directUrl: () => undefined, server: null, proxy: null, disk };
  const server = await startPostgresServer('daywire', SETTINGS, disk ?? undefined);
  onClose(() => server.stop());
  let standby: Standby | null = null;
  if (options.hasStandby) {
    const started = await startStandby(server, SETTINGS);
    standby = started;
    onClose(() => started.stop());
  }
  const url = new URL(`${server.url}/daywire`);
  const direct = { host: url.hostname, port: Number(url.port) };
  const proxy = options.isProxied ? await startTcpProxy(direct) : null;
  if (proxy !== null) {
    onClose(() => proxy.close());
    url.port = String(proxy.port);
  }
  return {
    url: url.href,
    directUrl: () => Object.assign(new URL(url), { port: String(direct.port) }).href,
    server,
    proxy,
    async failOver() {
      if (standby === null) return none.failOver();
      await standby.promote();
      direct.port = standby.port;
    },
    disk,
  };
}

/** @returns its mount point */
function openSmallDisk(dialect: Dialect, folder: string, onClose: (close: () => unknown) => void): string {
  const disk = dialect === 'sqlite' ? join(folder, 'var') : mkdtempSync(join(tmpdir(), 'daywire-outage-disk-'));
  if (dialect === 'postgres') onClose(() => rmSync(disk, { recursive: true, force: true }));
  mountSmallDisk(disk, DISK_SIZE[dialect]);
  onClose(() => unmount(disk));
  return disk;
}
