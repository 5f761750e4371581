import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { fillHtml } from '../../../src/editions/rendering/placeholders.ts';
import { type ContentLimits, fitToSizeLimit } from '../../../src/editions/rendering/size-limit.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import {
  article,
  CUTOFF,
  closeEdition,
  compose,
  idsByBlock,
  NONCE,
  omissions,
  roundupItem,
  save,
} from '../fixtures.ts';

const MAX_HTML_BYTES = 102_400;
/** The largest blocks that a configuration can set. */
const MAX_BLOCKS = { news: 50, analysis: 20, roundup: 30, latest: 50 };

const sentence = '工业和信息化部说，三月份智能手机出货量同比增长百分之六十七点七，达到三千五百三十万部。';
const body = `<p>${sentence.repeat(4)}</p>`.repeat(8);
const related = Array.from({ length: 5 }, (_, n) => ({ url: `https://example.com/earlier/${n}`, title: sentence }));
const own = (id: string, hours: number, rest: Partial<Article> = {}): Article =>
  article(id, {
    headline: `${sentence} ${id}`,
    dek: sentence,
    bodyHtml: body,
    bylines: [{ role: 'reporter', name: 'Lin Anran', email: 'lin.anran@example.com' }],
    related,
    publishedAt: CUTOFF - hours * HOUR,
    ...rest,
  });

/** More stories than the largest edition can have, with every field well filled. */
const flood = [
  own('lead', 1, { kind: 'feature', kicker: 'Cover Story' }),
  ...Array.from({ length: 60 }, (_, n) => own(`news-${n}`, 2, { publishedAt: CUTOFF - 2 * HOUR - n * MINUTE })),
  ...Array.from({ length: 25 }, (_, n) => own(`analysis-${n}`, 3, { kind: 'analysis' })),
  ...Array.from({ length: 35 }, (_, n) =>
    roundupItem(`item-${n}`, `Outlet ${n}`, { headline: sentence, bodyHtml: body }),
  ),
  ...Array.from({ length: 55 }, (_, n) => own(`older-${n}`, 30)),
];

