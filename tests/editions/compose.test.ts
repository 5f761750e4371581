import { describe, expect, it } from 'vitest';
import { findArticle, findPublicArticles } from '../../src/articles/queries.ts';
import { listRejections } from '../../src/articles/rejections.ts';
import { findEdition, findEditionById, lastEdition, listEditions } from '../../src/editions/queries.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import {
  article,
  blocks,
  CUTOFF,
  close,
  compose,
  composed,
  filler,
  item,
  NONCE,
  newsletter,
  save,
} from './fixtures.ts';

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
        rejected: [],
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
      expect(await compose(store)).toEqual({ kind: 'closed', edition: closed });
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
      expect(next.kind).toBe('skipped');
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
        kind: 'skipped',
        reason: expect.stringContaining('no story is ready'),
      });
      await save(store, filler('today', CUTOFF).slice(0, 2));
      expect(await compose(store)).toEqual({
        kind: 'skipped',
        reason: 'only 2 stories are ready since 2026-11-21T23:30:00Z, and daily-roundup needs at least 3',
      });
    });

    it('counts an event that several outlets reported as one story', async () => {
      const store = await open();
      await save(
        store,
        ['a', 'b', 'c'].map((id) => item(id, id, { eventKey: 'e' })),
      );
      expect(await compose(store)).toMatchObject({
        kind: 'skipped',
        reason: expect.stringContaining('only 1 story is'),
      });
      expect((await compose(store, CUTOFF, { minimumStories: 1 })).kind).toBe('composed');
    });
  });
});

describe('a bad article', () => {
  forEachDatabase((open) => {
    it('is rejected, its place goes to the next, and the edition goes out', async () => {
      const store = await open();
      const few = { blocks: { news: 2, analysis: 1, roundup: 1, latest: 0 }, minimumStories: 1 };
      await save(store, [
        ...filler('today', CUTOFF),
        article('lead', { pinned: true, publishedAt: -9e15 }),
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
      expect(edition.rejected.map((one) => one.articleId).sort()).toEqual(['a', 'i', 'lead']);
      await close(store, edition);
      const listed = await listRejections(store.db, 10);
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
      expect(edition.rejected.map((one) => [one.articleId, one.problems[0]]).sort()).toEqual([
        ['empty', 'it cannot be shown in an edition: its headline is empty'],
        ['gap', 'it cannot be shown in an edition: its topic is missing'],
        ['null', expect.stringContaining('cannot be shown')],
      ]);
    });

    it('that was mended is no longer rejected once an edition shows it', async () => {
      const store = await open();
      await save(store, [...filler('day1', CUTOFF), article('bad', { headline: '' })]);
      await close(store, await composed(store));
      expect(await listRejections(store.db, 10)).toHaveLength(1);
      await save(store, [...filler('day2', CUTOFF + DAY), article('bad')]);
      const edition = await composed(store, CUTOFF + DAY);
      expect(edition.articles.map((one) => one.articleId)).toContain('bad');
      await close(store, edition);
      expect(await listRejections(store.db, 10)).toEqual([]);
    });

    it('is named in the reason where too few are left', async () => {
      const store = await open();
      await save(store, [...filler('today', CUTOFF).slice(0, 2), article('bad', { headline: '' })]);
      expect(await compose(store)).toMatchObject({
        kind: 'skipped',
        reason: expect.stringMatching(/only 2 stories.*; rejected: bad \(.*its headline is empty\)/),
      });
    });
  });
});
