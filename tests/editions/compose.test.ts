import { describe, expect, it } from 'vitest';
import { findArticle, findPublicArticles } from '../../src/articles/queries.ts';
import { saveArticle } from '../../src/articles/save.ts';
import { listSetAside } from '../../src/articles/set-aside.ts';
import { findEdition, findEditionById, lastEdition, listEditions } from '../../src/editions/queries.ts';
import { recordEdition, StaleComposition } from '../../src/editions/record.ts';
import { editionSlot } from '../../src/editions/slot.ts';
import type { Store } from '../../src/store/store.ts';
import { DAY, HOUR, MINUTE } from '../../src/time.ts';
import { forEachDatabase } from '../databases.ts';
import {
  article,
  blocks,
  CUTOFF,
  close,
  compose,
  composed,
  item,
  NONCE,
  newsletter,
  passedOver,
  save,
} from './newsroom.ts';

/** Three stories a day, so that an edition has enough. */
const filler = (day: string, at: number) =>
  [1, 2, 3].map((n) => article(`${day}-${n}`, { publishedAt: at - n * HOUR }));

describe('an edition', () => {
  forEachDatabase((open) => {
    it('is composed of what the store holds, and writes nothing', async () => {
      const store = await open();
      await save(store, [
        ...filler('today', CUTOFF),
        article('cover', {
          kind: 'feature',
          kicker: 'Cover Story',
          shortHeadline: 'Short cover',
          publishedAt: CUTOFF - 30 * HOUR,
        }),
        article('analysis', { kind: 'analysis', publishedAt: CUTOFF - 26 * HOUR }),
        item('second', '36Kr', { eventKey: 'merger', publishedAt: CUTOFF - 2 * HOUR }),
        item('first', 'Yicai', { eventKey: 'merger', publishedAt: CUTOFF - 3 * HOUR }),
        article('older', { publishedAt: CUTOFF - 25 * HOUR }),
      ]);
      const edition = await composed(store);
      expect(blocks(edition)).toEqual({
        lead: ['cover'],
        news: ['today-1', 'today-2', 'today-3'],
        analysis: ['analysis'],
        roundup: ['first'],
        also: ['second'],
        latest: ['older'],
      });
      expect(edition).toMatchObject({
        number: 1,
        slot: '2026-11-24',
        headline: 'Tech Roundup: Short cover, Headline of today-1',
        subject: 'Tech Roundup: Short cover, Headline of today-1',
        preheader: 'The dek of cover.',
        didNotFit: [],
        setAside: [],
      });
      expect(edition.html).toContain(`%%${NONCE}:unsubscribe%%`);
      expect(edition.archiveHtml).not.toContain(NONCE);
      expect(edition.archiveHtml).toContain('http://127.0.0.1:8080/editions/daily-roundup/2026-11-24');
      expect(edition.text).toContain('36Kr');
      expect(await listEditions(store.db, null, 10)).toEqual([]);
      expect(await findArticle(store.db, 'daily-roundup-2026-11-24')).toBeNull();
    });

    it('is the same from the same store', async () => {
      const store = await open();
      await save(store, filler('today', CUTOFF));
      expect(await compose(store)).toEqual(await compose(store));
    });

    it('once closed is found by slot and by id, and its slot is not composed again', async () => {
      const store = await open();
      await save(store, filler('today', CUTOFF));
      const edition = await composed(store);
      const id = await close(store, edition, CUTOFF + MINUTE);
      const closed = await findEdition(store.db, newsletter.id, '2026-11-24');
      expect(closed).toMatchObject({
        id,
        number: 1,
        slotAt: CUTOFF,
        cutoffAt: CUTOFF,
        closedAt: CUTOFF + MINUTE,
        html: edition.html,
        text: edition.text,
        archiveHtml: edition.archiveHtml,
        nonce: NONCE,
        subject: edition.subject,
      });
      expect(await findEditionById(store.db, id)).toEqual(closed);
      expect(await compose(store)).toEqual({ is: 'closed', edition: closed });
      expect(await findEdition(store.db, 'other', '2026-11-24')).toBeNull();
      const heads = await listEditions(store.db, null, 10);
      expect(heads).toEqual([await lastEdition(store.db, newsletter.id)]);
      expect(heads[0]).not.toHaveProperty('html');
      expect(await listEditions(store.db, 'other', 10)).toEqual([]);
    });

    it('stands in feeds as a roundup article, published when it closed', async () => {
      const store = await open();
      await save(store, [
        ...filler('today', CUTOFF),
        article('lead', {
          pinned: true,
          headline: 'A <b> & "c"',
          image: {
            url: 'https://example.com/i.jpg',
            alt: 'x',
            credit: 'VCG',
            type: 'image/jpeg',
            length: 9,
            width: 1,
            height: 1,
          },
        }),
        item('first', 'Yi & cai', { publishedAt: CUTOFF - 3 * HOUR, bodyHtml: '<p>One <em>sentence</em>.</p>' }),
      ]);
      await close(store, await composed(store), CUTOFF + MINUTE);
      const [roundup] = await findPublicArticles(store.db, { now: CUTOFF + MINUTE, limit: 1 });
      expect(roundup).toMatchObject({
        id: 'daily-roundup-2026-11-24',
        kind: 'roundup',
        kicker: 'Tech Roundup',
        headline: 'A <b> & "c", Headline of today-1',
        dek: 'The dek of lead.',
        publishedAt: CUTOFF + MINUTE,
        updatedAt: CUTOFF + MINUTE,
        page: '/editions/daily-roundup/2026-11-24',
        section: null,
        bylines: [],
        image: { url: 'https://example.com/i.jpg' },
      });
      const bodyHtml = roundup?.bodyHtml ?? '';
      expect(bodyHtml).toContain('<a href="http://127.0.0.1:8080/articles/lead">A &lt;b&gt; &amp; &quot;c&quot;</a>');
      expect(bodyHtml).toContain(
        'One <em>sentence</em>. (<a href="https://example.com/Yi%20%26%20cai">Yi &amp; cai</a>)',
      );
      // Never itself a story of an edition.
      const next = await compose(store, CUTOFF + DAY, { minimumStories: 1 });
      expect(next.is).toBe('skipped');
    });

    it('takes another id for its roundup article where an article uses that one', async () => {
      const store = await open();
      await save(store, [...filler('today', CUTOFF), article('daily-roundup-2026-11-24')]);
      const edition = await composed(store);
      expect(edition.roundupArticle).toMatchObject({
        id: 'daily-roundup-2026-11-24-2',
        slug: 'daily-roundup-2026-11-24-2',
      });
    });

    it('with fewer stories than the minimum is skipped, and the reason names the numbers', async () => {
      const store = await open();
      expect(await compose(store)).toMatchObject({
        is: 'skipped',
        reason: expect.stringContaining('no story is ready'),
      });
      await save(store, filler('today', CUTOFF).slice(0, 2));
      expect(await compose(store)).toEqual({
        is: 'skipped',
        reason: 'only 2 stories are ready since 2026-11-21T23:30:00Z, and daily-roundup needs at least 3',
      });
    });

    it('counts an event that several outlets reported as one story', async () => {
      const store = await open();
      await save(
        store,
        ['a', 'b', 'c'].map((id) => item(id, id, { eventKey: 'e' })),
      );
      expect(await compose(store)).toMatchObject({ is: 'skipped', reason: expect.stringContaining('only 1 story is') });
      expect((await compose(store, CUTOFF, { minimumStories: 1 })).is).toBe('composed');
    });
  });
});

