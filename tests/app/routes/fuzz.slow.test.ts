import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomExchange } from '../../../scripts/fuzz/exchanges.ts';
import { Random } from '../../../scripts/fuzz/random.ts';
import { runExchanges } from '../../../scripts/fuzz/run-exchanges.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { listen, type WebServer } from '../../../src/web/server/listen.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { openTestLog, type TestLog } from '../../support/test-log.ts';
import { openTestSite, saveDay } from '../test-site.ts';

describe('random requests (npm run http-fuzz sends more of them)', () => {
  let store: Store;
  let serving: WebServer;
  let log: TestLog;
  beforeAll(async () => {
    store = await openMigrated();
    await saveDay(store);
    log = openTestLog();
    const { app } = openTestSite(store, sampleConfig(), { log: { ...log, debug: () => {} } });
    serving = await listen(app, { host: '127.0.0.1', port: 0, log });
  });
  afterAll(async () => {
    await serving.close();
    await store.close();
  });

  it('get no 500, log no error, and leave a server that answers', async () => {
    const port = Number(new URL(serving.url).port);
    const options = { port, seed: 20_261_126, requests: 300, concurrency: 16, maxMs: 20_000 };
    const figures = await runExchanges(options);
    expect(figures.faults).toEqual([]);
    expect(figures.requests).toBeGreaterThanOrEqual(300);
    // How many have a certain status depends on the load: a client leaves a server that is slow.
    expect(figures.responses).toBeGreaterThan(0);
    const statusOf = async (path: string) => (await fetch(serving.url + path)).status;
    for (const path of ['', 'archive', 'style.css', 'healthz'])
      expect([path, await statusOf(path)]).toEqual([path, 200]);
    expect(await statusOf('no-such-page')).toBe(404);
    expect(await statusOf('feeds/custom.json?section=none')).toBe(400);
    expect(log.lines).toEqual([]);
  });

  it('are the same again for the same seed', () => {
    const some = (seed: number): string => {
      const random = new Random(seed);
      return JSON.stringify(Array.from({ length: 20 }, () => randomExchange(random)));
    };
    expect(some(1)).toBe(some(1));
    expect(some(1)).not.toBe(some(2));
  });
});
