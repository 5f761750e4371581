import { describe, expect, it } from 'vitest';
import { recordRejection } from '../../../src/articles/rejections.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { HOUR, rfc3339 } from '../../../src/lib/time.ts';
import { findSourceRow, registerSources } from '../../../src/sources/source-state.ts';
import { openTestDesk, type TestDesk } from '../../app/desk/test-desk.ts';
import { startRawServer } from '../../lib/guarded-fetch/raw-server.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { allArticles } from '../../support/sample.ts';
import { addOutletItems, setSource } from '../../support/sources.ts';

const HOSTILE = '"><script>alert(1)</script>';
const SOURCES = `
sources:
  - { id: our-site, url: "https://site.example", use: articles }
  - { id: post, url: "https://post.example/feed", use: roundup, outlet: '${HOSTILE} Post' }
`;

async function openSourcesDesk(store: Store): Promise<TestDesk> {
  const desk = await openTestDesk(store, {
    feeds: ['latest'],
    edit: (yaml) => `${yaml}${SOURCES}fetch: { allow: [127.0.0.0/8] }\n`,
  });
  const { config } = desk.app;
  await registerSources(store.db, config, config.sources, NOW);
  return desk;
}

/** An outlet that does not answer, with a held item. */
async function block({ db }: Store): Promise<void> {
  await setSource(
    db,
    { polled_at: NOW - HOUR, failures: 3, failing_since: NOW - 5 * HOUR, due_at: NOW + HOUR },
    'post',
  );
  const reason = `post.example answers 403 since 2026-11-24T07:00:00Z ${HOSTILE}`;
  await setSource(db, { state: 'blocked', state_since: NOW, reason }, 'post');
  await addOutletItems(db, 'held', [HOUR]);
}

const textOf = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