describe('what an edition takes', () => {
  forEachDatabase((open) => {
    it('is at least the age limit to the millisecond, and before the cut-off', async () => {
      const store = await open();
      await save(store, [
        ...filler('today', CUTOFF),
        article('oldest', { publishedAt: CUTOFF - 2 * DAY }),
        article('too-old', { publishedAt: CUTOFF - 2 * DAY - 1 }),
        article('newest', { publishedAt: CUTOFF - 1 }),
        article('at-cutoff', { publishedAt: CUTOFF }),
      ]);
      const edition = await composed(store, CUTOFF, { now: CUTOFF + HOUR });
      expect(edition.articles.map((one) => one.articleId).sort()).toEqual([
        'newest',
        'oldest',
        'today-1',
        'today-2',
        'today-3',
      ]);
    });

    it('is never a draft, a retracted or an embargoed article, not even a pinned one', async () => {
      const store = await open();
      await save(store, [
        ...filler('today', CUTOFF),
        article('draft', { pinned: true, status: { state: 'draft' } }),
        article('retracted', { pinned: true, status: { state: 'retracted', note: 'Wrong.', at: CUTOFF - HOUR } }),
        article('embargoed', {
          pinned: true,
          publishedAt: CUTOFF + HOUR,
          status: { state: 'scheduled', until: CUTOFF + HOUR },
        }),
        article('freed', { publishedAt: CUTOFF - HOUR, status: { state: 'scheduled', until: CUTOFF - HOUR } }),
      ]);
      // A cut-off ahead of the clock must not let the embargoed one in.
      const edition = await composed(store, CUTOFF + DAY, { now: CUTOFF });
      expect(edition.articles.map((one) => one.articleId)).toEqual(
        expect.arrayContaining(['freed', 'today-1', 'today-2', 'today-3']),
      );
      expect(edition.articles).toHaveLength(4);
      expect(edition.cutoffAt).toBe(CUTOFF);
    });

    it('includes a pinned story whatever its age, once', async () => {
      const store = await open();
      await save(store, [
        ...filler('today', CUTOFF),
        article('pinned', { pinned: true, publishedAt: CUTOFF - 400 * DAY }),
      ]);
      const edition = await composed(store);
      expect(blocks(edition).lead).toEqual(['pinned']);
      await close(store, edition);
      await save(store, filler('next', CUTOFF + DAY));
      expect((await composed(store, CUTOFF + DAY)).articles.map((one) => one.articleId)).not.toContain('pinned');
    });

    it('on a Monday includes the news of Friday, after the edition of Friday', async () => {
      const store = await open();
      const monday = CUTOFF + 3 * DAY;
      await save(store, filler('before-friday', CUTOFF));
      await close(store, await composed(store));
      await save(store, [article('friday', { publishedAt: CUTOFF + HOUR }), ...filler('weekend', monday)]);
      const edition = await composed(store, monday);
      expect(blocks(edition).latest).toEqual(['friday']);
      expect(edition.articles).toHaveLength(4);
    });

    it('includes what came in late for the last edition, and was published a moment before its cut-off', async () => {
      const store = await open();
      const monday = CUTOFF + 3 * DAY;
      await save(store, filler('before-friday', CUTOFF));
      await close(store, await composed(store));
      await save(
        store,
        [
          article('late', { publishedAt: CUTOFF - MINUTE }),
          article('too-late', { publishedAt: CUTOFF - DAY - 1 }),
          ...filler('weekend', monday),
        ],
        CUTOFF + HOUR,
      );
      const edition = await composed(store, monday);
      expect(edition.articles.map((one) => one.articleId)).toContain('late');
      expect(edition.articles.map((one) => one.articleId)).not.toContain('too-late');
      expect(await passedOver(store, await close(store, edition))).toEqual({ 'too-late': 'aged-out' });
    });

    it('is what did not fit into the last one, until it ages out, each time with its reason', async () => {
      const store = await open();
      const few = { blocks: { news: 2, analysis: 0, roundup: 0, latest: 0 } };
      await save(store, [...filler('day1', CUTOFF), article('left', { publishedAt: CUTOFF - 9 * HOUR })]);
      const first = await close(store, await composed(store, CUTOFF, few));
      expect(await passedOver(store, first)).toEqual({ left: 'did-not-fit' });
      await save(store, filler('day2', CUTOFF + DAY));
      const second = await close(store, await composed(store, CUTOFF + DAY, few));
      expect(await passedOver(store, second)).toEqual({ left: 'did-not-fit' });
      await save(store, filler('day3', CUTOFF + 2 * DAY));
      const third = await close(store, await composed(store, CUTOFF + 2 * DAY, few));
      expect(await passedOver(store, third)).toEqual({ left: 'aged-out' });
      await save(store, filler('day4', CUTOFF + 3 * DAY));
      expect(await passedOver(store, await close(store, await composed(store, CUTOFF + 3 * DAY, few)))).toEqual({});
    });

    it('never stands in two editions, and nothing within the window is lost', async () => {
      const store = await open();
      const hourly = Array.from({ length: 96 }, (_, n) => article(`h${n}`, { publishedAt: CUTOFF + n * HOUR }));
      await save(store, hourly);
      const wide = { blocks: { news: 50, analysis: 0, roundup: 0, latest: 50 } };
      const taken: string[] = [];
      for (const hours of [25, 26, 49, 96]) {
        const cutoffAt = CUTOFF + hours * HOUR;
        const slot = editionSlot(cutoffAt, 'Asia/Shanghai', true);
        const outcome = await composed(store, cutoffAt, { ...wide, minimumStories: 1, slot });
        taken.push(...outcome.articles.map((one) => one.articleId));
        await close(store, outcome);
      }
      expect(taken.toSorted()).toEqual(hourly.map((one) => one.id).toSorted());
    }, 30_000);

    it('of two newsletters does not depend on the other', async () => {
      const store = await open();
      await save(store, filler('today', CUTOFF));
      await close(store, await composed(store));
      const other = await composed(store, CUTOFF, { id: 'evening' });
      expect(other).toMatchObject({ number: 1, slot: '2026-11-24', roundupArticle: { id: 'evening-2026-11-24' } });
      await close(store, other);
      expect((await listEditions(store.db, null, 10)).map((one) => one.newsletter).sort()).toEqual([
        'daily-roundup',
        'evening',
      ]);
    });
  });
});

