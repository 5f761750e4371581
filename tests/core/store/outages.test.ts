import { describe, expect, it } from 'vitest';
import { isConnectionLost, reconnectDelay, retryWhileAway } from '../../../src/core/store/outages.ts';
import { StoreError } from '../../../src/core/store/store.ts';
import { MINUTE, SECOND } from '../../../src/lib/time.ts';
import { openTestLog } from '../../support/test-log.ts';

const REFUSED = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
const UNKNOWN_TABLE = Object.assign(new Error('relation "x" does not exist'), { code: '42P01' });

/** Fails until `away` milliseconds have been waited. */
function awayFor(away: number) {
  const waits: number[] = [];
  const waited = (): number => waits.reduce((sum, ms) => sum + ms, 0);
  return {
    waits,
    wait: async (ms: number): Promise<void> => void waits.push(ms),
    work: async (): Promise<string> => {
      if (waited() < away) throw REFUSED;
      return 'done';
    },
  };
}

describe('a database that is away', () => {
  it('is tried again after 1 s, 2 s, 4 s and so on, at most 30 s, however long it takes', async () => {
    const log = openTestLog();
    const { waits, wait, work } = awayFor(15 * MINUTE);
    const { signal } = new AbortController();
    expect(await retryWhileAway(work, { log, signal, wait })).toBe('done');
    expect(waits.slice(0, 7).map((ms) => ms / SECOND)).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(waits).toHaveLength(34);
    expect(log.lines).toHaveLength(34);
    expect(log.lines[1]).toBe(
      'the database is away: waiting for it {"error":"connect ECONNREFUSED 127.0.0.1:5432","retryInSeconds":2}',
    );
    expect(reconnectDelay(5000)).toBe(30 * SECOND);
  });

  it('is waited for also while its disk is full', async () => {
    const log = openTestLog();
    const ofMigration = { cause: Object.assign(new Error('no space'), { errcode: 13 }) };
    for (const full of [{ code: '53100' }, { errcode: 13 }, { errcode: 778 }, ofMigration]) {
      let isFull = true;
      const work = async (): Promise<string> => {
        if (isFull) throw Object.assign(new Error('the disk is full'), full);
        return 'done';
      };
      const wait = async (): Promise<void> => {
        isFull = false;
      };
      expect(await retryWhileAway(work, { log, signal: new AbortController().signal, wait })).toBe('done');
    }
    expect(log.lines).toHaveLength(4);
    expect(log.lines[0]).toBe(
      'the database cannot be written: waiting for it {"error":"the disk is full","retryInSeconds":1}',
    );
  });

  it('is waited for also while another program locks it', async () => {
    const log = openTestLog();
    // SQLITE_BUSY, and SQLITE_BUSY_SNAPSHOT as the cause of another error.
    for (const errcode of [5, 517]) {
      const locked = Object.assign(new Error('/srv/daywire.db: database is locked'), { errcode });
      const failures = [new StoreError('cannot be used', { cause: locked }), locked];
      const work = async (): Promise<string> => {
        const error = failures.pop();
        if (error !== undefined) throw error;
        return 'done';
      };
      const wait = async (): Promise<void> => {};
      expect(await retryWhileAway(work, { log, signal: new AbortController().signal, wait })).toBe('done');
    }
    expect(log.lines).toHaveLength(4);
    expect(log.lines[0]).toMatch(/^the database is locked: waiting for it/);
  });

  it('is not waited for after another error, or once the process is to end', async () => {
    const stopping = new AbortController();
    const options = { log: openTestLog(), signal: stopping.signal };
    await expect(retryWhileAway(() => Promise.reject(UNKNOWN_TABLE), options)).rejects.toBe(UNKNOWN_TABLE);
    const wait = async (): Promise<void> => stopping.abort();
    await expect(retryWhileAway(() => Promise.reject(REFUSED), { ...options, wait })).rejects.toBe(REFUSED);
    expect(options.log.lines).toHaveLength(1);
  });

  it('is told by the error or its cause', () => {
    const withCode = (code: string): Error => Object.assign(new Error('of the server'), { code });
    for (const code of ['ECONNRESET', 'EAI_AGAIN', '08006', '25006', '53300', '57P01', '57P03']) {
      expect([code, isConnectionLost(new StoreError('cannot', { cause: withCode(code) }))]).toEqual([code, true]);
    }
    for (const code of ['42P01', '23505', '28P01', '3D000', '40P01', '53100', '57014', 'ENOENT', 'SQLITE_BUSY']) {
      expect([code, isConnectionLost(withCode(code))]).toEqual([code, false]);
    }
    expect(isConnectionLost(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isConnectionLost(new Error('the connection of Mr Connection terminated'))).toBe(false);
    for (const value of [undefined, null, 'ECONNRESET', {}]) expect(isConnectionLost(value)).toBe(false);
  });
});