forEachDatabase((open) => {
  describe('the page of sources', () => {
    it('shows the health of each in words, and what waits for a decision', async () => {
      const store = await open();
      const desk = await openSourcesDesk(store);
      await block(store);
      const html = await desk.read('operator', '/sources');
      const text = textOf(html);
      expect(text).toContain('1 source needs you.');
      expect(text).toContain('▲ blocked since today 15:00 post.example answers 403 since today 15:00');
      expect(text).toContain('3 polls have failed in a row. Its server does not let daywire in');
      expect(text).toContain('1 item waits for a decision. Accept Ignore for good');
      expect(text).toContain('1 h ago never read in 1 h 0');
      expect(text).toContain('– not polled yet never now 0 Poll now Pause');
      expect(html).not.toContain('<script>alert');
      // An editor sees it, and has no act of operators.
      expect(await desk.read('editor', '/sources')).not.toMatch(/sources\/(post|our-site|try)/);
    });

    it('lists the sources of a search, and keeps it after an act', async () => {
      const store = await open();
      const desk = await openSourcesDesk(store);
      await block(store);
      const found = async (query: string) => {
        const page = await desk.read('operator', `/sources?${query}`);
        return [...page.matchAll(/<tr id="source-([^"]+)"/g)].map(([, id]) => id);
      };
      expect(await found('q=POST')).toEqual(['post']);
      expect(await found('q=example')).toEqual(['our-site', 'post']);
      expect(await found('state=needy')).toEqual(['post']);
      expect(await found('state=new&kind=roundup')).toEqual([]);
      expect(await found('kind=articles')).toEqual(['our-site']);
      const page = await desk.read('operator', `/sources?state=moved&q=${encodeURIComponent(HOSTILE)}`);
      expect(textOf(page)).toContain('0 of 2 sources. Show all');
      expect(textOf(page)).toContain('None matches the filter.');
      expect(page).not.toContain('<script>alert');
      const referrer = 'https://news.example.com/desk/sources?kind=articles&q=site&other=1';
      const paused = await desk.post('operator', '/sources/our-site/pause', {}, { Referer: referrer });
      expect(paused.headers.get('Location')).toBe('/desk/sources?q=site&kind=articles');
    });

    it('suggests one name for two feeds that are perhaps of one outlet', async () => {
      const channel = `id: film, url: "https://video.example/feed", use: roundup, outlet: '${HOSTILE} Post Video'`;
      const desk = await openTestDesk(await open(), { edit: (yaml) => `${yaml}${SOURCES}  - { ${channel} }\n` });
      const html = await desk.read('editor', '/sources');
      expect(html).toContain(
        '<p class="meaning">Perhaps a feed of &quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt; Post, as post is: if so, ' +
          'write &quot;outlet: &quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt; Post&quot; for both.</p>',
      );
      expect(html.match(/Perhaps a feed of/g)).toHaveLength(1);
    });

    it('says which own sources are of one site', async () => {
      const section = 'id: tech, url: "https://www.site.example/tech/feed", use: articles';
      const desk = await openTestDesk(await open(), { edit: (yaml) => `${yaml}${SOURCES}  - { ${section} }\n` });
      const text = textOf(await desk.read('editor', '/sources'));
      expect(text).toContain('One site with tech: what several have is one article.');
      expect(text).toContain('One site with our-site: what several have is one article.');
    });

    it('polls, pauses and resumes a source, which the audit log records, and can be undone', async () => {
      const store = await open();
      const desk = await openSourcesDesk(store);
      await setSource(store.db, { due_at: NOW + HOUR });
      expect(textOf(await desk.act('operator', '/sources/our-site/poll'))).toContain('Done: our-site is due now');
      expect(await findSourceRow(store.db, 'our-site')).toMatchObject({ due_at: NOW });
      const paused = await desk.act('operator', '/sources/our-site/pause');
      expect(paused).toContain('action="/desk/sources/our-site/resume"');
      expect(textOf(await desk.act('operator', '/sources/our-site/poll'))).toContain(
        'Not done: our-site is paused: resume it first.',
      );
      await desk.act('operator', '/sources/our-site/resume');
      await setSource(store.db, {
        state: 'waiting',
        reason: `it answered 503: it asks not to be called before ${rfc3339(NOW + HOUR)}`,
      });
      expect(textOf(await desk.act('operator', '/sources/post/poll'))).toContain(
        'The server of post asks not to be called before today 21:00.',
      );
      expect((await desk.audit()).map(({ act, subject }) => `${act} ${subject}`)).toEqual([
        'source.poll our-site',
        'source.pause our-site',
        'source.resume our-site',
      ]);
      expect((await desk.post('operator', '/sources/none/poll')).status).toBe(404);
    });

    it('decides on held items once, and on withdrawn posts', async () => {
      const store = await open();
      const desk = await openSourcesDesk(store);
      await block(store);
      expect(textOf(await desk.act('operator', '/sources/post/ignore'))).toContain('1 item of post will not be shown.');
      expect(textOf(await desk.act('operator', '/sources/post/accept'))).toContain('No item of post is still held.');
      expect(textOf(await desk.act('operator', '/sources/our-site/accept'))).toContain('No item of our-site is still');
      const post = { source: 'our-site', item: '1', article_id: 'our-site.1', published_at: NOW };
      await store.db
        .insertInto('source_items')
        .values({ ...post, withdrawal: 'waiting' })
        .execute();
      expect(textOf(await desk.read('editor', '/sources'))).toContain(
        '1 post is gone from the site. The articles stay until you decide. Keep the articles',
      );
      expect(textOf(await desk.act('editor', '/sources/our-site/keep'))).toContain('Kept 1 article of our-site.');
      expect(textOf(await desk.act('editor', '/sources/our-site/retract'))).toContain('No post of our-site still');
      expect(textOf(await desk.act('editor', '/sources/post/keep'))).toContain('Not done: post is the feed of another');
      expect((await desk.audit()).map(({ act }) => act)).toEqual(['source.ignore', 'source.keep-withdrawn']);
    });

    it('imports the held items of a site of the newsroom, or ignores them', async () => {
      const store = await open();
      const desk = await openSourcesDesk(store);
      const hold = async (item: string): Promise<void> => {
        const record = {
          id: `our-site.${item}`,
          headline: 'Ferry is back',
          section: 'business-tech',
          body: 'It left.',
        };
        const row = { source: 'our-site', item, article_id: record.id, published_at: NOW, hold: 'held' as const };
        await store.db
          .insertInto('source_items')
          .values({ ...row, record: JSON.stringify({ ...record, published: '2026-11-24T08:00:00Z' }) })
          .execute();
      };
      await hold('1');
      const page = textOf(await desk.read('operator', '/sources'));
      expect(page).toContain('1 item waits for a decision. Accept Ignore for good Accepted ones are imported.');
      expect(textOf(await desk.act('operator', '/sources/our-site/accept'))).toContain('1 item of our-site imported.');
      expect((await allArticles(store)).map(({ id }) => id)).toEqual(['our-site.1']);
      await hold('2');
      expect(textOf(await desk.act('operator', '/sources/our-site/ignore'))).toContain('1 item of our-site will not');
      expect(await allArticles(store)).toHaveLength(1);
      expect((await desk.audit()).map(({ act }) => act)).toEqual(['source.accept', 'source.ignore']);
    });

    it('shows rejected inputs with their reasons, in pages that have each once', async () => {
      const store = await open();
      const desk = await openSourcesDesk(store);
      for (let line = 1; line <= 35; line++) {
        const rejection = { stage: 'import', source: `in${HOSTILE}.jsonl`, line, articleId: null } as const;
        const raw = line === 35 ? `${HOSTILE}${'x'.repeat(5_000)}` : 'raw';
        await recordRejection(store.db, { ...rejection, problems: [`wrong ${HOSTILE}`], raw }, NOW + line);
      }
      const overview = await desk.read('editor', '/sources');
      expect(textOf(overview)).toContain('35 in all; the newest:');
      expect(textOf(overview)).toMatch(/line 35.*and 1,027 more characters: daywire rejected show.*line 31/);
      expect(overview).not.toContain('<script>alert');
      const first = await desk.read('editor', '/sources/rejected');
      const [, older = ''] = /href="\/desk(\/sources\/rejected\?[^"]*)"/.exec(first) ?? [];
      const second = await desk.read('editor', older.replaceAll('&amp;', '&'));
      const lines = [first, second].map((html) => [...html.matchAll(/, line (\d+)/g)].map(([, line]) => Number(line)));
      expect(lines.flat()).toEqual(Array.from({ length: 35 }, (_, index) => 35 - index));
      expect(second).not.toContain('<script>alert');
      // An address that no pager made shows the newest ones.
      expect(await desk.read('editor', '/sources/rejected?after=x')).toContain('line 35');
    });

    it('tries an address only by POST, and tells what it found or what is wrong beside the field', async () => {
      const feed = `<rss version="2.0"><channel><title>The Post</title><item><guid>1</guid>
        <title>Harbour ${'&lt;b&gt;'} opens</title><link>https://post.example/1</link></item></channel></rss>`;
      const server = await startRawServer(
        () => `HTTP/1.1 200 OK\r\nContent-Length: ${feed.length}\r\nConnection: close\r\n\r\n${feed}`,
      );
      const desk = await openSourcesDesk(await open());
      await desk.read('operator', '/sources');
      expect(server.connections).toBe(0);
      desk.app.config.sources.push({ id: 'web', url: 'https://web.example/rss', use: 'roundup', outlet: 'THE POST' });
      const found = await desk.act('operator', '/sources/try', { url: server.url(), use: 'roundup' });
      expect(textOf(found)).toContain(': “The Post” , with 1 item.');
      expect(textOf(found)).toContain('no date known by its guid');
      expect(textOf(found)).toContain('web has this name, too: write “outlet: THE POST” for both.');
      const wrong = await desk.post('operator', '/sources/try', { url: `ftp://x/${HOSTILE}`, use: 'articles' });
      expect(wrong.status).toBe(422);
      const page = await wrong.text();
      expect(page).toContain('aria-invalid="true"');
      expect(textOf(page)).toContain('The address must be an http or https URL.');
      expect(page).not.toContain('<script>alert');
      const refused = await desk.post('operator', '/sources/try', { url: 'http://10.0.0.1/', use: 'roundup' });
      expect(textOf(await refused.text())).toMatch(/10\.0\.0\.1.* not public/);
    });
  });
});
