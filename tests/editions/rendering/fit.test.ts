import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { fillHtml } from '../../../src/editions/rendering/fill.ts';
import { fitToSize, type Room } from '../../../src/editions/rendering/fit.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { article, blocks, CUTOFF, close, composed, item, NONCE, passedOver, save } from '../newsroom.ts';

const CLIPPED_AT = 102_400;
/** The largest that a configuration may name. */
const MOST = { news: 50, analysis: 20, roundup: 30, latest: 50 };

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

/** More than the largest edition holds, with every field well filled. */
const flood = [
  own('lead', 1, { kind: 'feature', kicker: 'Cover Story' }),
  ...Array.from({ length: 60 }, (_, n) => own(`news-${n}`, 2, { publishedAt: CUTOFF - 2 * HOUR - n * MINUTE })),
  ...Array.from({ length: 25 }, (_, n) => own(`analysis-${n}`, 3, { kind: 'analysis' })),
  ...Array.from({ length: 35 }, (_, n) => item(`item-${n}`, `Outlet ${n}`, { headline: sentence, bodyHtml: body })),
  ...Array.from({ length: 55 }, (_, n) => own(`older-${n}`, 30)),
];

describe('an edition that would be too large', () => {
  forEachDatabase((open) => {
    it('shortens its excerpts and holds fewer stories of each block; what finds no room is recorded and comes next', async () => {
      const store = await open();
      await save(store, flood);
      const edition = await composed(store, CUTOFF, { blocks: MOST });
      const link = `http://127.0.0.1:8080/unsubscribe/${'x'.repeat(130)}`;
      const bytes = Buffer.byteLength(fillHtml(edition.html, NONCE, { unsubscribe: link, preferences: link }));
      expect(bytes).toBeLessThan(CLIPPED_AT);
      expect(bytes).toBeGreaterThan(0.75 * CLIPPED_AT);

      const { lead, news = [], analysis = [], roundup = [], latest = [] } = blocks(edition);
      expect(lead).toEqual(['lead']);
      expect(news).toEqual(Array.from(news, (_, n) => `news-${n}`));
      for (const block of [news, analysis, roundup, latest]) expect(block.length).toBeGreaterThan(3);
      expect(edition.articles.length + edition.didNotFit.length).toBe(flood.length);

      const reasons = await passedOver(store, await close(store, edition));
      expect(Object.keys(reasons).sort()).toEqual(edition.didNotFit.toSorted());
      expect(new Set(Object.values(reasons))).toEqual(new Set(['did-not-fit']));
      const next = await composed(store, CUTOFF + DAY, { blocks: MOST });
      expect(edition.didNotFit).toEqual(expect.arrayContaining(next.articles.map(({ articleId }) => articleId)));
    });

    it('keeps every story where shorter excerpts are enough', async () => {
      const store = await open();
      const few = [
        own('lead', 1, { kicker: 'Cover Story' }),
        ...Array.from({ length: 17 }, (_, n) => own(`analysis-${n}`, 3, { kind: 'analysis', related: [] })),
      ];
      await save(store, few);
      const edition = await composed(store, CUTOFF, { blocks: MOST });
      expect(edition.articles).toHaveLength(few.length);
      expect(Buffer.byteLength(edition.html)).toBeLessThan(CLIPPED_AT);
    });

    it('holds back the newest corrections, and lists them in the next', async () => {
      const store = await open();
      const stories = Array.from({ length: 20 }, (_, n) =>
        article(`story-${n}`, { publishedAt: CUTOFF - 2 * HOUR - n }),
      );
      await save(store, stories);
      await close(store, await composed(store, CUTOFF, { blocks: MOST }));
      const note = '更正'.repeat(1_000);
      for (const [n, one] of stories.entries()) {
        const at = CUTOFF + HOUR + n * MINUTE;
        await save(store, [{ ...one, updatedAt: at, status: { state: 'corrected', note, at } }], at);
      }
      const day = (n: number) =>
        [1, 2, 3].map((s) => article(`day-${n}-${s}`, { publishedAt: CUTOFF + n * DAY - s * HOUR }));
      await save(store, [...day(1), ...day(2)]);
      const second = await composed(store, CUTOFF + DAY);
      const listed = second.corrections.map(({ articleId }) => articleId);
      expect(listed.length).toBeGreaterThan(5);
      expect(listed).toEqual(Array.from(listed, (_, n) => `story-${listed.length - 1 - n}`));
      await close(store, second);
      const third = await composed(store, CUTOFF + 2 * DAY);
      expect(third.corrections.map(({ articleId }) => articleId)).toEqual(
        Array.from({ length: 20 - listed.length }, (_, n) => `story-${19 - n}`),
      );
    });

    it('never for the sake of one story, which is rejected with its size', async () => {
      const store = await open();
      const huge = own('huge', 1, { pinned: true, related: [], bylines: Array.from({ length: 30 }, () => byline) });
      await save(store, [huge, ...[1, 2, 3].map((n) => own(`story-${n}`, n + 1))]);
      const edition = await composed(store);
      expect(blocks(edition).lead).toEqual(['story-1']);
      expect(edition.rejected).toMatchObject([
        { articleId: 'huge', problems: [expect.stringMatching(/its fields take \d+ bytes, and 24000 is the most/)] },
      ]);
    });
  });

  const byline = { role: 'reporter', name: '&'.repeat(200), email: `${'a'.repeat(200)}@example.com` } as const;
});

describe('fitting', () => {
  const sizes = (bytes: (room: Room) => number, left: (room: Room) => number) => {
    const rooms: Room[] = [];
    const made = fitToSize(async (room) => {
      rooms.push(room);
      return { bytes: bytes(room), left: left(room) };
    });
    return { made, rooms };
  };

  it('makes an edition once where it fits', async () => {
    const { made, rooms } = sizes(
      () => CLIPPED_AT - 1,
      () => 9,
    );
    await made;
    expect(rooms).toEqual([{ excerpts: 'whole', share: 1 }]);
  });

  it('comes to an end whatever a story weighs, in few steps', async () => {
    for (const weight of [100, 1_000, 10_000, 50_000]) {
      const stories = ({ share }: Room) => Math.floor(150 * share);
      const { made, rooms } = sizes((room) => 20_000 + weight * stories(room), stories);
      expect((await made).bytes).toBeLessThan(CLIPPED_AT);
      expect(rooms.length).toBeLessThan(25);
    }
  });

  it('blames the template where the lead alone is too large', async () => {
    const { made } = sizes(
      () => 200_000,
      ({ share }) => Math.floor(5 * share),
    );
    await expect(made).rejects.toThrow('takes 200000 bytes with its lead alone');
  });
});
