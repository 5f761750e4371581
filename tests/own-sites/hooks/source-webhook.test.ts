import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { webhookSecret } from '../../../src/own-sites/webhook.ts';
import { claimDueSource, registerSources } from '../../../src/sources/source-state.ts';
import { NOW, openTestSite, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';

const BODY = '{"post":{"current":{}}}';
const SECRET = webhookSecret(SECRETS[0], 'times');

const signature = (text: string, secret = SECRET): string => createHmac('sha256', secret).update(text).digest('hex');

describe('the webhook of a source', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      const source = {
        id: 'times',
        url: 'https://times.example',
        use: 'articles',
        api: 'auto',
      } as Config['sources'][number];
      const config = { ...sampleConfig(), sources: [source] };
      site = openTestSite(store, config);
      await registerSources(store.db, config, [source], NOW + MINUTE);
    });
    const post = (headers: Record<string, string>, body = BODY, path = '/hooks/sources/times') =>
      site.app.request(path, { method: 'POST', body, headers });
    const isDue = async (): Promise<boolean> => (await claimDueSource(store.db, 'times', [], NOW)) !== null;

    it.each([
      ['Ghost, with the time in the signature', { 'X-Ghost-Signature': `sha256=${signature(BODY + NOW)}, t=${NOW}` }],
      ['Ghost before 5.87', { 'X-Ghost-Signature': `sha256=${signature(BODY)}, t=${NOW}` }],
      ['a plugin of WordPress', { 'X-Hub-Signature-256': `sha256=${signature(BODY)}` }],
    ])('makes it due at once when it is signed as by %s', async (_, headers) => {
      expect(await isDue()).toBe(false);
      const response = await post(headers);
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(await isDue()).toBe(true);
    });

    it.each([
      ['no signature', {}, 401],
      ['a signature with another secret', { 'X-Hub-Signature-256': `sha256=${signature(BODY, 'wrong')}` }, 401],
      [
        'a signature of another source',
        { 'X-Hub-Signature-256': `sha256=${signature(BODY, webhookSecret(SECRETS[0], 'post'))}` },
        401,
      ],
      ['a signature of another body', { 'X-Hub-Signature-256': `sha256=${signature('{}')}` }, 401],
      ['an old signature', { 'X-Ghost-Signature': `sha256=${signature(BODY + 1)}, t=1` }, 401],
      ['a signature that is none', { 'X-Hub-Signature-256': 'sha256=abc' }, 401],
    ])('changes nothing with %s', async (_, headers, status) => {
      expect((await post(headers)).status).toBe(status);
      expect(await isDue()).toBe(false);
    });

    it('does not exist for an unknown source, and takes no body of more than two mebibytes', async () => {
      const headers = { 'X-Hub-Signature-256': `sha256=${signature(BODY)}` };
      expect((await post(headers, BODY, '/hooks/sources/other')).status).toBe(404);
      expect((await post(headers, `${BODY}${' '.repeat(2 * 1024 * 1024)}`)).status).toBe(413);
      expect((await site.get('/hooks/sources/times')).status).toBe(405);
      expect(await isDue()).toBe(false);
    });
  });
});
