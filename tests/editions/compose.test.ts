import { describe, expect, it } from 'vitest';
import { findArticle, findPublicArticles } from '../../src/articles/queries.ts';
import { listRejections } from '../../src/articles/rejections.ts';
import { findEdition, findEditionById, lastEdition, listEditions } from '../../src/editions/queries.ts';
import { explainLeftOut, findLeftOut } from '../../src/editions/selection/left-out.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { picture, UNREADABLE } from '../support/articles.ts';
import { forEachDatabase } from '../support/databases.ts';
import {
  article,
  CUTOFF,
  closeEdition,
  compose,
  idsByBlock,
  NONCE,
  newsletter,
  omissions,
  roundupItem,
  save,
  threeStories,
  tryCompose,
} from './fixtures.ts';

describe('composeEdition', () => {
  forEachDatabase((open) => {
    it('composes an edition from the store without writing to it', async () => {
      const store = await open();
      await save(store, [
        ...threeStories('today', CUTOFF),
        article('cover', {
          kind: 'feature',
          kicker: 'Cover Story',
          shortHeadline: 'Short cover',
          publishedAt: CUTOFF - 30 * HOUR,
        }),
        article('analysis', { kind: 'analysis', publishedAt: CUTOFF - 26 * HOUR }),
        roundupItem('second', '36Kr', { eventKey: 'merger', publishedAt: CUTOFF - 2 * HOUR }),
        roundupItem('first', 'Yicai', { eventKey: 'merger', publishedAt: CUTOFF - 3 * HOUR }),
        article('older', { publishedAt: CUTOFF - 25 * HOUR }),
      ]);
      const edition = await compose(store);
      expect(idsByBlock(edition)).toEqual({
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
        preheader: 'Dek of cover.',
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

    it('takes the stories of the window of its newsletter, and shows what that newsletter asks for', async () => {
      const store = await open();
      const image = picture('https://example.com/a.jpg', { width: 200, height: 100 });
      await save(store, [
        ...threeStories('today', CUTOFF),
        article('days-ago', { publishedAt: CUTOFF - 167 * HOUR, image }),
        article('too-old', { publishedAt: CUTOFF - 169 * HOUR }),
      ]);
      const edition = await compose(store, CUTOFF, {
        newsHours: 168,
        postalAddress: '2 Own Road',
        imprint: 'https://example.com/own-imprint',
        show: { contents: true, readingTime: true, thumbnails: true },
        sponsor: { label: 'Sponsored', text: 'A paid text.', url: 'https://example.com/sponsor' },
      });
      expect(edition.articles.map(({ articleId }) => articleId)).not.toContain('too-old');
      expect(edition.view.news.find(({ articleId }) => articleId === 'days-ago')).toMatchObject({
        thumbnail: { url: 'https://example.com/a.jpg', width: 96, height: 48 },
      });
      expect(edition.view).toMatchObject({ newsTitle: 'This Week', hasContents: true, readingMinutes: 1 });
      for (const part of [edition.html, edition.text, edition.archiveHtml]) {
        expect(part).toContain('2 Own Road');
        expect(part).toContain('https://example.com/own-imprint');
        expect(part).not.toContain('1 Sample Road');
        expect(part).toContain('A paid text.');
      }
      expect(edition.roundupArticle.bodyHtml).toContain('<h2>This Week</h2>');
    });

    it('is in the language of its newsletter, and takes the stories of the languages that it selects', async () => {
      const store = await open();
      const chinese = threeStories('zh', CUTOFF).map((story) => ({ ...story, language: 'zh-Hans' }));
      const pinned = article('pinned', { pinned: true, publishedAt: CUTOFF - 30 * DAY });
      await save(store, [
        ...chinese,
        ...threeStories('en', CUTOFF),
        pinned,
        article('old', { publishedAt: CUTOFF - 9 * DAY }),
      ]);
      const weekly = { id: 'zh', language: 'zh-Hans', select: { languages: ['zh'] }, title: '每日综述' };
      const edition = await compose(store, CUTOFF, weekly);
      expect(edition.articles.map(({ articleId }) => articleId).sort()).toEqual(['zh-1', 'zh-2', 'zh-3']);
      expect(edition.html).toMatch(/^<!doctype html>\s*<html[^>]* lang="zh-Hans"/);
      expect(edition.archiveHtml).toMatch(/^<!doctype html>\s*<html[^>]* lang="zh-Hans"/);
      // The sentence about the publication is in the publication's language.
      expect(edition.html).toMatch(/<span lang="en" dir="ltr">[^<]+<\/span><\/p>/);
      expect(edition.roundupArticle.language).toBe('zh-Hans');
      const contents = { ...edition, shown: edition.articles.map(({ articleId }) => articleId) };
      const selecting = { ...newsletter, ...weekly };
      expect(await findLeftOut(store.db, selecting, contents)).toEqual([]);
      const [explained] = await explainLeftOut(store.db, selecting, contents, ['en-1']);
      expect(explained?.reason).toEqual({ kind: 'not-selected' });
      // What it would never have taken has not aged out of it.
      expect(await omissions(store, await closeEdition(store, edition))).toEqual({});
    });

    it('has the same result for the same store', async () => {
      const store = await open();
      await save(store, threeStories('today', CUTOFF));
      expect(await tryCompose(store)).toEqual(await tryCompose(store));
    });

    it('returns the closed edition of a slot instead of composing it again', async () => {
      const store = await open();
      await save(store, threeStories('today', CUTOFF));
      const edition = await compose(store);
      const id = await closeEdition(store, edition, CUTOFF + MINUTE);
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
      expect(await tryCompose(store)).toEqual({ kind: 'closed', edition: closed });
      expect(await findEdition(store.db, 'other', '2026-11-24')).toBeNull();
      const heads = await listEditions(store.db, null, 10);
      expect(heads).toEqual([await lastEdition(store.db, newsletter.id)]);
      expect(heads[0]).not.toHaveProperty('html');
      expect(await listEditions(store.db, 'other', 10)).toEqual([]);
    });

    it('represents the edition by a roundup article that is published when it closes', async () => {
      const store = await open();
      await save(store, [
        ...threeStories('today', CUTOFF),
        article('lead', {
          pinned: true,
          headline: 'A <b> & "c"',
          image: picture('https://example.com/i.jpg'),
        }),
        roundupItem('first', 'Yi & cai', { publishedAt: CUTOFF - 3 * HOUR, bodyHtml: '<p>One <em>sentence</em>.</p>' }),
      ]);
      await closeEdition(store, await compose(store), CUTOFF + MINUTE);
      const [roundup] = await findPublicArticles(store.db, { now: CUTOFF + MINUTE, limit: 1 });
      expect(roundup).toMatchObject({
        id: 'daily-roundup-2026-11-24',
        kind: 'roundup',
        kicker: 'Tech Roundup',
        headline: 'A <b> & "c", Headline of today-1',
        dek: 'Dek of lead.',
        publishedAt: CUTOFF + MINUTE,
        updatedAt: CUTOFF + MINUTE,
        page: '/editions/daily-roundup/2026-11-24',
        section: null,
        bylines: [],
        image: { url: 'https://example.com/i.jpg' },
      });
      const bodyHtml = roundup?.bodyHtml ?? '';
      expect(bodyHtml).toContain('<a href="http://127.0.0.1:8080/articles/lead">A &lt;b&gt; &amp; &quot;c&quot;</a>');
      // The headline of an item leads to its outlet.
      expect(bodyHtml).toContain('<a href="https://example.com/Yi%20%26%20cai">Headline of first</a><br>One');
      expect(bodyHtml).toContain(
        'One <em>sentence</em>. (<a href="https://example.com/Yi%20%26%20cai">Yi &amp; cai</a>)',
      );
      // A roundup article is never a story of an edition.
      const next = await tryCompose(store, CUTOFF + DAY, { minimumStories: 1 });
      expect(next.kind).toBe('skipped');
    });

    it('uses another id for the roundup article if an article has its id', async () => {
      const store = await open();
      await save(store, [...threeStories('today', CUTOFF), article('daily-roundup-2026-11-24')]);
      const edition = await compose(store);
      expect(edition.roundupArticle).toMatchObject({
        id: 'daily-roundup-2026-11-24-2',
        slug: 'daily-roundup-2026-11-24-2',
      });
    });

    it('skips an edition with fewer stories than the minimum, and gives the numbers', async () => {
      const store = await open();
      expect(await tryCompose(store)).toMatchObject({
        kind: 'skipped',
        reason: expect.stringContaining('no story is ready'),
      });
      await save(store, threeStories('today', CUTOFF).slice(0, 2));
      expect(await tryCompose(store)).toMatchObject({
        kind: 'skipped',
        reason: 'only 2 stories are ready since 2026-11-21T23:30:00Z, and daily-roundup needs at least 3',
      });
    });
  });
});

describe('items of the roundup', () => {
  const also = ['B', 'C'].map((name) => ({ name, url: `https://example.com/${name}` }));

  forEachDatabase((open) => {
    it('let in by a rule are in editions of a newsletter whose own rule they satisfy, and in no others', async () => {
      const store = await open();
      await save(store, [
        roundupItem('picked', 'A', { publishedAt: CUTOFF - HOUR }),
        roundupItem('of-three', 'A', { publishedAt: CUTOFF - HOUR, also, isByRule: true }),
        roundupItem('of-two', 'A', { publishedAt: CUTOFF - HOUR, also: also.slice(1), isByRule: true }),
      ]);
      const shown = async (change: Parameters<typeof compose>[2]): Promise<string[] | undefined> =>
        idsByBlock(await compose(store, CUTOFF, change)).roundup;
      expect(await shown({ minimumStories: 1 })).toEqual(['picked']);
      const rule = (outlets: number) => ({ minimumStories: 1, autoPick: outlets });
      expect(await shown(rule(3))).toEqual(['of-three', 'picked']);
      expect(await shown(rule(2))).toEqual(['of-three', 'of-two', 'picked']);
    });

    it('are in any edition once an editor took them over', async () => {
      const store = await open();
      const item = roundupItem('item', 'A', { publishedAt: CUTOFF - HOUR, also });
      await save(store, [{ ...item, isByRule: true }]);
      expect((await tryCompose(store, CUTOFF, { minimumStories: 1 })).kind).toBe('skipped');
      await save(store, [item]);
      expect(idsByBlock(await compose(store, CUTOFF, { minimumStories: 1 }))).toEqual({ roundup: ['item'] });
    });

    it('credit each outlet of an event once: those of its first item, and those of its others', async () => {
      const store = await open();
      const outlet = (name: string) => ({ name, url: `https://example.com/${name}` });
      await save(store, [
        roundupItem('first', 'A', { eventKey: 'e', publishedAt: CUTOFF - 3 * HOUR, also: ['B', 'a'].map(outlet) }),
        roundupItem('second', 'b', { eventKey: 'e', publishedAt: CUTOFF - 2 * HOUR, also: ['C', 'D'].map(outlet) }),
        roundupItem('third', 'D', { eventKey: 'e', publishedAt: CUTOFF - HOUR }),
      ]);
      const { view } = await compose(store, CUTOFF, { minimumStories: 1 });
      expect(view.roundup.map(({ articleId, also }) => [articleId, also])).toEqual([
        ['first', ['B', 'C', 'D'].map(outlet)],
      ]);
    });
  });
});

describe('an article that cannot be shown', () => {
  forEachDatabase((open) => {
    it('is rejected, and the next story takes its place', async () => {
      const store = await open();
      const few = { blocks: { news: 2, analysis: 1, roundup: 1, latest: 0 }, minimumStories: 1 };
      await save(store, [
        ...threeStories('today', CUTOFF),
        article('lead', { pinned: true, publishedAt: -9e15 }),
        article('a', { kind: 'analysis', publishedAt: CUTOFF - HOUR }),
        article('b', { kind: 'analysis', publishedAt: CUTOFF - 2 * HOUR }),
        roundupItem('i', 'Yicai', { eventKey: 'e', publishedAt: CUTOFF - 2 * HOUR }),
        roundupItem('j', '36Kr', { eventKey: 'e', publishedAt: CUTOFF - HOUR }),
      ]);
      await store.db.updateTable('articles').set(UNREADABLE).where('id', 'in', ['a', 'i']).execute();
      const edition = await compose(store, CUTOFF, few);
      expect(idsByBlock(edition)).toEqual({
        lead: ['today-1'],
        news: ['today-2', 'today-3'],
        analysis: ['b'],
        roundup: ['j'],
      });
      expect(edition.rejected.map((one) => one.articleId).sort()).toEqual(['a', 'i', 'lead']);
      await closeEdition(store, edition);
      const listed = await listRejections(store.db, { limit: 10 });
      expect(listed).toHaveLength(3);
      expect(listed.find((one) => one.articleId === 'a')).toMatchObject({
        stage: 'edition',
        source: 'daily-roundup',
        raw: '',
        problems: [expect.stringMatching(/cannot be shown in an edition: /)],
      });
    });

    it('does not make the edition fail if it lacks a headline or a value that a template needs', async () => {
      const store = await open();
      await save(store, [
        ...threeStories('today', CUTOFF),
        article('empty', { headline: ' ' }),
        article('gap', { topic: undefined as unknown as string }),
        article('null', { related: [null as never], kicker: 'Cover Story' }),
      ]);
      const edition = await compose(store);
      expect(edition.articles).toHaveLength(3);
      expect(edition.rejected.map((one) => [one.articleId, one.problems[0]]).sort()).toEqual([
        ['empty', 'it cannot be shown in an edition: its headline is empty'],
        ['gap', 'it cannot be shown in an edition: its topic is missing'],
        ['null', expect.stringContaining('cannot be shown')],
      ]);
    });

    it('is no longer listed as rejected once it is corrected and in an edition', async () => {
      const store = await open();
      await save(store, [...threeStories('day1', CUTOFF), article('bad', { headline: '' })]);
      await closeEdition(store, await compose(store));
      expect(await listRejections(store.db, { limit: 10 })).toHaveLength(1);
      await save(store, [...threeStories('day2', CUTOFF + DAY), article('bad')]);
      const edition = await compose(store, CUTOFF + DAY);
      expect(edition.articles.map((one) => one.articleId)).toContain('bad');
      await closeEdition(store, edition);
      expect(await listRejections(store.db, { limit: 10 })).toEqual([]);
    });

    it('is named in the reason if too few stories remain', async () => {
      const store = await open();
      await save(store, [...threeStories('today', CUTOFF).slice(0, 2), article('bad', { headline: '' })]);
      expect(await tryCompose(store)).toMatchObject({
        kind: 'skipped',
        reason: expect.stringMatching(/only 2 stories.*; rejected: bad \(.*its headline is empty\)/),
      });
    });
  });
});
