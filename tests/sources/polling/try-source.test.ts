import { describe, expect, it } from 'vitest';
import { rfc3339, SECOND } from '../../../src/lib/time.ts';
import { OUTLETS } from '../../../src/outlets/polling/outlets.ts';
import { trySource } from '../../../src/sources/polling/poller.ts';
import { startRawServer } from '../../lib/guarded-fetch/raw-server.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp } from '../../support/test-app.ts';

describe('trying the feed of an outlet', () => {
  forEachDatabase((open) => {
    it('sends no further request to a host that asked for a pause', async () => {
      const server = await startRawServer(
        () => 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      );
      const store = await open();
      const app = openTestApp(store, { edit: (yaml) => `${yaml}\nfetch: { allow: [127.0.0.0/8] }\n` });
      const source = { id: 'a', url: server.url(), use: 'roundup', outlet: 'The Outlet' } as const;
      const attempt = () => trySource(app, OUTLETS, source, new AbortController().signal);
      const until = rfc3339(NOW + 600 * SECOND);
      await expect(attempt()).rejects.toThrow(`answered 429: it asks not to be called before ${until}`);
      await expect(attempt()).rejects.toThrow(`was not asked: its host asks for a pause until ${until}`);
      expect(server.connections).toBe(1);
    });
  });
});
