import { HtmlValidate } from 'html-validate';
import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { parseDerivedAddress } from '../../../src/feeds/derived/derived-address.ts';
import { sharedDocuments } from '../../../src/feeds/index-page/index-page.ts';
import { DAY } from '../../../src/lib/time.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { openMigrated } from '../../support/databases.ts';
import { feedsConfig, feedsTemplates } from '../feeds-fixture.ts';

const config = feedsConfig((text) => `${text}leadKickers: [Cover Story]\n`);
const HOSTILE = `<b onclick="x">"A" & 'B' 🚀`;
const FILED = Array.from({ length: 30 }, (_, index) =>
  article(`a${index}`, {
    tags: [`Tag ${index}`, index === 0 ? HOSTILE : '半导体'],
    kicker: index === 1 ? HOSTILE : 'In Depth',
    bylines: [{ role: 'reporter', name: index === 2 ? HOSTILE : `Reporter ${index}`, email: null }],
  }),
);

async function pageWith(articles: Article[], changes: Partial<Config['publication']> = {}): Promise<string> {
  const store = await openMigrated();
  await saveAll(store, articles);
  const changed = { ...config, publication: { ...config.publication, ...changes } };
  const documents = await sharedDocuments(store.db, changed, feedsTemplates(), NOW);
  return documents.find(({ path }) => path === 'index.html')?.body ?? '';
}

describe('the page of feeds', () => {
  it('links to imprint and privacy policy, if there are such', async () => {
    const html = await pageWith([], { imprint: '/imprint.md', privacy: 'https://example.com/privacy' });
    expect(html).toContain('<a href="https://wire.example.com/imprint">Imprint</a>');
    expect(html).toContain('<a href="https://example.com/privacy">Privacy</a>');
    expect(await pageWith([])).not.toMatch(/Imprint|Privacy/);
  });

  it('links each feed to apps and web readers, and has its QR code', async () => {
    const html = await pageWith([]);
    const encoded = encodeURIComponent('https://wire.example.com/feeds/in-depth.atom');
    for (const href of [
      'feed:https://wire.example.com/feeds/in-depth.atom',
      `https://feedly.com/i/subscription/feed/${encoded}`,
      `https://www.inoreader.com/?add_feed=${encoded}`,
      `https://www.newsblur.com/?url=${encoded}`,
      `https://theoldreader.com/feeds/subscribe?url=${encoded}`,
      `https://feedbin.com/?subscribe=${encoded}`,
    ]) {
      expect(html).toContain(`<a href="${href}"`);
    }
    expect(html.match(/<svg [^>]*role="img" aria-labelledby="qr-[\w-]+"/g)).toHaveLength(config.feeds.length);
    expect(html).toContain('<title id="qr-in-depth">QR code that leads to the feed In Depth</title>');
    expect(html).not.toMatch(/<script|\son\w+=/);
  });

  it('lists sections, kickers, reporters and tags with valid URLs of their feeds', async () => {
    const html = await pageWith(FILED);
    const found = [...html.matchAll(/<a href="https:\/\/wire\.example\.com\/feeds\/([^"]+)"/g)].map(
      ([, path]) => path as string,
    );
    const derived = found.filter((path) => path.includes('/'));
    // Two sections, three kickers (one that the configuration names), 30 reporters and 32 tags.
    expect(derived).toHaveLength((2 + 3 + 30 + 32) * 3);
    for (const path of derived) {
      expect([path, parseDerivedAddress(path, new URLSearchParams(), config)]).toEqual([
        path,
        expect.objectContaining({ kind: 'derived', address: expect.objectContaining({ path }) }),
      ]);
    }
    expect(derived).toContain('section/world.json');
    expect(derived).toContain('kicker/cover-story.rss');
    expect(derived).toContain('tag/%E5%8D%8A%E5%AF%BC%E4%BD%93.atom');
  });

  it('has a form for combined feeds that needs no script', async () => {
    const html = await pageWith(FILED);
    expect(html).toContain('<form method="get" action="https://wire.example.com/feeds/custom.atom">');
    const boxes = [...html.matchAll(/<input type="checkbox" name="(\w+)" value="([^"]+)">/g)].map(
      ([, name = '', value = '']) => [name, value],
    );
    expect(boxes).toHaveLength(2 + 3 + 30 + 32 + 5);
    for (const box of boxes) {
      const parsed = parseDerivedAddress('custom.atom', new URLSearchParams([box as [string, string]]), config);
      expect([box, parsed?.kind]).toEqual([box, 'derived']);
    }
  });

  it('is valid, accessible HTML for any names', async () => {
    const html = await pageWith(FILED);
    expect(html).toContain('&lt;b onclick=&#34;x&#34;&gt;');
    expect(html).not.toContain('<b ');
    const validator = new HtmlValidate({
      extends: ['html-validate:recommended', 'html-validate:a11y'],
      rules: {
        // A matter of style: the template engine quotes and spaces as it likes.
        'no-trailing-whitespace': 'off',
        'doctype-style': 'off',
        'void-style': 'off',
        // Several values under one name are what the address is made of.
        'form-dup-name': ['error', { shared: ['checkbox', 'submit'] }],
      },
    });
    const { results } = await validator.validateString(html);
    expect(results.flatMap(({ messages }) => messages.map(({ line, message }) => `${line}: ${message}`))).toEqual([]);
  });

  it('sorts names as the language does', async () => {
    const tags = ['中国', '北京', 'Änderung', 'Zoll'];
    const html = await pageWith([article('a', { tags })], { language: 'zh-Hans' });
    const list = html.slice(html.indexOf('id="by-tag"')).match(/class="name">[^<]*/g);
    // By the sounds of Chinese: Běijīng, Zhōngguó.
    expect(list?.map((one) => one.slice('class="name">'.length))).toEqual(['北京', '中国', 'Änderung', 'Zoll']);
  });

  it('does not change with new articles of the same facets', async () => {
    const more = [1, 2, 3].map((n) =>
      article(`more${n}`, { tags: ['Tag 5'], kicker: 'In Depth', publishedAt: NOW - n }),
    );
    const yesterday = FILED.map((one) => ({ ...one, publishedAt: NOW - 2 * DAY, updatedAt: NOW - 2 * DAY }));
    expect(await pageWith([...yesterday, ...more])).toBe(await pageWith(yesterday));
  });
});
