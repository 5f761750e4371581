import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../../../src/core/store/store.ts';
import { HOUR } from '../../../../src/lib/time.ts';
import { openTestDesk, type TestDesk } from '../../../app/desk/test-desk.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase } from '../../../support/databases.ts';

const PATH = '/editions/daily-roundup/2026-11-25/draft';
const HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'&';

async function openPreview(store: Store) {
  const desk = await openTestDesk(store);
  onTestFinished(desk.close);
  await saveAll(store, [
    article('first', { publishedAt: NOW - HOUR, headline: HOSTILE, dek: HOSTILE }),
    ...['second', 'third', 'fourth'].map((id, n) => article(id, { publishedAt: NOW - (n + 2) * HOUR })),
  ]);
  return desk;
}

const frameOf = (page: string): string =>
  (/<iframe [^>]*src="\/desk([^"]*)"/.exec(page)?.[1] ?? '').replaceAll('&amp;', '&');

async function frame(desk: TestDesk, query = ''): Promise<Response> {
  return desk.get('editor', frameOf(await desk.read('editor', PATH + query)));
}

describe('the preview of an edition', () => {
  forEachDatabase((open) => {
    it('is the mail in a sandbox that runs nothing, and loads our own pictures alone', async () => {
      const desk = await openPreview(await open());
      const page = await desk.read('editor', PATH);
      expect(page).toContain('<iframe sandbox\nclass="light" title="The mail on a phone, 375 pixels wide, light"');
      const response = await frame(desk);
      expect(response.status).toBe(200);
      expect(response.headers.get('Content-Security-Policy')).toBe(
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' http://127.0.0.1:8080; form-action 'none'; " +
          "base-uri 'none'; frame-ancestors 'self'; sandbox",
      );
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
      const mail = await response.text();
      expect(mail).toContain('/unsubscribe/preview');
      expect(mail).toContain('&lt;script&gt;alert(1)');
      expect(mail).not.toMatch(/%%|<script|<img src=x/);
    });

    it('follows the address: phone, desktop, plain text, light and dark', async () => {
      const desk = await openPreview(await open());
      const dark = await desk.read('editor', `${PATH}?view=desktop&scheme=dark`);
      expect(dark).toContain('title="The mail on a desktop, 650 pixels wide, dark"');
      expect(dark).toMatch(/<a id="preview-desktop"[^>]* aria-current="true"/);
      expect(dark).toContain('<iframe sandbox\nclass="dark"');
      const text = await (await frame(desk, '?view=text')).text();
      expect(text).toMatch(/<pre lang="en" dir="auto">\n/);
      expect(text).toContain('http://127.0.0.1:8080/unsubscribe/preview');
      expect(text).toContain('&lt;script&gt;alert(1)');
      expect(text).not.toContain('<script');
    });

    it('shows texts that are not saved, and stores nothing', async () => {
      const store = await open();
      const desk = await openPreview(store);
      const preview = (fields: Record<string, string>) => desk.post('editor', `${PATH}/preview`, fields);
      const response = await preview({ view: 'phone', note: `A *typed* note ${HOSTILE}` });
      expect([response.status, response.headers.get('Cache-Control')]).toEqual([200, 'no-store']);
      expect(response.headers.get('Content-Security-Policy')).toMatch(/sandbox$/);
      const mail = await response.text();
      expect(mail).toContain('typed</em> note');
      expect(mail).not.toMatch(/%%|<script|<img src=x/);
      const inbox = await (await preview({ view: 'inbox', subject: 'Not saved', preheader: ' ' })).text();
      expect(inbox).toContain('<span class="subject">Not saved</span>');
      expect(inbox).toContain(`<span class="preheader">&lt;script&gt;`);
      const long = await preview({ view: 'inbox', subject: 'x'.repeat(201) });
      expect([long.status, await long.text()]).toEqual([422, expect.stringContaining('at most 200 are allowed')]);
      expect((await preview({ view: 'text' })).status).toBe(200);
      expect(await store.db.selectFrom('drafts').selectAll().execute()).toEqual([]);
      expect(await desk.audit()).toEqual([]);
    });

    it('keeps what was chosen after an act, without a script', async () => {
      const desk = await openPreview(await open());
      const Referer = `http://127.0.0.1:8080/desk${PATH}?view=desktop&scheme=dark`;
      const after = await desk.get('editor', PATH, { Referer });
      expect([after.status, after.headers.get('Location')]).toEqual([302, `/desk${PATH}?view=desktop&scheme=dark`]);
      const chosen = await desk.get('editor', `${PATH}?view=phone&scheme=light`, { Referer });
      expect(await chosen.text()).toContain('title="The mail on a phone, 375 pixels wide, light"');
    });

    it('is that of the page which was loaded, and says so where the edition has changed long since', async () => {
      const desk = await openPreview(await open());
      const before = frameOf(await desk.read('editor', PATH));
      await desk.act('editor', `${PATH}/drop`, { seen: '0', story: 'second' });
      expect(frameOf(await desk.read('editor', PATH))).not.toBe(before);
      expect(await (await desk.get('editor', before)).text()).toContain('Headline of second');
      const gone = await desk.get('editor', before.replace(/\w{32}/, '0'.repeat(32)));
      expect([gone.status, await gone.text()]).toEqual([410, expect.stringContaining('has changed since')]);
      expect(gone.headers.get('Content-Security-Policy')).toMatch(/sandbox$/);
      expect((await desk.get('editor', before.replace('2026-11-25', '2026-13-45'))).status).toBe(410);
    });

    it('shows the line of an inbox with counters', async () => {
      const desk = await openPreview(await open());
      await desk.act('editor', `${PATH}/subject`, { seen: '0', text: `Tonight ${HOSTILE}` });
      const inbox = await (await frame(desk, '?view=inbox')).text();
      expect(inbox).toContain('<b>The Meridian Wire</b> <span class="subject">Tonight &lt;script&gt;');
      expect(inbox).toMatch(/Subject: \d+ characters; phones show about 60\./);
      expect(inbox).not.toContain('<script');
    });
  });
});
