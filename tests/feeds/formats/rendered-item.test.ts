import fc from 'fast-check';
import { expect, it } from 'vitest';
import { feedView } from '../../../src/feeds/formats/feed-view.ts';
import { fitFeed, writeDocuments } from '../../../src/feeds/formats/fit.ts';
import { toItems } from '../../../src/feeds/formats/item.ts';
import { renderBody, renderItems, withBody } from '../../../src/feeds/formats/rendered-item.ts';
import { article } from '../../support/articles.ts';
import { feedsConfig } from '../feeds-fixture.ts';
import { hostileArticle } from './hostile-article.ts';

const config = feedsConfig();
const [latest] = config.feeds as [(typeof config.feeds)[0]];
const view = feedView(latest, config);

const someItems = fc
  .array(fc.tuple(hostileArticle, fc.constantFrom('en', 'zh-Hans'), fc.boolean()), { minLength: 1, maxLength: 5 })
  .map((changes) => {
    const articles = changes.map(([change, language, isEmpty], index) => {
      const body = isEmpty ? { bodyHtml: '', fullStory: null, related: [], image: null, outlet: null, also: [] } : {};
      return article(`a${index}`, { ...change, headline: `a${change.headline}`, language, ...body });
    });
    return toItems(articles, config).items;
  })
  .filter((items) => items.length > 0);

it('an item has the same text whether it is rendered alone or with others', () => {
  fc.assert(
    fc.property(someItems, (items) => {
      const together = renderItems(items, view.language);
      expect(together).toEqual(items.flatMap((item) => renderItems([item], view.language)));
    }),
    { numRuns: 40 },
  );
});

it('the bytes of an item are those of its text, with its summary and with its body', () => {
  fc.assert(
    fc.property(someItems, (items) => {
      for (const [index, rendered] of renderItems(items, view.language).entries()) {
        const body = renderBody(items[index]?.html ?? '');
        for (const format of ['rss', 'atom', 'json'] as const) {
          const text = rendered.texts[format];
          expect(text.summaryBytes).toBe(Buffer.byteLength(text.text));
          expect(text.fullBytes).toBe(Buffer.byteLength(withBody(text, format, body).join('')));
          expect(text.fullBytes - text.summaryBytes).toBeLessThanOrEqual(rendered.bodyBytes);
        }
      }
    }),
    { numRuns: 40 },
  );
});

it('a document of items that were rendered before is that of the items rendered now', () => {
  fc.assert(
    fc.property(someItems, fc.constantFrom('full', 'summary'), (items, content) => {
      const html = new Map(items.map((item) => [item.id, item.html]));
      const cached = items.flatMap((item) => renderItems([item], view.language));
      const entries = cached.map((item) => ({ item, full: content === 'full' && item.htmlBytes > 0 }));
      const bodies = writeDocuments(view, entries, [], ({ id }) => renderBody(html.get(id) ?? ''));
      expect(bodies).toEqual(fitFeed(view, items, [], { content, mayDrop: true }).bodies);
    }),
    { numRuns: 40 },
  );
});