describe('a bad article', () => {
  forEachDatabase((open) => {
    it('is set aside, its place goes to the next, and the edition goes out', async () => {
      const store = await open();
      const few = { blocks: { news: 2, analysis: 1, roundup: 1, latest: 0 }, minimumStories: 1 };
      await save(store, [
        ...filler('today', CUTOFF),
        article('lead', { pinned: true, language: 'no tag at all' }),
        article('a', { kind: 'analysis', publishedAt: CUTOFF - HOUR }),
        article('b', { kind: 'analysis', publishedAt: CUTOFF - 2 * HOUR }),
        item('i', 'Yicai', { eventKey: 'e', publishedAt: CUTOFF - 2 * HOUR }),
        item('j', '36Kr', { eventKey: 'e', publishedAt: CUTOFF - HOUR }),
      ]);
      await store.db.updateTable('articles').set({ document: '{"half' }).where('id', 'in', ['a', 'i']).execute();
      const edition = await composed(store, CUTOFF, few);
      expect(blocks(edition)).toEqual({
        lead: ['today-1'],
        news: ['today-2', 'today-3'],
        analysis: ['b'],
        roundup: ['j'],
      });
      expect(edition.setAside.map((one) => one.articleId).sort()).toEqual(['a', 'i', 'lead']);
      await close(store, edition);
      const listed = await listSetAside(store.db, 10);
      expect(listed).toHaveLength(3);
      expect(listed.find((one) => one.articleId === 'a')).toMatchObject({
        stage: 'edition',
        source: 'daily-roundup',
        raw: '{"half',
        problems: [expect.stringMatching(/cannot be shown in an edition: .*JSON/)],
      });
    });

    it('without a headline, or with a gap where a template needs a value, does not take the edition down', async () => {
      const store = await open();
      await save(store, [
        ...filler('today', CUTOFF),
        article('empty', { headline: ' ' }),
        article('gap', { topic: undefined as unknown as string }),
        article('null', { related: [null as never], kicker: 'Cover Story' }),
      ]);
      const edition = await composed(store);
      expect(edition.articles).toHaveLength(3);
      expect(edition.setAside.map((one) => [one.articleId, one.problems[0]]).sort()).toEqual([
        ['empty', 'it cannot be shown in an edition: its headline is empty'],
        ['gap', 'it cannot be shown in an edition: its topic is missing'],
        ['null', expect.stringContaining('cannot be shown')],
      ]);
    });

    it('that was mended is no longer set aside once an edition shows it', async () => {
      const store = await open();
      await save(store, [...filler('day1', CUTOFF), article('bad', { headline: '' })]);
      await close(store, await composed(store));
      expect(await listSetAside(store.db, 10)).toHaveLength(1);
      await save(store, [...filler('day2', CUTOFF + DAY), article('bad')]);
      const edition = await composed(store, CUTOFF + DAY);
      expect(edition.articles.map((one) => one.articleId)).toContain('bad');
      await close(store, edition);
      expect(await listSetAside(store.db, 10)).toEqual([]);
    });

    it('is named in the reason where too few are left', async () => {
      const store = await open();
      await save(store, [...filler('today', CUTOFF).slice(0, 2), article('bad', { headline: '' })]);
      expect(await compose(store)).toMatchObject({
        is: 'skipped',
        reason: expect.stringMatching(/only 2 stories.*; set aside: bad \(.*its headline is empty\)/),
      });
    });
  });
});

