import { expect, it } from 'vitest';
import { tryAddress } from '../../../src/sources/desk/try-address.ts';
import { startRawServer } from '../../lib/guarded-fetch/raw-server.ts';
import { openMigrated } from '../../support/databases.ts';
import { openTestApp } from '../../support/test-app.ts';

it.each(['roundup', 'articles'] as const)(
  'gives up an address that does not answer in time, with use: %s',
  async (use) => {
    const server = await startRawServer(() => undefined);
    const store = await openMigrated();
    const app = openTestApp(store, { edit: (yaml) => `${yaml}\nfetch: { allow: [127.0.0.0/8] }\n` });
    expect(await tryAddress(app, { url: server.url(), use }, 50)).toEqual({
      kind: 'failed',
      reason: 'There was no answer within 0.05 seconds',
    });
    await store.close();
  },
);