describe('an edition above the size limit', () => {
  forEachDatabase((open) => {
    it('gets shorter excerpts and fewer stories per block; the next edition takes the others', async () => {
      const store = await open();
      await save(store, flood);
      const edition = await compose(store, CUTOFF, { blocks: MAX_BLOCKS });
      const link = `http://127.0.0.1:8080/unsubscribe/${'x'.repeat(130)}`;
      const bytes = Buffer.byteLength(fillHtml(edition.html, NONCE, { unsubscribe: link, preferences: link }));
      expect(bytes).toBeLessThan(MAX_HTML_BYTES);
      expect(bytes).toBeGreaterThan(0.75 * MAX_HTML_BYTES);

      const { lead, news = [], analysis = [], roundup = [], latest = [] } = idsByBlock(edition);
      expect(lead).toEqual(['lead']);
      expect(news).toEqual(Array.from(news, (_, n) => `news-${n}`));
      for (const block of [news, analysis, roundup, latest]) expect(block.length).toBeGreaterThan(3);
      expect(edition.articles.length + edition.didNotFit.length).toBe(flood.length);
      const unlimited = MAX_BLOCKS.news + MAX_BLOCKS.analysis + MAX_BLOCKS.roundup + MAX_BLOCKS.latest + 1;
      expect(edition.size).toEqual({ bytes, shortExcerpts: true, leftOut: unlimited - edition.articles.length });

      const reasons = await omissions(store, await closeEdition(store, edition));
      expect(Object.keys(reasons).sort()).toEqual(edition.didNotFit.toSorted());
      expect(new Set(Object.values(reasons))).toEqual(new Set(['did-not-fit']));
      const next = await compose(store, CUTOFF + DAY, { blocks: MAX_BLOCKS });
      expect(edition.didNotFit).toEqual(expect.arrayContaining(next.articles.map(({ articleId }) => articleId)));
    });

    it('keeps all stories if shorter excerpts are enough', async () => {
      const store = await open();
      const few = [
        own('lead', 1, { kicker: 'Cover Story' }),
        ...Array.from({ length: 20 }, (_, n) => own(`analysis-${n}`, 3, { kind: 'analysis' })),
      ];
      await save(store, few);
      const edition = await compose(store, CUTOFF, { blocks: MAX_BLOCKS });
      expect(edition.articles).toHaveLength(few.length);
      expect(Buffer.byteLength(edition.html)).toBeLessThan(MAX_HTML_BYTES);
      expect(edition.size).toMatchObject({ shortExcerpts: true, leftOut: 0 });
      expect(edition.view.analysis.map(({ articleId }) => articleId)).toEqual(idsByBlock(edition).analysis);
    });

    it('leaves the newest corrections to the next edition', async () => {
      const store = await open();
      const stories = Array.from({ length: 20 }, (_, n) =>
        article(`story-${n}`, { publishedAt: CUTOFF - 2 * HOUR - n }),
      );
      await save(store, stories);
      await closeEdition(store, await compose(store, CUTOFF, { blocks: MAX_BLOCKS }));
      const note = '更正'.repeat(1_000);
      for (const [n, one] of stories.entries()) {
        const at = CUTOFF + HOUR + n * MINUTE;
        await save(store, [{ ...one, updatedAt: at, status: { state: 'corrected', note, at } }], at);
      }
      const day = (n: number) =>
        [1, 2, 3].map((s) => article(`day-${n}-${s}`, { publishedAt: CUTOFF + n * DAY - s * HOUR }));
      await save(store, [...day(1), ...day(2)]);
      const second = await compose(store, CUTOFF + DAY);
      const listed = second.corrections.map(({ articleId }) => articleId);
      expect(listed.length).toBeGreaterThan(5);
      expect(listed).toEqual(Array.from(listed, (_, n) => `story-${listed.length - 1 - n}`));
      await closeEdition(store, second);
      const third = await compose(store, CUTOFF + 2 * DAY);
      expect(third.corrections.map(({ articleId }) => articleId)).toEqual(
        Array.from({ length: 20 - listed.length }, (_, n) => `story-${19 - n}`),
      );
    });

    it('rejects a single story that is too large, with its size', async () => {
      const store = await open();
      const huge = own('huge', 1, { pinned: true, related: [], bylines: Array.from({ length: 30 }, () => byline) });
      await save(store, [huge, ...[1, 2, 3].map((n) => own(`story-${n}`, n + 1))]);
      const edition = await compose(store);
      expect(idsByBlock(edition).lead).toEqual(['story-1']);
      expect(edition.rejected).toMatchObject([
        { articleId: 'huge', problems: [expect.stringMatching(/its fields take \d+ bytes; the maximum is 24000/)] },
      ]);
    });
  });

  const byline = { role: 'reporter', name: '&'.repeat(200), email: `${'a'.repeat(200)}@example.com` } as const;
});

describe('fitToSizeLimit', () => {
  const attemptFit = (bytes: (limits: ContentLimits) => number, removable: (limits: ContentLimits) => number) => {
    const attempts: ContentLimits[] = [];
    const fitted = fitToSizeLimit(async (limits) => {
      attempts.push(limits);
      return { bytes: bytes(limits), removable: removable(limits) };
    });
    return { fitted, attempts };
  };

  it('renders an edition once if it fits', async () => {
    const { fitted, attempts } = attemptFit(
      () => MAX_HTML_BYTES - 1,
      () => 9,
    );
    await fitted;
    expect(attempts).toEqual([{ excerpts: 'full', share: 1 }]);
  });

  it('needs few attempts for stories of any size', async () => {
    for (const storyBytes of [100, 1_000, 10_000, 50_000]) {
      const stories = ({ share }: ContentLimits) => Math.floor(150 * share);
      const { fitted, attempts } = attemptFit((limits) => 20_000 + storyBytes * stories(limits), stories);
      expect((await fitted).bytes).toBeLessThan(MAX_HTML_BYTES);
      expect(attempts.length).toBeLessThan(25);
    }
  });

  it('reports the template if the lead alone is too large', async () => {
    const { fitted } = attemptFit(
      () => 200_000,
      ({ share }) => Math.floor(5 * share),
    );
    await expect(fitted).rejects.toThrow('takes 200000 bytes with its lead alone');
  });
});
