import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { composeAndClose } from '../../../src/delivery/closing/close.ts';
import type { ComposedEdition } from '../../../src/editions/compose.ts';
import { approvalHash } from '../../../src/editions/draft/approval.ts';
import type { DraftField, FieldValue } from '../../../src/editions/draft/decisions.ts';
import { changeStoredDraft, readDraft, readDraftLog } from '../../../src/editions/draft/draft-store.ts';
import { changeDraft, fieldRevision } from '../../../src/editions/draft/history.ts';
import { StaleComposition } from '../../../src/editions/record.ts';
import { editionSlot } from '../../../src/editions/slot.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { beforeTransactions } from '../../support/interrupted-store.ts';
import {
  article,
  CUTOFF,
  closeEdition,
  compose,
  config,
  idsByBlock,
  newsletter,
  omissions,
  roundupItem,
  save,
  templates,
  threeStories,
  tryCompose,
} from '../fixtures.ts';

const slotAt = (at: number) => editionSlot(at, config.publication.zone, false);
const SLOT = slotAt(CUTOFF);
const pinned = { kind: 'pinned' } as const;
const dropped = { kind: 'dropped' } as const;

/** Changes fields of a draft, upon their present revisions. */
async function decide(store: Store, values: Partial<Record<DraftField, FieldValue>>, slot = SLOT): Promise<void> {
  const fields = Object.entries(values) as [DraftField, FieldValue][];
  const outcome = await changeStoredDraft(store, newsletter.id, slot, (draft) =>
    changeDraft(
      draft,
      fields.map(([field, value]) => ({ field, value, base: fieldRevision(draft, field) })),
      { at: CUTOFF - HOUR, editor: 'ada', command: { kind: 'note', text: null } },
    ),
  );
  expect(outcome.kind).toBe('changed');
}

/** Approves the edition as composed. */
async function approve(store: Store, { articles }: ComposedEdition): Promise<void> {
  const { decisions } = await readDraft(store.db, newsletter.id, SLOT);
  const stories = articles.map(({ articleId: id, block, digest }) => ({ id, block, digest }));
  const hash = approvalHash(decisions, stories);
  await decide(store, { state: { kind: 'approved', by: 'ada', at: CUTOFF - HOUR, hash, stories } });
}

const saveDay = (store: Store) =>
  save(store, [
    article('cover', { pinned: true }),
    ...[1, 2, 3, 4].map((n) => article(`n${n}`, { publishedAt: CUTOFF - n * HOUR })),
    article('a1', { kind: 'analysis' }),
    roundupItem('r1', 'The Courier'),
    article('old', { publishedAt: CUTOFF - 90 * HOUR }),
  ]);

const allIds = (edition: ComposedEdition) => edition.articles.map(({ articleId }) => articleId);

