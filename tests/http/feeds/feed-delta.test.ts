import { gunzipSync } from 'node:zlib';
import { parseFeed } from 'feedsmith';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { publishFeeds } from '../../../src/feeds/publish.ts';
import type { Servable } from '../../../src/http/feeds/decide-response.ts';
import { openDeltas } from '../../../src/http/feeds/feed-delta.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import type { Store } from '../../../src/store/store.ts';
import { xmllint } from '../../feeds/formats/xmllint.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { article, NOW, openSite, sampleConfig, save, type TestSite } from '../newsroom.ts';

const config = sampleConfig();
const templates = openTemplates(config.paths.templates, config.publication.zone);

describe('a reader that asks for new items alone (RFC 3229)', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    let published = 0;
    beforeEach(async () => {
      store = await open();
      site = openSite(store);
      published = 0;
      await publish(article('a'), article('b'), article('c'));
    });

    /** Each a minute after the one before. */
    async function publish(...articles: Article[]): Promise<void> {
      const now = NOW + published++ * MINUTE;
      site.at(now);
      await save(store, ...articles);
      await publishFeeds(store, config, templates, { now, changed: articles.map(({ id }) => id) });
    }

    const ask = (path: string, etag: string, headers: Record<string, string> = {}): Promise<Response> =>
      site.get(path, { 'If-None-Match': etag, 'A-IM': 'feed', ...headers });

    async function tagOf(path: string): Promise<string> {
      return (await site.get(path)).headers.get('ETag') as string;
    }

    it.each(['latest.rss', 'latest.atom', 'latest.json'])('gets of %s what is new or has changed', async (name) => {
      const path = `/feeds/${name}`;
      const before = await tagOf(path);
      expect((await ask(path, before)).status).toBe(304);
      await publish(article('d'), article('b', { headline: 'Edited', updatedAt: NOW + MINUTE }));
      const response = await ask(path, before);
      expect(response.status).toBe(226);
      expect(response.headers.get('IM')).toBe('feed');
      expect(response.headers.get('Cache-Control')).toBe('no-store, im');
      expect(response.headers.get('Vary')).toMatch(/A-IM.*If-None-Match/);
      // The reader holds the present version from now on.
      expect(response.headers.get('ETag')).toBe(await tagOf(path));
      const body = await response.text();
      expect(response.headers.get('Content-Length')).toBe(String(Buffer.byteLength(body)));
      expect(titlesIn(body)).toEqual(['Headline of d', 'Edited']);
      if (!name.endsWith('.json')) expect(xmllint([body])).toBe('');
    });

    it('gets it compressed, and by a tag of whatever coding', async () => {
      const before = (await site.get('/feeds/latest.atom', { 'Accept-Encoding': 'br' })).headers.get('ETag') as string;
      await publish(article('d'));
      const response = await ask('/feeds/latest.atom', before, { 'Accept-Encoding': 'gzip' });
      expect([response.status, response.headers.get('Content-Encoding')]).toEqual([226, 'gzip']);
      const body = gunzipSync(Buffer.from(await response.arrayBuffer())).toString();
      expect(titlesIn(body)).toEqual(['Headline of d']);
    });

    it('gets the whole feed unless it asks, names a version that is known, and holds some of its items', async () => {
      const path = '/feeds/latest.rss';
      const before = await tagOf(path);
      await publish(article('d'));
      const cases: [string, Record<string, string>][] = [
        ['no A-IM', { 'If-None-Match': before }],
        ['another manipulation', { 'If-None-Match': before, 'A-IM': 'vcdiff, feeds' }],
        ['a weight of nothing', { 'If-None-Match': before, 'A-IM': 'feed;q=0' }],
        ['no tag', { 'A-IM': 'feed' }],
        ['a tag of nobody', { 'If-None-Match': '"nobody"', 'A-IM': 'feed' }],
      ];
      for (const [what, headers] of cases) expect([what, (await site.get(path, headers)).status]).toEqual([what, 200]);
      const among = { 'If-None-Match': `"x", W/${before}`, 'A-IM': 'vcdiff, feed;q=0.5' };
      expect((await site.get(path, among)).status).toBe(226);
    });

    it('is known to hold any of the last twenty versions', async () => {
      const path = '/feeds/latest.json';
      const tags: string[] = [];
      for (let index = 0; index < 22; index++) {
        tags.push(await tagOf(path));
        await publish(article(`n${index}`));
      }
      const statuses = await Promise.all(tags.map(async (tag) => (await ask(path, tag)).status));
      expect(statuses).toEqual([200, 200, ...Array(20).fill(226)]);
      const oldest = await ask(path, tags[2] as string);
      expect(titlesIn(await oldest.text())).toHaveLength(20);
    });
  });
});

describe('what is new since', () => {
  const spans = { head: 1, separator: 0, items: [['a', 1] as [string, number], ['b', 1] as [string, number]] };
  const document = (hash: string): Servable => ({
    path: 'latest.atom',
    mediaType: 'application/atom+xml',
    hash,
    modifiedAt: 0,
    spans,
    history: [],
    bodies: { identity: Buffer.from('(ab)'), gzip: Buffer.from(''), br: Buffer.from('') },
    link: null,
  });

  it('is made once for all who ask, and the whole is given where too many different ones are asked for at once', async () => {
    const deltas = openDeltas();
    const base = { hash: 'before', keys: ['a'] };
    const same = await Promise.all(Array.from({ length: 500 }, () => deltas.since(document('now'), base, 'gzip')));
    expect(new Set(same).size).toBe(1);
    expect(gunzipSync(same[0] as Buffer).toString()).toBe('(b)');
    const different = await Promise.all(
      Array.from({ length: 150 }, (_, index) => deltas.since(document(`now ${index}`), base, 'br')),
    );
    expect(different.filter((delta) => delta === null)).toHaveLength(50);
    expect((await deltas.since(document('later'), base, 'identity'))?.toString()).toBe('(b)');
  });

  it('that cannot be made is tried again', async () => {
    const deltas = openDeltas();
    const broken = { ...document('now'), bodies: null as unknown as Servable['bodies'] };
    const base = { hash: 'before', keys: ['a'] };
    await expect(deltas.since(broken, base, 'br')).rejects.toThrow();
    expect(await deltas.since(document('now'), base, 'br')).not.toBeNull();
  });
});

function titlesIn(body: string): (string | undefined)[] {
  const { feed } = parseFeed(body) as { feed: { items?: { title?: Text }[]; entries?: { title?: Text }[] } };
  return (feed.items ?? feed.entries ?? []).map(({ title }) => (typeof title === 'object' ? title.value : title));
}

type Text = string | { value?: string };