describe('closing what was composed', () => {
  forEachDatabase((open, dialect) => {
    const changed = async (change: (store: Store) => Promise<unknown>): Promise<[Promise<number>, Store]> => {
      const store = await open();
      await save(store, [...filler('day1', CUTOFF)]);
      await close(store, await composed(store));
      await save(store, [
        ...filler('day2', CUTOFF + DAY),
        article('day1-1', {
          publishedAt: CUTOFF - HOUR,
          status: { state: 'corrected', note: 'A figure was wrong.', at: CUTOFF + HOUR },
        }),
      ]);
      const edition = await composed(store, CUTOFF + DAY);
      await change(store);
      return [close(store, edition), store];
    };

    it.each<[string, (store: Store) => Promise<unknown>]>([
      ['an article of it was edited', (store) => save(store, [article('day2-1', { headline: 'Another' })])],
      [
        'an article of it was retracted',
        (store) => save(store, [article('day2-2', { status: { state: 'retracted', note: 'No.', at: CUTOFF } })]),
      ],
      [
        'a correction that it lists was edited',
        (store) => save(store, [article('day1-1', { status: { state: 'corrected', note: 'Other.', at: CUTOFF } })]),
      ],
      [
        'another edition was closed',
        async (store) => close(store, await composed(store, CUTOFF + DAY, { slot: { label: 'x', slotAt: 1 } })),
      ],
      ['an article took the id of its roundup article', (store) => save(store, [article('daily-roundup-2026-11-25')])],
    ])('is refused where %s, and leaves no trace', async (_, change) => {
      const [closing, store] = await changed(change);
      await expect(closing).rejects.toThrow(StaleComposition);
      expect(await findEdition(store.db, newsletter.id, '2026-11-25')).toBeNull();
    });

    it('goes well where another article came in since: it waits for the next', async () => {
      const [closing, store] = await changed((s) => save(s, [article('new', { publishedAt: CUTOFF + DAY - 1 })]));
      await closing;
      await save(store, filler('day3', CUTOFF + 2 * DAY));
      expect((await composed(store, CUTOFF + 2 * DAY)).articles.map((one) => one.articleId)).toContain('new');
    });

    it('twice at once makes one edition', async () => {
      const store = await open();
      await save(store, filler('today', CUTOFF));
      const edition = await composed(store);
      const outcomes = await Promise.allSettled([close(store, edition), close(store, edition)]);
      expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
      const rejected = outcomes.find((one) => one.status === 'rejected') as PromiseRejectedResult;
      expect(rejected.reason).toBeInstanceOf(StaleComposition);
      expect(await listEditions(store.db, null, 10)).toHaveLength(1);
    });

    it.runIf(dialect === 'postgres')('keeps an article from being retracted before it has committed', async () => {
      const store = await open();
      await save(store, filler('today', CUTOFF));
      const edition = await composed(store);
      const order: string[] = [];
      let retracting: Promise<unknown> | undefined;
      await store.db.transaction().execute(async (trx) => {
        await recordEdition(trx, edition, CUTOFF);
        const retracted = article('today-1', { status: { state: 'retracted', note: 'No.', at: CUTOFF } });
        retracting = store.db
          .transaction()
          .execute((other) => saveArticle(other, retracted, 'other', CUTOFF))
          .then(() => order.push('retracted'));
        // Long enough for the other connection to have finished, were it not waiting for us: a dozen round trips.
        for (let n = 0; n < 12; n++) await trx.selectFrom('meta').selectAll().execute();
        order.push('closed');
      });
      await retracting;
      expect(order).toEqual(['closed', 'retracted']);
    });
  });
});