describe('an edition with a draft', () => {
  forEachDatabase((open, dialect) => {
    const openDay = async (): Promise<Store> => {
      const store = await open();
      await saveDay(store);
      return store;
    };

    it('has the texts, the order and the stories that the editor decided', async () => {
      const store = await openDay();
      await decide(store, {
        ...{ subject: 'Chips & <b>', preheader: 'Look inside', note: 'Good *morning*, <script>all</script>' },
        ...{ 'block:news': ['n4', 'a1', 'n2'], 'story:a1': { kind: 'placed', block: 'news' } },
        ...{ 'story:n3': dropped, 'story:old': pinned },
      });
      const edition = await compose(store);
      expect(edition).toMatchObject({ subject: 'Chips & <b>', preheader: 'Look inside', draftRevision: 1 });
      expect(idsByBlock(edition)).toEqual({
        lead: ['cover'],
        news: ['n4', 'a1', 'n2', 'n1'],
        roundup: ['r1'],
        latest: ['old'],
      });
      expect(edition).toMatchObject({ dropped: ['n3'], didNotFit: [], approval: null });
      expect(edition.html.match(/>Good (<em>morning<\/em>),</)).not.toBeNull();
      expect(edition.text).toContain('Good morning');
      expect(edition.html.indexOf('Headline of n4')).toBeLessThan(edition.html.indexOf('Headline of a1'));
    });

    it('records a dropped story: no later edition takes it, unless an editor pins it', async () => {
      const store = await openDay();
      await decide(store, { 'story:n3': dropped });
      const first = await closeEdition(store, await compose(store));
      expect(await omissions(store, first)).toEqual({ n3: 'dropped', old: 'aged-out' });
      const next = slotAt(CUTOFF + DAY);
      await save(store, threeStories('next', CUTOFF + DAY));
      expect(allIds(await compose(store, CUTOFF + DAY))).not.toContain('n3');
      await decide(store, { 'story:n3': pinned, 'story:next-1': dropped }, next);
      const second = await compose(store, CUTOFF + DAY, { minimumStories: 1 });
      expect(allIds(second)).toContain('n3');
      expect(await omissions(store, await closeEdition(store, second))).toEqual({ 'next-1': 'dropped' });
    });

    it('does not have what was dropped from a slot that was skipped', async () => {
      const store = await openDay();
      await decide(store, { 'story:n3': dropped, 'story:n4': dropped });
      const next = slotAt(CUTOFF + DAY);
      await decide(store, { 'story:n4': pinned }, next);
      const edition = await compose(store, CUTOFF + DAY);
      expect(allIds(edition)).toContain('n4');
      expect(edition.dropped).toEqual(['n3']);
      expect(await omissions(store, await closeEdition(store, edition))).toMatchObject({ n3: 'dropped' });
    });

    it('that is approved has exactly the approved stories, as they are now', async () => {
      const store = await openDay();
      await decide(store, { 'story:n4': dropped, 'block:news': ['n2', 'n1'] });
      await approve(store, await compose(store));
      const corrected: Partial<Article> = { status: { state: 'corrected', note: 'It was two.', at: CUTOFF - 1 } };
      await save(store, [
        article('late', { pinned: true, publishedAt: CUTOFF - 1 }),
        article('n1', { ...corrected, headline: 'Headline as corrected' }),
        article('n2', { status: { state: 'retracted', note: 'It did not happen.', at: CUTOFF - 1 } }),
      ]);
      const edition = await compose(store);
      expect(idsByBlock(edition)).toEqual({ lead: ['cover'], news: ['n1', 'n3'], analysis: ['a1'], roundup: ['r1'] });
      expect(edition.approval).toEqual({ by: 'ada', changed: ['n1'], gone: ['n2'], voided: null });
      expect(edition.html).toContain('Headline as corrected');
      expect(edition.dropped).toEqual(['n4']);
      expect(await omissions(store, await closeEdition(store, edition))).toEqual({ n4: 'dropped', old: 'aged-out' });
      expect(allIds(await compose(store, CUTOFF + DAY, { minimumStories: 1 }))).toEqual(['late']);
    });

    it('that is too large has the approved stories that fitted, and names those that are displaced', async () => {
      // It takes seconds, and what it tests does not depend on the database.
      if (dialect === 'postgres') return;
      const store = await open();
      const long = 'x'.repeat(15_000);
      const stories = [1, 2, 3, 4, 5, 6, 7].map((n) => {
        return article(`n${n}`, { headline: `${n} ${long}`, publishedAt: CUTOFF - n * HOUR });
      });
      await save(store, [article('cover', { pinned: true }), ...stories]);
      const seen = await compose(store);
      expect(seen.size.leftOut).toBeGreaterThan(0);
      await approve(store, seen);
      const approved = await compose(store);
      expect(allIds(approved)).toEqual(allIds(seen));
      expect(approved).toMatchObject({ approval: { changed: [], gone: [], voided: null }, size: { leftOut: 0 } });
      await save(store, [article('cover', { pinned: true, headline: long, dek: long.slice(0, 5_000) })]);
      const corrected = await compose(store);
      const missing = allIds(seen).filter((id) => !allIds(corrected).includes(id));
      expect(missing.length).toBeGreaterThan(0);
      expect(corrected.approval).toMatchObject({ changed: ['cover'], gone: missing, voided: null });
    });

    it('is composed again if its draft changes before it closes', async () => {
      const store = await openDay();
      const early = await compose(store);
      await decide(store, { subject: 'Chips' });
      await expect(closeEdition(store, early)).rejects.toThrow(StaleComposition);
      const values = [{ subject: 'Solar' }, { note: 'Late' }];
      const interrupted = beforeTransactions(store, async () => {
        const change = values.shift();
        if (change !== undefined) await decide(store, change);
      });
      const options = { slot: SLOT, cutoffAt: CUTOFF, clock: () => CUTOFF };
      expect(await composeAndClose(interrupted, config, templates, newsletter, options)).toMatchObject({
        kind: 'closed',
        isNew: true,
      });
      const closed = await tryCompose(store);
      if (closed.kind !== 'closed') throw new Error(closed.kind);
      expect(closed.edition.subject).toBe('Solar');
      expect(closed.edition.text).toContain('Late');
      expect(values).toEqual([]);
    });

    it('closes its draft: a later command meets it closed', async () => {
      const store = await openDay();
      await decide(store, { 'story:n4': dropped, 'block:news': ['n2', 'n1'] });
      const edition = await compose(store);
      await closeEdition(store, edition);
      const draft = await readDraft(store.db, newsletter.id, SLOT);
      expect(draft).toMatchObject({ revision: 2, decisions: { blocks: {}, stories: { n4: dropped } } });
      if (draft.state.kind !== 'closed') throw new Error(draft.state.kind);
      expect(draft.state.stories.map(({ id }) => id)).toEqual(allIds(edition));
      const log = await readDraftLog(store.db, newsletter.id, SLOT.label);
      expect(log.map(({ number, editor, command }) => [number, editor, command.kind])).toEqual([
        [1, 'ada', 'note'],
        [2, 'daywire', 'close'],
      ]);
      let met: string | null = null;
      await changeStoredDraft(store, newsletter.id, SLOT, ({ state }) => {
        met = state.kind;
        return { kind: 'unchanged' };
      });
      expect(met).toBe('closed');
    });
  });
});
