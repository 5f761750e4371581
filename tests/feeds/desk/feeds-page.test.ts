import { describe, expect, it } from 'vitest';
import { addRequests, saveReports } from '../../../src/feeds/readers/reader-rows.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { openTestDesk, type TestDesk } from '../../app/desk/test-desk.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { publishDocuments } from '../../support/documents.ts';
import { subscriptionRow } from '../hub/rows.ts';

const HOSTILE = '"><script>alert(1)</script>';
const textOf = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

/** The page once the requests are counted: the first one does not wait for long. */
async function readCounted(desk: TestDesk, role: 'editor' | 'operator'): Promise<string> {
  await expect.poll(() => desk.read(role, '/feeds')).not.toContain('data-pending');
  return desk.read(role, '/feeds');
}

forEachDatabase((open) => {
  describe('the page of feeds', () => {
    it('shows the documents of each feed, and that no hub is configured', async () => {
      const store = await open();
      const edit = (yaml: string) => yaml.replace(/^hub:.*\n/m, '');
      const desk = await openTestDesk(store, { feeds: ['latest', '24-hours'], edit });
      expect(textOf(await desk.read('editor', '/feeds'))).toMatch(/Latest latest RSS Atom JSON Feed not published yet/);
      const document = { mediaType: 'x', body: 'x'.repeat(87_100) };
      const paths = ['latest.rss', 'latest.atom', 'latest.json'];
      await publishDocuments(
        store,
        paths.map((path) => ({ path, ...document })),
        NOW - HOUR,
      );
      const html = await readCounted(desk, 'editor');
      expect(textOf(html)).toMatch(
        /Latest latest RSS , 87\.1 kB Atom , 87\.1 kB JSON Feed , 87\.1 kB today 19:00 24-Hour News/,
      );
      expect(textOf(html)).toContain('No hub is configured');
      expect(textOf(html)).toContain('No feed was requested since 2026-11-24.');
    });

    it('shows who reads the feeds, busiest first, and what the figures mean', async () => {
      const store = await open();
      const desk = await openTestDesk(store, { feeds: ['latest'] });
      const count = { path: 'latest.rss', requests: 10, unchanged: 4 };
      await addRequests(store, '2026-11-24', [
        { ...count, reader: 'Miniflux' },
        { ...count, reader: HOSTILE, requests: 30, unchanged: 26 },
      ]);
      await addRequests(store, '2026-11-22', [{ ...count, reader: 'Miniflux' }]);
      const report = { path: 'latest.rss', reader: 'Miniflux', feed: '', subscribers: 1_204, reportedAt: NOW };
      await saveReports(store, '2026-11-24', [report]);
      const html = await readCounted(desk, 'operator');
      const text = textOf(html);
      expect(text).toContain('Requests 50 About Requests ? Feed requests since 2026-11-22.');
      expect(text).toContain('Unchanged 68 % About Unchanged ? Answered with 304');
      expect(text).toContain('Reported subscribers 1,204 About Reported subscribers ? What aggregators report');
      expect(text).toMatch(/alert\(1\).* Miniflux 7\.\d 40 % 1,204 1/);
      expect(html).not.toContain('<script>alert');
    });

    it('shows the subscriptions of the hub, those that fail, and never a callback', async () => {
      const store = await open();
      const edit = (yaml: string) => `${yaml.replace(/^hub:.*\n/m, '')}\nhub: self\n`;
      const desk = await openTestDesk(store, { feeds: ['latest'], edit });
      const reader = { callback: 'https://reader.example/secret-path', host: 'reader.example', pending: 1 as const };
      const failing = { due_at: NOW + HOUR, attempts: 3, failing_since: NOW - HOUR, reason: `answered 500 ${HOSTILE}` };
      await store.db
        .insertInto('hub_subscriptions')
        .values([subscriptionRow('a', NOW, reader), subscriptionRow('b', NOW, { ...reader, ...failing })])
        .execute();
      const html = await desk.read('editor', '/feeds');
      const text = textOf(html);
      expect(text).toContain(
        'Subscriptions 2 About Subscriptions ? Feed readers that the hub tells of each change. Failing 1',
      );
      expect(text).toContain('reader.example latest.atom today 19:00 answered 500');
      expect(text).toMatch(/in 1 h/);
      expect(html).not.toContain('secret-path');
      expect(html).not.toContain('<script>alert');
    });
  });
});
