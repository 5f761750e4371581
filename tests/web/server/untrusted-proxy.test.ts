import { describe, expect, it } from 'vitest';
import { readMeta, UNTRUSTED_PROXY } from '../../../src/core/store/meta.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { DAY } from '../../../src/lib/time.ts';
import { findUntrustedProxy } from '../../../src/web/server/untrusted-proxy.ts';
import { NOW, openTestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { openTestLog } from '../../support/test-log.ts';

const TRUSTED = ['127.0.0.0/8', '::1/128'];

forEachDatabase((open) => {
  describe('a forwarded header', () => {
    it('from an address that is no trusted proxy is reported once, in the log and to other processes', async () => {
      const store = await open();
      const { request, lines } = openSite(store);
      for (const _ of [1, 2, 3]) await request('::ffff:172.17.0.1', { 'X-Forwarded-For': '198.51.100.1' });
      expect(lines).toEqual([expect.stringMatching(/from 172\.17\.0\.1, .* add "172\.17\.0\.1\/32" \{/)]);
      const found = { address: '172.17.0.1', at: NOW, trusted: TRUSTED };
      await expect.poll(() => findUntrustedProxy(store.db, TRUSTED, NOW)).toEqual(found);
      // The operator has changed the list, or it no longer happens.
      expect(await findUntrustedProxy(store.db, [...TRUSTED, '172.17.0.0/16'], NOW)).toBeNull();
      expect(await findUntrustedProxy(store.db, TRUSTED, NOW + 8 * DAY)).toBeNull();
    });

    it('from a public address is reported without the address, which may be a person’s', async () => {
      const store = await open();
      const { request, lines } = openSite(store);
      await request('9.9.9.9', { Forwarded: 'for=198.51.100.1' });
      expect(lines).toHaveLength(1);
      await expect.poll(() => findUntrustedProxy(store.db, TRUSTED, NOW)).toMatchObject({ address: null });
      expect(`${lines} ${await readMeta(store.db, UNTRUSTED_PROXY)}`).not.toMatch(/9\.9\.9\.9|198\.51/);
    });

    it('from a trusted proxy is not reported, nor is a request without one', async () => {
      const store = await open();
      const { request, lines } = openSite(store);
      await request('127.0.0.1', { 'X-Forwarded-For': '198.51.100.1' });
      await request('172.17.0.1', {});
      expect(lines).toEqual([]);
      expect(await readMeta(store.db, UNTRUSTED_PROXY)).toBeUndefined();
    });
  });
});

function openSite(store: Store): {
  request: (from: string, headers: Record<string, string>) => Promise<Response>;
  lines: string[];
} {
  const log = openTestLog();
  const { app } = openTestSite(store, sampleConfig(), { log });
  const request = async (from: string, headers: Record<string, string>): Promise<Response> =>
    app.request('/healthz', { headers }, { incoming: { socket: { remoteAddress: from } } });
  return { request, lines: log.lines };
}
