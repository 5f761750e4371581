import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FORMATS, feedView } from '../../../src/feeds/formats/feed-view.ts';
import { documentWriter, Frames, fitFeed } from '../../../src/feeds/formats/fit.ts';
import { toItems } from '../../../src/feeds/formats/item.ts';
import { type RenderedBody, renderItems, withBody } from '../../../src/feeds/formats/rendered-item.ts';
import { localeOf } from '../../../src/lib/locale/locale.ts';
import { article } from '../../support/articles.ts';
import { runs } from '../../support/run-scope.ts';
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
    return toItems(articles, config, localeOf(view.language, config.ownMessages)).items;
  })
  .filter((items) => items.length > 0);

it('an item has the same text whether it is rendered alone or with others', () => {
  fc.assert(
    fc.property(someItems, (items) => {
      const together = renderItems(items, view);
      expect(together).toEqual(items.flatMap((item) => renderItems([item], view)));
    }),
    { numRuns: runs(40) },
  );
});

it('the bytes of an item with its body are known before it is written', () => {
  fc.assert(
    fc.property(someItems, (items) => {
      for (const { item: rendered, body } of renderItems(items, view)) {
        for (const format of FORMATS) {
          const text = rendered.texts[format];
          expect(text.fullBytes).toBe(Buffer.concat(withBody(text, format, body)).length);
          expect(text.fullBytes - text.bytes.length).toBeLessThanOrEqual(rendered.bodyBytes);
        }
      }
    }),
    { numRuns: runs(40) },
  );
});

it('a document of items that were rendered before is that of the items rendered now', () => {
  fc.assert(
    fc.property(someItems, fc.constantFrom('full', 'summary'), (items, content) => {
      const cached = items.flatMap((item) => renderItems([item], view));
      const bodyOf = new Map(cached.map(({ item, body }) => [item, body]));
      const entries = cached.map(({ item }) => ({ item, full: content === 'full' && item.htmlBytes > 0 }));
      const write = documentWriter(new Frames(view, []), entries, (item) => bodyOf.get(item) as RenderedBody);
      const { bodies } = fitFeed(view, items, [], { content, mayDrop: true });
      for (const format of FORMATS) expect(write(format).toString()).toBe(bodies[format]);
    }),
    { numRuns: runs(40) },
  );
});
