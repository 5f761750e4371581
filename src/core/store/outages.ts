/** The store may go away or be locked: which errors say so, how long to wait for it, and how that is noticed. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Log } from '../../lib/log.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { SECOND } from '../../lib/time.ts';
import { primaryCode, SQLITE_BUSY, type StoreFaults } from './sqlite-thread.ts';

/** Milliseconds until the next attempt: 1 s, 2 s, 4 s … 30 s. @param failures before it, at least 1 */
export function reconnectDelay(failures: number): number {
  return Math.min(2 ** (failures - 1), 30) * SECOND;
}

// Codes of the operating system, and SQLSTATE: class 08 connection exception, 25006 the server is a replica, 53300 too
// many connections, 57P01 to 57P03 it stops or starts. Errors of the driver have no code.
const CODE = /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOST\w+|ENET\w+|ENOTFOUND|EAI_AGAIN|08\w{3}|25006|53300|57P0[123])$/;
const MESSAGE = /^(Connection terminated|timeout e|Query read timeout|Client has encountered a connection error)/;

/** Whether the database, or the connection to it, is away for now, by an error or its causes. False on SQLite. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return CODE.test(codeOf(error)) || MESSAGE.test(error.message) || isConnectionLost(error.cause);
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? '');

// PostgreSQL: disk_full, io_error, read_only_sql_transaction, such as of a standby. SQLite: READONLY, IOERR, FULL.
const DISK_FAULTS: readonly unknown[] = ['53100', '58030', '25006', 8, 10, 13];

/** Whether the disk of the database is full, broken or not writable, by an error or its causes. */
export const isDiskFault = (error: unknown): boolean => hasCode(error, DISK_FAULTS);

/** Whether another program locks the file of SQLite. */
const isLocked = (error: unknown): boolean => hasCode(error, [SQLITE_BUSY]);

function hasCode(error: unknown, codes: readonly unknown[]): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return [code, primaryCode(errcode)].some((one) => codes.includes(one)) || hasCode(error.cause, codes);
}

/** Whether the database is away, locked by another program, or cannot be written for now. */
export function isUnavailable(error: unknown): boolean {
  return isConnectionLost(error) || isDiskFault(error) || isLocked(error);
}

/**
 * Repeats `work`, which may have been done in part, while the database is away, locked or cannot be written.
 * @throws any other error of `work`, or the last one when the signal is aborted
 */
export async function retryWhileAway<T>(
  work: () => Promise<T>,
  { log, signal, wait = pause }: { log: Log; signal: AbortSignal; wait?: typeof pause },
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      const retryInSeconds = reconnectDelay(failures) / SECOND;
      const problem = isLocked(error) ? 'is locked' : isDiskFault(error) ? 'cannot be written' : 'is away';
      log.warn({ error: errorLine(error), retryInSeconds }, `the database ${problem}: waiting for it`);
      await wait(reconnectDelay(failures), signal);
      if (signal.aborted) throw error;
    }
  }
}

/** Until the signal is aborted, if that is earlier. */
const pause = (ms: number, signal: AbortSignal): Promise<unknown> => sleep(ms, undefined, { signal }).catch(() => {});

/** An answer that takes longer than this, or none, is noticed within 30 s. */
const ANSWER_WITHIN = 20 * SECOND;
/** Pages wait no longer for a server that leaves a question unanswered for so long. */
const SILENT_AFTER = 2 * SECOND;

/**
 * Asks the server every second, over a connection of its own, whether it is there and takes writes.
 * @param sockets of all connections: closed, so that no statement waits for a server that has gone
 * @param faults gets what fails, of which alerts are made
 */
export async function watchServer(
  open: () => pg.Client,
  sockets: ReadonlySet<Socket>,
  faults: StoreFaults,
  signal: AbortSignal,
  firstDelay: number,
): Promise<void> {
  let client: pg.Client | null = null;
  let failures = 0;
  for (let delay = firstDelay; ; delay = failures === 0 ? SECOND : reconnectDelay(failures)) {
    await pause(delay, signal);
    if (signal.aborted) break;
    const silence = setTimeout(() => {
      faults.isSilent = true;
    }, SILENT_AFTER);
    try {
      if (client === null) {
        client = open().on('error', () => {});
        await client.connect();
      }
      const asking = { text: 'select pg_is_in_recovery() as replica', query_timeout: ANSWER_WITHIN };
      const { rows } = await client.query<{ replica: boolean }>(asking as pg.QueryConfig);
      if (rows[0]?.replica) throw Object.assign(new Error('the server is a read-only replica'), { code: '25006' });
      failures = 0;
      faults.isSilent = false;
    } catch (error) {
      client = null;
      failures += 1;
      // With too many connections, those of the pool still work.
      if (!isConnectionLost(error) || codeOf(error) === '53300') continue;
      for (const socket of sockets) socket.destroy();
      faults.last = `the database is away: ${errorLine(error)}`;
    } finally {
      clearTimeout(silence);
    }
  }
  await client?.end().catch(() => {});
}
