import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../scripts/outlets/virtual-time.ts';
import { correctFutureInstants } from '../../src/core/store/future-instants.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { deleteIdleHosts, findHold, HOST_PAUSE, holdHost, openHostGate } from '../../src/sources/host-gate.ts';
import { hostOf } from '../../src/sources/request.ts';
import { clockAt, NOW, type TestClock } from '../support/clock.ts';
import { forBothDatabases } from '../support/databases.ts';

const URL_A = new URL('https://a.example.com/feed');
const never = new AbortController().signal;

function gateOf({ db }: Store, at: TestClock, onWait = async (): Promise<void> => {}) {
  const wait = async (milliseconds: number): Promise<void> => {
    at.now += milliseconds;
  };
  return openHostGate({ db, clock: at.clock, wait, onWait });
}

describe('the gate of a host', () => {
  forBothDatabases((open) => {
    it('lets the next request begin two seconds after the end of the last one, whichever process asks', async () => {
      const store = await open();
      const time = new VirtualTime(NOW);
      const { clock, wait } = time;
      const times: { process: number; begin: number; end: number }[] = [];
      const request = async (process: number): Promise<void> => {
        const gate = openHostGate({ db: store.db, clock, wait, onWait: async () => {} });
        await using _admission = await gate.enter(URL_A, never);
        const begin = time.now;
        await wait(300);
        times.push({ process, begin, end: time.now });
      };
      await Promise.all([1, 2, 3, 4].map((process) => time.work(() => request(process))));
      expect(times.map(({ process }) => process).sort()).toEqual([1, 2, 3, 4]);
      for (const [index, { begin }] of times.entries()) {
        if (index > 0) expect(begin - (times[index - 1]?.end as number)).toBeGreaterThanOrEqual(HOST_PAUSE);
      }
    });

    it('does not let one host wait for another', async () => {
      const store = await open();
      const at = clockAt(NOW);
      await using _a = await gateOf(store, at).enter(URL_A, never);
      await using _b = await gateOf(store, at).enter(new URL('https://b.example.com/'), never);
      expect(at.now).toBe(NOW);
    });

    it('forgets a request whose process has died, after a minute', async () => {
      const store = await open();
      const at = clockAt(NOW);
      const lost = await gateOf(store, at).enter(URL_A, never);
      let waits = 0;
      const next = await gateOf(store, at, async () => void waits++).enter(URL_A, never);
      expect(at.now).toBe(NOW + MINUTE);
      expect(waits).toBe(61);
      // The late end of the lost one changes nothing.
      await lost[Symbol.asyncDispose]();
      await next[Symbol.asyncDispose]();
      at.now += HOST_PAUSE - 1;
      await using _third = await gateOf(store, at).enter(URL_A, never);
      expect(at.now).toBe(NOW + MINUTE + HOST_PAUSE);
    });

    it('refuses requests to a host that asked for a long pause', async () => {
      const store = await open();
      const at = clockAt(NOW);
      const gate = gateOf(store, at);
      await (await gate.enter(URL_A, never))[Symbol.asyncDispose]();
      await holdHost(store.db, 'a.example.com', NOW + HOUR, at.now);
      await expect(gate.enter(URL_A, never)).rejects.toThrow('its host asks for a pause until 2026-11-24T13:00:00Z');
      expect(await findHold(store.db, 'a.example.com', NOW)).toBe(NOW + HOUR);
      expect(await findHold(store.db, 'b.example.com', NOW)).toBeNull();
      // Asked outside the gate, as by a trial.
      await holdHost(store.db, 'b.example.com', NOW + HOUR, at.now);
      expect(await findHold(store.db, 'b.example.com', NOW)).toBe(NOW + HOUR);
      // A shorter pause does not end it.
      await holdHost(store.db, 'a.example.com', NOW + MINUTE, at.now);
      expect(await findHold(store.db, 'a.example.com', NOW)).toBe(NOW + HOUR);
      at.now += HOUR;
      await using _later = await gate.enter(URL_A, never);
      expect(at.now).toBe(NOW + HOUR);
    });

    it('does not wait for a clock that was set back, but for a pause that a host asked for', async () => {
      const store = await open();
      const at = clockAt(NOW);
      await gateOf(store, at).enter(URL_A, never);
      await holdHost(store.db, 'a.example.com', NOW + HOUR, at.now);
      expect(await correctFutureInstants(store.db, at.now)).toBe(0);
      expect(await findHold(store.db, 'a.example.com', NOW)).toBe(NOW + HOUR);
      at.now -= HOUR;
      expect(await correctFutureInstants(store.db, at.now)).toBe(2);
      await using _next = await gateOf(store, at).enter(URL_A, never);
      expect(at.now).toBe(NOW - HOUR);
    });

    it('keeps no host that was not asked for a day', async () => {
      const store = await open();
      const at = clockAt(NOW);
      await (await gateOf(store, at).enter(URL_A, never))[Symbol.asyncDispose]();
      await deleteIdleHosts(store.db, NOW + DAY);
      expect(await store.db.selectFrom('source_hosts').select('host').execute()).toHaveLength(1);
      await deleteIdleHosts(store.db, NOW + DAY + 3 * SECOND);
      expect(await store.db.selectFrom('source_hosts').select('host').execute()).toEqual([]);
    });
  });
});

it('is one for all schemes, ports and spellings of a host', () => {
  const hosts = ['https://a.example.com/', 'http://A.EXAMPLE.com:8080/', 'https://a.example.com./'].map((url) =>
    hostOf(new URL(url)),
  );
  expect(new Set(hosts)).toEqual(new Set(['a.example.com']));
});
