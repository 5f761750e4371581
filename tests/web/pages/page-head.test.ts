import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { article, openTestSite, save } from '../../app/test-site.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';

describe('the head of a page', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openMigrated();
  });
  afterAll(() => store.close());

  function siteOf(publication: Partial<Config['publication']> = {}) {
    const config = sampleConfig();
    const paths = { ...config.paths, media: '/srv/media' };
    return openTestSite(store, { ...config, paths, publication: { ...config.publication, ...publication } });
  }

  /** Content by property or name. */
  async function metasOf(path: string, publication?: Partial<Config['publication']>): Promise<Record<string, string>> {
    const html = await siteOf(publication).read(path);
    const found = [...html.matchAll(/<meta (?:property|name)="([^"]+)" content="([^"]*)"/g)];
    expect(found.length).toBeGreaterThan(10);
    return Object.fromEntries(found.map(([, name, content]) => [name, content]));
  }

  async function metasOfArticle(changes: Partial<Article>, publication?: Partial<Config['publication']>) {
    await save(store, article('one', changes));
    return metasOf('/articles/one', publication);
  }

  const photo = (width: number | null, height: number | null, url = 'http://127.0.0.1:8080/media/p.png') => {
    return { image: { url, alt: 'A wafer', credit: null, type: 'image/png', length: 1, width, height } };
  };
  const image = (metas: Record<string, string>) =>
    ['', ':width', ':height', ':alt'].map((part) => metas[`og:image${part}`]).concat(metas['twitter:card']);

  it('has the picture of the article as JPEG with its size, and a card that fits it', async () => {
    const jpeg = 'http://127.0.0.1:8080/media/r/jpeg/p.png';
    const wide = await metasOfArticle(photo(3_000, 2_000));
    expect(image(wide)).toEqual([jpeg, '1200', '800', 'A wafer', 'summary_large_image']);
    const upright = await metasOfArticle(photo(800, 1_000));
    expect(image(upright)).toEqual([jpeg, '800', '1000', 'A wafer', 'summary']);
    const unknown = await metasOfArticle(photo(null, null));
    expect(image(unknown)).toEqual([jpeg, undefined, undefined, 'A wafer', 'summary_large_image']);
    const theirs = await metasOfArticle(photo(3_000, 2_000, 'https://example.com/p.png'));
    expect(image(theirs)).toEqual(['https://example.com/p.png', '3000', '2000', 'A wafer', 'summary_large_image']);
    const unusable = await metasOfArticle(photo(3_000, 2_000, 'javascript:alert(1)'));
    expect(unusable['og:image']).toBe('http://127.0.0.1:8080/icons/512.png');
  });

  it('has the cover of the publication where there is no picture, or else its icon', async () => {
    for (const path of ['/', '/articles/one', '/archive/2026-11']) {
      await save(store, article('one'));
      const icon = ['http://127.0.0.1:8080/icons/512.png', '512', '512', 'The Meridian Wire', 'summary'];
      expect([path, image(await metasOf(path))]).toEqual([path, icon]);
      const cover = 'http://127.0.0.1:8080/media/r/jpeg/cover%20one.png';
      const metas = await metasOf(path, { cover: 'cover one.png' });
      const large = [cover, undefined, undefined, 'The Meridian Wire', 'summary_large_image'];
      expect([path, image(metas)]).toEqual([path, large]);
    }
  });

  it('names language and territory only where the language has one', async () => {
    const cases = { 'en-GB': 'en_GB', 'zh-Hant-tw': 'zh_TW', en: undefined, 'zh-Hans': undefined, 'es-419': undefined };
    for (const [language, locale] of Object.entries(cases)) {
      expect([language, (await metasOfArticle({ language }))['og:locale']]).toEqual([language, locale]);
    }
  });

  it('lets search engines show large pictures of public pages alone', async () => {
    await save(store, article('one'));
    expect((await metasOf('/articles/one')).robots).toBe('max-image-preview:large');
    const missing = await (await siteOf().get('/no-such-page')).text();
    expect(missing).toContain('<meta name="robots" content="noindex">');
    expect(missing).not.toMatch(/max-image-preview|og:image/);
  });

  it('has the SVG icon unless the publication has one that is no SVG', async () => {
    const svg = '<link rel="icon" type="image/svg+xml" sizes="any" href="/favicon.svg">';
    expect(await siteOf().read('/')).toContain(svg);
    expect(await siteOf({ icon: 'icon.svg' }).read('/')).toContain(svg);
    expect(await siteOf({ icon: 'icon.PNG' }).read('/')).not.toContain('favicon.svg');
  });

  it('has the colours of the paper, light and dark', async () => {
    const site = siteOf();
    const css = await site.read('/style.css');
    const papers = [...css.matchAll(/--paper:(#\w+);/g)].map(([, colour]) => colour);
    const html = await site.read('/');
    expect(papers.length).toBeGreaterThan(1);
    const [light, dark] = papers;
    expect(html).toContain(`<meta name="theme-color" content="${light}" media="(prefers-color-scheme: light)">`);
    expect(html).toContain(`<meta name="theme-color" content="${dark}" media="(prefers-color-scheme: dark)">`);
  });
});
