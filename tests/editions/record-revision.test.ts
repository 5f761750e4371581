import { describe, expect, it } from 'vitest';
import { findArticles } from '../../src/articles/queries.ts';
import type { Store } from '../../src/core/store/store.ts';
import type { ComposedEdition } from '../../src/editions/compose.ts';
import {
  type EditionSummary,
  findArticlesNotedSince,
  findEdition,
  findEditionById,
  listEditionArticles,
} from '../../src/editions/queries.ts';
import { StaleComposition } from '../../src/editions/record.ts';
import { recordRevision } from '../../src/editions/record-revision.ts';
import { findDueCorrections } from '../../src/editions/selection/candidates.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { forBothDatabases } from '../support/databases.ts';
import {
  article,
  CUTOFF,
  closeEdition,
  compose,
  newsletter,
  omissions,
  recompose,
  save,
  threeStories,
  tryCompose,
} from './fixtures.ts';

const LATER = CUTOFF + HOUR;
const corrected = { state: 'corrected', note: 'A figure was wrong.', at: CUTOFF + MINUTE } as const;

/** A closed edition of four stories. @returns its first revision, and as it was composed */
async function closed(store: Store) {
  await save(store, [...threeStories('today', CUTOFF), article('extra', { publishedAt: CUTOFF - HOUR })]);
  const composed = await compose(store);
  const id = await closeEdition(store, composed);
  return { composed, first: (await findEditionById(store.db, id))! };
}

/** Records the next revision, with some changes to what is composed. */
async function record(
  store: Store,
  previous: Pick<EditionSummary, 'id' | 'articleId' | 'slot'>,
  changes: Partial<ComposedEdition> = {},
  isForAll = false,
) {
  const composed = { ...(await recompose(store, previous.slot, LATER)), ...changes };
  return store.db.transaction().execute((tx) => recordRevision(tx, composed, previous, isForAll, LATER));
}

const idsOf = async (store: Store, editionId: number): Promise<string[]> =>
  (await listEditionArticles(store.db, editionId)).map(({ id }) => id).sort();

/** The stories of a composed edition in their present versions, except some. */
async function present(store: Store, composed: ComposedEdition, except: string[] = []) {
  const kept = composed.articles.filter(({ articleId }) => !except.includes(articleId));
  const rows = await store.db.selectFrom('articles').select(['id', 'digest', 'state']).execute();
  return kept.map((one) => {
    const row = rows.find(({ id }) => id === one.articleId)!;
    return { ...one, digest: row.digest, state: row.state };
  });
}

