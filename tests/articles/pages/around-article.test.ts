import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { shareLinks } from '../../../src/articles/pages/article-page.ts';
import { findNeighbours } from '../../../src/articles/queries.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { article, closedConfig, NOW, openTestSite, save, saveDay } from '../../app/test-site.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { htmlFaults } from '../../support/html-faults.ts';
import { sampleConfig } from '../../support/sample.ts';

describe('the story before and after an article', () => {
  forEachDatabase((open) => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    const at = (hours: number, section: string | null = 'world') => ({ publishedAt: NOW - hours * HOUR, section });

    it('are the nearest of its section by time, then by id, of any kind of story', async () => {
      const stories = [
        article('a', { ...at(5), kind: 'feature' }),
        article('b', { ...at(4), kind: 'brief' }),
        article('c', { ...at(4), kind: 'analysis' }),
        article('d', at(3)),
      ];
      await save(store, article('elsewhere', at(4, 'business-tech')), ...stories, article('sectionless', at(4, null)));
      const found = [];
      for (const story of stories) {
        const { previous, next } = await findNeighbours(store.db, story, NOW);
        found.push([previous?.id, next?.id]);
      }
      expect(found).toEqual([
        [undefined, 'b'],
        ['a', 'c'],
        ['b', 'd'],
        ['c', undefined],
      ]);
    });

    it('are of all sections for an article without one', async () => {
      const alone = article('alone', at(4, null));
      await save(store, article('w', at(5)), alone, article('b', at(3, 'business-tech')));
      expect(await findNeighbours(store.db, alone, NOW)).toMatchObject({ previous: { id: 'w' }, next: { id: 'b' } });
    });

    it('are neither drafts, embargoed or retracted, nor roundups or their items', async () => {
      const one = article('one', at(4));
      await save(
        store,
        one,
        article('draft', { ...at(3), status: { state: 'draft' } }),
        article('item', { ...at(3), kind: 'roundup-item' }),
        article('roundup', { ...at(3), kind: 'roundup' }),
        article('retracted', { ...at(5), status: { state: 'retracted', note: 'n', at: NOW } }),
        article('embargoed', { ...at(-1), status: { state: 'scheduled', until: NOW + HOUR } }),
      );
      expect(await findNeighbours(store.db, one, NOW)).toEqual({ previous: null, next: null });
      expect((await findNeighbours(store.db, one, NOW + HOUR)).next?.id).toBe('embargoed');
    });
  });

  it('are read from an index, a row for each kind', async () => {
    const store = await openMigrated();
    const plan = await store.db.executeQuery({
      sql: `explain query plan select id, published_at from articles where section = 'world' and kind = 'brief'
        and (published_at, id) > (1, 'a') and published_at <= 9 and state in ('published')
        order by published_at asc, id asc limit 1`,
      parameters: [],
      // biome-ignore lint/suspicious/noExplicitAny: a raw query
    } as any);
    expect(JSON.stringify(plan.rows)).toContain('USING COVERING INDEX articles_by_section (section=? AND kind=? AND');
    expect(JSON.stringify(plan.rows)).not.toContain('TEMP B-TREE');
    await store.close();
  });
});

describe('what is below an article', () => {
  it('links to its neighbours, and has the form to subscribe while sign-up is open', async () => {
    const store = await openMigrated();
    await saveDay(store);
    const html = await openTestSite(store).read('/articles/smartphones-march');
    expect(html).toMatch(/<p>Previous story <a href="\/articles\/[a-z-]+" lang="en">/);
    expect(html).toContain('<form class="form short" method="post" action="/subscribe" novalidate>');
    expect(await htmlFaults(html)).toEqual([]);
    const closed = await openTestSite(store, closedConfig()).read('/articles/smartphones-march');
    expect(closed).not.toContain('<form');
    expect(await htmlFaults(closed)).toEqual([]);
    await store.close();
  });

  it('shares the canonical address by plain links, without a script', async () => {
    const store = await openMigrated();
    const headline = 'A & B: "50%" <off>';
    await save(store, article('here', { headline }), article('there', { url: 'https://cms.example/there?a=1&b=2' }));
    const site = openTestSite(store);
    const html = await site.read('/articles/here');
    const [, email = ''] = /<a href="(mailto:[^"]*)">Email/.exec(html) ?? [];
    const query = new URL(email.replaceAll('&amp;', '&')).searchParams;
    expect(query.get('subject')).toBe(headline);
    expect(query.get('body')).toBe(`${headline}\r\n\r\nhttp://127.0.0.1:8080/articles/here`);
    expect(html).toContain('<p><code class="address">http://127.0.0.1:8080/articles/here</code></p>');
    expect(html).not.toMatch(/<script(?! type="application\/ld\+json")/);
    const whole = openTestSite(store, { ...sampleConfig(), pages: 'full' });
    expect(await whole.read('/articles/there')).toContain(
      '<p><code class="address">https://cms.example/there?a=1&amp;b=2</code></p>',
    );
    await store.close();
  });
});

describe('a link to share', () => {
  it('decodes to exactly the headline and the address, whatever they hold', () => {
    const title = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('&body=x', '?subject=a#b', '%0D%0ABcc: x@y.example', '\'"<>', 'a+b', '\ud800', '芯片 🚀'),
    );
    fc.assert(
      fc.property(title, fc.webUrl({ withQueryParameters: true, withFragments: true }), (headline, url) => {
        const { email, networks } = shareLinks(headline, url);
        const whole = headline.toWellFormed();
        const both = `${whole}\r\n\r\n${url}`;
        const partsOf = (link: string): [string, string][] => {
          const query = link.slice(link.indexOf('?') + 1).split('&');
          return query.map((part) => part.split('=').map(decodeURIComponent) as [string, string]);
        };
        expect(partsOf(email)).toEqual([
          ['subject', whole],
          ['body', both],
        ]);
        expect(networks.map((network) => partsOf(network.url))).toEqual([
          [['url', url]],
          [['text', both]],
          [['text', both]],
        ]);
        // Nothing but what any URL may have, so that no program has to guess.
        for (const link of [email, ...networks.map((network) => network.url)]) {
          expect(link).toMatch(/^(?:mailto:|https:\/\/[a-z./-]+)\?[\w=&%.~!*'()-]*$/);
        }
      }),
    );
  });
});
