import { describe, expect, it } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { article, NOW, openTestSite, save, saveDay, saveEdition, type TestSite } from '../app/test-site.ts';
import { openMigrated } from '../support/databases.ts';

const IMAGE = { alt: 'A', credit: 'VCG', type: 'image/jpeg', length: 1, width: 1200, height: 800 };
const pictured = (id: string): Pick<Article, 'image'> => {
  return { image: { ...IMAGE, url: `http://127.0.0.1:8080/media/${id}.jpg` } };
};
const ago = (minutes: number): Pick<Article, 'publishedAt' | 'updatedAt'> => {
  return { publishedAt: NOW - minutes * MINUTE, updatedAt: NOW - minutes * MINUTE };
};

describe('the places of the front page', () => {
  it('have each story once, and the sections of the configuration', async () => {
    const { read } = await open(saveDay);
    const html = await read();
    const paths = [...html.matchAll(/<h[23][^>]*>(?:<span.*?<\/span> )?<a href="([^"]+)"/g)].map(([, path]) => path);
    expect(paths.length).toBeGreaterThan(15);
    expect(paths).toEqual([...new Set(paths)]);
    const places = [
      'class="lead"',
      'class="second-rank"',
      'id="news"',
      'id="roundup"',
      'class="blocks"',
      'class="rest"',
    ];
    expect(places.map((place) => html.indexOf(place))).toEqual(places.map((p) => html.indexOf(p)).toSorted(byNumber));
    expect(places.every((place) => html.includes(place))).toBe(true);
  });

  it('have a pinned story first, then kickers in their order, then sections, then the newest', async () => {
    const stories = [
      article('newest', { ...ago(1), section: 'world' }),
      article('first-section', ago(200)),
      article('analysis', { ...ago(100), kicker: 'Analysis', kind: 'analysis' }),
      article('cover', { ...ago(1_000), kicker: 'Cover Story', section: 'trending' }),
      article('pinned', { ...ago(1_200), pinned: true, section: 'trending' }),
    ];
    const { read, store, site } = await open((to) => save(to, ...stories));
    expect(ranked(await read())).toEqual(['pinned', 'cover', 'analysis', 'first-section']);
    await save(store, article('pinned', { ...ago(25 * 60), pinned: true, section: 'trending' }));
    site.later();
    expect(ranked(await read())).toEqual(['cover', 'analysis', 'first-section', 'newest']);
  });

  it('have what editors lead with of the last 24 hours, however many stories are newer', async () => {
    const stories = Array.from({ length: 90 }, (_, n) => article(`n-${n}`, ago(n)));
    const led = [
      article('pinned', { ...ago(1_200), pinned: true }),
      article('cover', { ...ago(1_100), kicker: 'Cover Story' }),
      article('old', { ...ago(1_500), pinned: true }),
    ];
    const { read } = await open((to) => save(to, ...stories, ...led));
    expect(ranked(await read())).toEqual(['pinned', 'cover', 'n-0', 'n-1']);
  });

  it('have older stories, newest first, where the last 24 hours are not enough', async () => {
    const old = (id: string, days: number): Article =>
      article(id, { publishedAt: NOW - days * DAY, kicker: 'Exclusive' });
    const { read } = await open((to) => save(to, article('today'), old('older', 3), old('old', 2)));
    const html = await read();
    expect(ranked(html)).toEqual(['today', 'old', 'older']);
    expect(html).not.toContain('24-hour news');
  });

  it('have stories with pictures in the second rank first, but none before a pin or a lead kicker', async () => {
    const plain = ['a', 'b', 'c', 'd', 'e'].map((id, n) => article(id, ago(n + 1)));
    const some = [article('f', { ...ago(6), ...pictured('f') }), article('g', { ...ago(7), ...pictured('g') })];
    const { read, store, site } = await open((to) => save(to, ...plain, ...some));
    expect(ranked(await read())).toEqual(['a', 'f', 'g', 'b']);
    await save(store, article('a', { ...ago(1), pinned: true }), article('e', { ...ago(5), pinned: true }));
    site.later();
    expect(ranked(await read())).toEqual(['a', 'e', 'f', 'g']);
    await save(store, article('d', { ...ago(4), kicker: 'Exclusive' }));
    site.later();
    expect(ranked(await read())).toEqual(['a', 'e', 'd', 'f']);
  });

  it('have a section of few stories without pictures in the column of its neighbour', async () => {
    const recent = Array.from({ length: 12 }, (_, n) => article(`recent-${n}`, { ...ago(n), section: null }));
    const old = (section: string, n: number, more: Partial<Article> = {}): Article =>
      article(`${section}-${n}`, { publishedAt: NOW - 2 * DAY - n * MINUTE, section, ...more });
    const finance = [1, 2, 3].map((n) => old('finance-economy', n));
    const stories = [
      old('business-tech', 1, pictured('a')),
      ...finance,
      old('world', 1),
      old('trending', 1, pictured('b')),
    ];
    const { read } = await open((to) => save(to, ...recent, ...stories));
    const [, blocks = ''] = /<div class="blocks">([\s\S]*?)<div class="rest">/.exec(await read()) ?? [];
    const [, ...parts] = blocks.split('<div>\n<section');
    const columns = parts.map((part) => [...part.matchAll(/id="of-([^"]+)"/g)].map(([, id]) => id));
    expect(columns).toEqual([['business-tech'], ['finance-economy', 'world'], ['trending']]);
  });

  it('load the picture of the lead at once, and others when they come into view', async () => {
    const stories = ['a', 'b'].map((id, n) => article(id, { ...ago(n), ...pictured(id) }));
    const { read } = await open((to) => save(to, ...stories, article('c', ago(3))));
    const images = [...(await read()).matchAll(/<img [^>]*>/g)].map(([image]) => image);
    expect(images).toHaveLength(2);
    expect(images[0]).toMatch(/a\.jpg.* alt="A" width="1200" height="800" fetchpriority="high">/);
    expect(images[1]).toMatch(/b\.jpg.* alt="" width="1200" height="800" loading="lazy">/);
  });

  it('have each event of the roundup once, with the other outlets, and the newest edition', async () => {
    const item = (id: string, outlet: string, minutes: number, eventKey: string | null): Article =>
      article(id, {
        ...{ ...ago(minutes), kind: 'roundup-item', eventKey, dek: `What ${outlet} says.` },
        outlet: { name: outlet, url: `https://example.com/${id}`, publishedAt: null },
      });
    const { read } = await open(async (to) => {
      await save(to, item('x', 'Harbour Post', 9, 'e'), item('y', '36Kr', 8, 'e'), item('z', 'Yicai', 10, null));
      await saveEdition(to, { slot: '2026-11-24', slotAt: NOW - HOUR, number: 7, headline: 'Tech Roundup: A, B' });
    });
    const html = await read();
    expect([...html.matchAll(/>Headline of (\w)</g)].map(([, id]) => id)).toEqual(['x', 'z']);
    expect(html).toContain('Also: <a href="https://example.com/y">36Kr</a>');
    expect(html.match(/Tech Roundup: A, B/g)).toHaveLength(1);
    expect(html).not.toContain('Nothing has been published yet.');
  });

  it('have short stories whole, and of long ones the beginning, by words of every language', async () => {
    const words = (count: number): string => `<p>${'News of the day. '.repeat(count / 4)}</p><p>The end.</p>`;
    const chinese = (count: number): string => `<p>${'中国经济'.repeat(count / 2)}。</p><p>全文完。</p>`;
    const first = Array.from({ length: 15 }, (_, n) => article(`n-${n}`, ago(n)));
    const { read } = await open((to) =>
      save(
        to,
        ...first,
        article('short', { ...ago(20), bodyHtml: words(392) }),
        article('long', { ...ago(21), bodyHtml: words(404).replace('</p><p>', '</p><h2>Part</h2><p>') }),
        article('zh-short', { ...ago(22), language: 'zh-Hans', bodyHtml: chinese(390) }),
        article('zh-long', { ...ago(23), language: 'zh-Hans', bodyHtml: chinese(600) }),
        article('huge', { ...ago(24), bodyHtml: `<p>${'x'.repeat(7_000)}</p>` }),
      ),
    );
    const stories = (await read()).split('<article class="story"').slice(1);
    const isWhole = stories.map((html) => [
      /articles\/([\w-]+)"/.exec(html)?.[1],
      !html.includes('Read the full story'),
    ]);
    expect(isWhole).toEqual([
      ['short', true],
      ['long', false],
      ['zh-short', true],
      ['zh-long', false],
      ['huge', false],
    ]);
  });

  it('show the beginning of the body below a headline without a dek', async () => {
    const { read } = await open((to) => save(to, article('one', { dek: null, bodyHtml: '<p>The <b>news</b>.</p>' })));
    expect(await read()).toContain('<p class="dek">The news.</p>');
  });

  it('show the beginning of a dek that is a paragraph, half as many characters of Chinese', async () => {
    const stories = [
      article('en', { ...ago(1), dek: 'The news of the day. '.repeat(15).trim() }),
      article('zh', { ...ago(2), language: 'zh-Hans', dek: '今天的新闻。'.repeat(30) }),
    ];
    const { read } = await open((to) => save(to, ...stories));
    const deks = [...(await read()).matchAll(/<p class="dek">(.*?)<\/p>/g)].map(([, dek]) => dek ?? '');
    expect(deks).toHaveLength(2);
    expect(deks.every((dek) => dek.endsWith('…'))).toBe(true);
    expect(deks.map(({ length }) => Math.ceil(length / 20))).toEqual([10, 5]);
  });
});

async function open(fill: (store: Store) => Promise<void>): Promise<{
  store: Store;
  site: TestSite;
  read: () => Promise<string>;
}> {
  const store = await openMigrated();
  await fill(store);
  const site = openTestSite(store);
  return { store, site, read: () => site.read('/') };
}

/** Ids of lead and second rank. */
function ranked(html: string): (string | undefined)[] {
  return [...html.matchAll(/<h2 class="headline">.*?articles\/([\w-]+)"/g)].map(([, id]) => id);
}

function byNumber(a: number, b: number): number {
  return a - b;
}