describe('recordRevision', () => {
  forBothDatabases((open) => {
    it('moves the stories of both to the new one, leaves the others with the old one, and adds new ones', async () => {
      const store = await open();
      const { composed, first } = await closed(store);
      await save(store, [article('late', { publishedAt: CUTOFF + MINUTE })]);
      const [late] = (await tryCompose(store, CUTOFF + DAY, { minimumStories: 1 }).then((one) =>
        one.kind === 'composed' ? one.articles : [],
      )) as [ComposedEdition['articles'][number]];
      const articles = [...(await present(store, composed, ['extra'])), { ...late, position: 9 }];
      const id = await record(store, first, { articles });
      expect(await idsOf(store, id)).toEqual(['late', 'today-1', 'today-2', 'today-3']);
      expect(await idsOf(store, first.id)).toEqual(['extra']);
      // All are spent: the next edition has none of them.
      await save(store, threeStories('next', CUTOFF + DAY));
      const next = await compose(store, CUTOFF + DAY);
      expect(next.articles.map(({ articleId }) => articleId).sort()).toEqual(['next-1', 'next-2', 'next-3']);
      expect(next.number).toBe(2);
      await closeEdition(store, next);
    });

    it('takes back a story that only an earlier revision had', async () => {
      const store = await open();
      const { composed, first } = await closed(store);
      const without = await present(store, composed, ['extra']);
      const second = await record(store, first, { articles: without });
      const edition = (await findEditionById(store.db, second))!;
      const third = await record(store, edition, { articles: await present(store, composed) });
      expect(await idsOf(store, third)).toEqual(['extra', 'today-1', 'today-2', 'today-3']);
      expect([await idsOf(store, first.id), await idsOf(store, second)]).toEqual([[], []]);
    });

    it('updates the roundup article: same id, tag URI and time of publication, new content', async () => {
      const store = await open();
      const { composed, first } = await closed(store);
      const [before] = await findArticles(store.db, [first.articleId]);
      const roundupArticle = { ...composed.roundupArticle, id: 'other', tagUri: 'tag:other', bodyHtml: '<p>New</p>' };
      const changes = { articles: await present(store, composed), roundupArticle };
      await store.db.deleteFrom('pending_changes').execute();
      await record(store, first, changes);
      const [after] = await findArticles(store.db, [first.articleId]);
      expect(after).toEqual({ ...before, bodyHtml: '<p>New</p>', updatedAt: LATER });
      expect(await findArticles(store.db, ['other'])).toEqual([]);
      expect(await store.db.selectFrom('pending_changes').select('article_id').execute()).toEqual([
        { article_id: first.articleId },
      ]);
    });

    it('does not publish a roundup article again that has been retracted', async () => {
      const store = await open();
      const { first } = await closed(store);
      await save(store, [article(first.articleId, { status: { state: 'retracted', note: 'No.', at: CUTOFF } })]);
      await expect(record(store, first)).rejects.toThrow(/has been retracted/);
      expect(await findEdition(store.db, newsletter.id, first.slot)).toMatchObject({ revision: 1 });
    });

    it('takes over what did not fit, without what has entered since', async () => {
      const store = await open();
      const { composed, first } = await closed(store);
      await save(store, [article('a', { publishedAt: CUTOFF - HOUR }), article('b', { publishedAt: CUTOFF - HOUR })]);
      await store.db
        .insertInto('edition_omissions')
        .values(['a', 'b'].map((article_id) => ({ edition_id: first.id, article_id, reason: 'did-not-fit' as const })))
        .execute();
      const { articles } = await compose(store, CUTOFF + DAY, { minimumStories: 1 });
      const a = articles.find(({ articleId }) => articleId === 'a')!;
      const changes = { articles: [...(await present(store, composed)), { ...a, position: 9 }] };
      const id = await record(store, first, changes);
      expect(await omissions(store, id)).toEqual({ b: 'did-not-fit' });
      expect(await omissions(store, first.id)).toEqual({});
    });

    it('leaves a correction to the next edition for those who have the earlier revision', async () => {
      const store = await open();
      const { composed, first } = await closed(store);
      await save(store, [article('extra', { publishedAt: CUTOFF - HOUR, status: corrected })]);
      const changes = {
        articles: await present(store, composed),
        notesShown: [{ articleId: 'extra', notedAt: corrected.at }],
      };
      const due = async () => (await findDueCorrections(store.db, newsletter.id)).map(({ articleId }) => articleId);
      const second = await record(store, first, changes);
      expect(await due()).toEqual(['extra']);
      const edition = (await findEditionById(store.db, second))!;
      const third = await record(store, edition, changes, true);
      expect(await due()).toEqual([]);
      // Its page shows the note with the story.
      expect(await findArticlesNotedSince(store.db, (await findEditionById(store.db, third))!)).toEqual([]);
    });

    it('measures what ages out from the closing of the first revision', async () => {
      const store = await open();
      const { composed, first } = await closed(store);
      // Stored between the revisions, and too old for any edition.
      await save(store, [article('old', { publishedAt: CUTOFF - 9 * DAY })], CUTOFF + MINUTE);
      await store.db.updateTable('editions').set({ closed_at: CUTOFF }).execute();
      const id = await record(store, first, { articles: await present(store, composed) });
      await store.db
        .updateTable('editions')
        .set({ closed_at: CUTOFF + 20 * HOUR })
        .where('id', '=', id)
        .execute();
      await save(store, threeStories('next', CUTOFF + DAY));
      const next = await closeEdition(store, await compose(store, CUTOFF + DAY));
      expect(await omissions(store, next)).toEqual({ old: 'aged-out' });
    });

    it('refuses what another process that composed at the same time has recorded', async () => {
      const store = await open();
      const { first } = await closed(store);
      const composed = await recompose(store, first.slot, LATER);
      const write = () => store.db.transaction().execute((tx) => recordRevision(tx, composed, first, false, LATER));
      await write();
      await expect(write()).rejects.toThrow(StaleComposition);
    });
  });
});
