import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { addSubscriber } from '../../../src/audience/subscriptions.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { NOW, openTestSite, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';

const SECRET = 'a webhook secret of the tests';
const REPORT = JSON.stringify({ reports: [{ kind: 'hard', email: 'ada@example.com', status: '5.1.1' }] });

describe('the webhook for bounces', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      const config = sampleConfig();
      site = openTestSite(store, { ...config, secrets: { ...config.secrets, webhookSecret: SECRET } });
      const who = { email: 'ada@example.com', newsletters: ['daily-roundup'] };
      await addSubscriber(store.db, SECRETS, who, { channel: 'operator' }, NOW);
    });
    const post = async (body: string, secret = SECRET): Promise<Response> => {
      const seconds = String(Math.floor(NOW / 1_000));
      const signature = createHmac('sha256', secret).update(`msg.${seconds}.${body}`).digest('base64');
      const headers = { 'webhook-id': 'msg', 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` };
      return site.app.request('/webhooks/bounces', { method: 'POST', body, headers });
    };
    const reason = async (): Promise<unknown> =>
      (await store.db.selectFrom('subscribers').select('suppressed_reason').executeTakeFirstOrThrow())
        .suppressed_reason;

    it('records a signed report, also when it is repeated', async () => {
      for (let twice = 0; twice < 2; twice++) {
        const response = await post(REPORT);
        expect([response.status, await response.text()]).toEqual([204, '']);
      }
      expect(await reason()).toBe('hard-bounce');
    });

    it('changes nothing for a body that is unsigned, invalid or too long', async () => {
      expect((await post(REPORT, 'another secret, which is wrong')).status).toBe(401);
      expect((await site.app.request('/webhooks/bounces', { method: 'POST', body: REPORT })).status).toBe(401);
      expect((await post('{"reports": "all"}')).status).toBe(400);
      expect((await post(`${REPORT}${' '.repeat(2 * 1024 * 1024)}`)).status).toBe(413);
      expect(await reason()).toBeNull();
      expect(site.logged).toEqual([]);
    });

    it('does not exist without a secret, and allows only POST', async () => {
      const get = await site.get('/webhooks/bounces');
      expect([get.status, get.headers.get('Allow')]).toEqual([405, 'POST, OPTIONS']);
      const without = openTestSite(store);
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        expect((await without.app.request('/webhooks/bounces', { method, headers: {} })).status).toBe(404);
      }
    });
  });
});
