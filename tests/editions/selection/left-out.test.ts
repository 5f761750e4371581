import { describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import type { ComposedEdition, SkippedEdition } from '../../../src/editions/compose.ts';
import { findLeftOut } from '../../../src/editions/selection/left-out.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import {
  article,
  CUTOFF,
  closeEdition,
  compose,
  newsletter,
  roundupItem,
  save,
  threeStories,
  tryCompose,
} from '../fixtures.ts';

function leftOutOf(store: Store, edition: ComposedEdition | SkippedEdition) {
  const contents =
    edition.kind === 'composed'
      ? { ...edition, shown: edition.articles.map(({ articleId }) => articleId) }
      : { ...edition, shown: [], didNotFit: [], dropped: [] };
  return findLeftOut(store.db, newsletter, contents);
}

describe('findLeftOut', () => {
  forEachDatabase((open) => {
    it('gives the reason why each article is not in an edition, newest first', async () => {
      const store = await open();
      await save(store, threeStories('yesterday', CUTOFF - DAY), CUTOFF - DAY);
      await closeEdition(store, await compose(store, CUTOFF - DAY));
      const note = { note: 'Wrong.', at: CUTOFF - HOUR };
      await save(
        store,
        [
          ...threeStories('today', CUTOFF),
          article('later', { publishedAt: CUTOFF, status: { state: 'scheduled', until: CUTOFF } }),
          article('draft', { publishedAt: CUTOFF - 4 * HOUR, status: { state: 'draft' } }),
          article('gone', { publishedAt: CUTOFF - 5 * HOUR, status: { state: 'retracted', ...note } }),
          article('summary', { publishedAt: CUTOFF - 6 * HOUR, kind: 'roundup' }),
          roundupItem('by-rule', 'The Example', { publishedAt: CUTOFF - 6.5 * HOUR, isByRule: true }),
          article('crowded', { publishedAt: CUTOFF - 7 * HOUR, kind: 'analysis' }),
          article('old', { publishedAt: CUTOFF - 9 * DAY }),
          article('broken', { publishedAt: CUTOFF - 10 * DAY, headline: '', pinned: true }),
        ],
        CUTOFF - DAY,
      );
      const blocks = { news: 2, analysis: 0, roundup: 0, latest: 0 };
      const articles = await leftOutOf(store, await compose(store, CUTOFF, { blocks }));
      expect(articles.map(({ id, reason }) => [id, reason])).toEqual([
        ['later', { kind: 'not-public-yet', publicAt: CUTOFF }],
        ['draft', { kind: 'draft' }],
        ['gone', { kind: 'retracted' }],
        ['summary', { kind: 'is-roundup' }],
        ['by-rule', { kind: 'not-picked' }],
        ['crowded', { kind: 'did-not-fit' }],
        ...['1', '2', '3'].map((n) => [`yesterday-${n}`, { kind: 'in-earlier-edition', slot: '2026-11-23' }]),
        ['old', { kind: 'too-old', publishedAt: CUTOFF - 9 * DAY }],
        ['broken', { kind: 'cannot-be-shown', problem: expect.stringContaining('its headline is empty') }],
      ]);
      expect(articles[0]?.article?.headline).toBe('Headline of later');
    });

    it('lists fifty articles', async () => {
      const store = await open();
      const drafts = Array.from({ length: 60 }, (_, n) =>
        article(`draft-${n}`, { publishedAt: CUTOFF - n * HOUR, status: { state: 'draft' } }),
      );
      await save(store, drafts, CUTOFF);
      const skipped = await tryCompose(store);
      if (skipped.kind !== 'skipped') throw new Error('there is nothing to compose');
      const articles = await leftOutOf(store, skipped);
      expect(articles).toHaveLength(50);
      expect(articles.at(-1)?.id).toBe('draft-49');
    });
  });
});
