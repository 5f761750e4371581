import { expect, it } from 'vitest';
import { openTestSite } from '../../app/test-site.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { openTestLog } from '../../support/test-log.ts';

const FORWARDED = { 'X-Forwarded-For': '198.51.100.1' };

it.each([
  ['::ffff:172.17.0.1', FORWARDED, [expect.stringMatching(/from 172\.17\.0\.1, .* add "172\.17\.0\.1\/32" \{/)]],
  // It may be a person's.
  ['9.9.9.9', { Forwarded: 'for=198.51.100.1' }, [expect.not.stringMatching(/9\.9\.9\.9|198\.51/)]],
  ['127.0.0.1', FORWARDED, []],
  ['172.17.0.1', {}, []],
])('logs once that %s forwards %j without being a trusted proxy', async (remoteAddress, headers, lines) => {
  const log = openTestLog();
  const { app } = openTestSite(await openMigrated(), sampleConfig(), { log });
  for (const _ of [1, 2]) await app.request('/healthz', { headers }, { incoming: { socket: { remoteAddress } } });
  expect(log.lines).toEqual(lines);
});
