import { expect, it } from 'vitest';
import { setShortcuts } from '../../src/accounts/account.ts';
import { deleteEndedSessions } from '../../src/accounts/capability.ts';
import { endSessionsOf } from '../../src/accounts/change-account.ts';
import {
  browserName,
  endSession,
  findSession,
  listSessions,
  SESSION_IDLE,
  SESSION_LIFETIME,
} from '../../src/accounts/sessions.ts';
import type { Store } from '../../src/core/store/store.ts';
import { HOUR, MINUTE } from '../../src/lib/time.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { addAccount, auditRows, openSession } from './fixture.ts';

const seenAt = async ({ db }: Store) =>
  (await db.selectFrom('account_sessions').select('seen_at').executeTakeFirstOrThrow()).seen_at;

forEachDatabase((open) => {
  it('a session is found by its token, of which the store has only the hash', async () => {
    const store = await open();
    const mei = await addAccount(store, 'Mei', ['editor']);
    const token = await openSession(store, mei.id);
    expect(await findSession(store.db, token, NOW)).toEqual(mei);
    const row = await store.db.selectFrom('account_sessions').selectAll().executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(token);
    for (const other of ['', 'x', row.token_hash, `${token}x`, token.slice(1), token.toLowerCase()]) {
      expect(await findSession(store.db, other, NOW)).toBeNull();
    }
  });

  it('a session ends after 12 hours without a request, and after seven days in any case', async () => {
    const store = await open();
    const { id } = await addAccount(store, 'Mei', ['editor']);
    const idle = await openSession(store, id);
    expect(await findSession(store.db, idle, NOW + SESSION_IDLE)).toBeNull();
    const used = await openSession(store, id);
    let now = NOW;
    for (; now < NOW + SESSION_LIFETIME; now += 11 * HOUR) {
      expect(await findSession(store.db, used, now)).not.toBeNull();
    }
    expect(await findSession(store.db, used, NOW + SESSION_LIFETIME - 1)).not.toBeNull();
    expect(await findSession(store.db, used, NOW + SESSION_LIFETIME)).toBeNull();
  });

  it('a session is not used by what an open page requests by itself', async () => {
    const store = await open();
    const mei = await addAccount(store, 'Mei', ['editor']);
    const token = await openSession(store, mei.id);
    expect(await findSession(store.db, token, NOW + HOUR, null)).toEqual(mei);
    expect(await seenAt(store)).toBe(NOW);
    expect(await findSession(store.db, token, NOW + SESSION_IDLE, null)).toBeNull();
  });

  it('a session of a clock that was set back since has ended', async () => {
    const store = await open();
    const { id } = await addAccount(store, 'Mei', ['editor']);
    const token = await openSession(store, id, NOW + HOUR);
    expect(await findSession(store.db, token, NOW + HOUR - MINUTE)).not.toBeNull();
    expect(await findSession(store.db, token, NOW)).toBeNull();
  });

  it('a request is noted at most once a minute', async () => {
    const store = await open();
    const { id } = await addAccount(store, 'Mei', ['editor']);
    const token = await openSession(store, id);
    await findSession(store.db, token, NOW + MINUTE - 1);
    expect(await seenAt(store)).toBe(NOW);
    await findSession(store.db, token, NOW + MINUTE);
    expect(await seenAt(store)).toBe(NOW + MINUTE);
    // Another machine's clock is behind.
    await findSession(store.db, token, NOW);
    expect(await seenAt(store)).toBe(NOW + MINUTE);
  });

  it('a session has the browser and the address of its first request, later of one a minute', async () => {
    const store = await open();
    const { id } = await addAccount(store, 'Mei', ['editor']);
    const token = await openSession(store, id);
    const uses = [
      [NOW, 'Firefox on Linux', '192.0.2.7'],
      [NOW + MINUTE - 1, 'Firefox on Linux', '192.0.2.8'],
      [NOW + MINUTE, 'Firefox on Linux', '192.0.2.9'],
    ] as const;
    const seen = [];
    for (const [now, browser, client] of uses) {
      await findSession(store.db, token, now, { browser, client });
      const [session] = await listSessions(store.db, id, now, token);
      seen.push([session?.browser, session?.client]);
    }
    expect(seen.map(([, client]) => client)).toEqual(['192.0.2.7', '192.0.2.7', '192.0.2.9']);
    expect(seen[0]?.[0]).toBe('Firefox on Linux');
  });

  it('signing out ends one session, or all others', async () => {
    const store = await open();
    const { id } = await addAccount(store, 'Mei', ['editor']);
    const ivo = await addAccount(store, 'Ivo', ['editor']);
    const [first, second, third] = [
      await openSession(store, id),
      await openSession(store, id),
      await openSession(store, id),
    ];
    const other = await openSession(store, ivo.id);
    await endSession(store.db, first);
    await endSession(store.db, 'no token');
    expect(await findSession(store.db, first, NOW)).toBeNull();
    const sessions = await listSessions(store.db, id, NOW, second);
    expect(sessions.map(({ isCurrent }) => isCurrent).toSorted()).toEqual([false, true]);
    const idOf = (isCurrent: boolean) => sessions.find((one) => one.isCurrent === isCurrent)?.id ?? '';
    const end = (only: string | null) => endSessionsOf(store.db, ivo, { id, except: second, only }, NOW);
    // Not the current one, nor one of another account.
    expect(await end(idOf(true))).toBe(0);
    expect(await end((await listSessions(store.db, ivo.id, NOW, other))[0]?.id ?? '')).toBe(0);
    expect(await end(idOf(false))).toBe(1);
    const fourth = await openSession(store, id);
    expect([await end(null), await end(null)]).toEqual([1, 0]);
    expect(await auditRows(store)).toEqual([
      [`Ivo account.end-sessions account/${id}`, { count: 1 }],
      [`Ivo account.end-sessions account/${id}`, { count: 1 }],
    ]);
    expect(await findSession(store.db, fourth, NOW)).toBeNull();
    expect(await findSession(store.db, third, NOW)).toBeNull();
    expect(await findSession(store.db, second, NOW)).not.toBeNull();
    expect(await findSession(store.db, other, NOW)).not.toBeNull();
  });

  it('a change of the own settings is seen by the next request', async () => {
    const store = await open();
    const { id } = await addAccount(store, 'Mei', ['editor']);
    const token = await openSession(store, id);
    await setShortcuts(store.db, id, false);
    expect((await findSession(store.db, token, NOW))?.hasShortcuts).toBe(false);
  });

  it('retention deletes sessions that have ended, and no others', async () => {
    const store = await open();
    const { id } = await addAccount(store, 'Mei', ['editor']);
    await openSession(store, id, NOW - SESSION_IDLE);
    const open_ = await openSession(store, id, NOW - SESSION_IDLE + 1);
    expect(await deleteEndedSessions(store.db, NOW)).toBe(1);
    expect(await findSession(store.db, open_, NOW)).not.toBeNull();
  });

  it('retention deletes who had a page open an hour ago', async () => {
    const store = await open();
    const { id } = await addAccount(store, 'Mei', ['editor']);
    for (const seen_at of [NOW - HOUR - 1, NOW - MINUTE]) {
      const row = { page: 'draft:daily/2026-11-24', account_id: id, tab: `tab${seen_at}`, seen_at };
      await store.db.insertInto('desk_presence').values(row).execute();
    }
    expect(await deleteEndedSessions(store.db, NOW)).toBe(1);
    expect(await store.db.selectFrom('desk_presence').select('seen_at').execute()).toEqual([{ seen_at: NOW - MINUTE }]);
  });
});

it.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0',
    'Edge on Windows',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 CriOS/156.0 Safari/604.1',
    'Chrome on iPhone',
  ],
  ['Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36', 'Chrome on Android'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/19.0 Safari/605.1', 'Safari on macOS'],
  ['<script>'.repeat(1_000), 'unknown browser on unknown system'],
])('a browser is named by its product and system: %#', (userAgent, name) => {
  expect(browserName(userAgent)).toBe(name);
});
