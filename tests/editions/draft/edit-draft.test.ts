import { describe, expect, it } from 'vitest';
import { readArrangedDraft } from '../../../src/editions/draft/arranged-draft.ts';
import { DraftCommandError } from '../../../src/editions/draft/commands.ts';
import { composeDraft } from '../../../src/editions/draft/compose-draft.ts';
import { readDraftLog } from '../../../src/editions/draft/draft-store.ts';
import { type DraftRequest, type EditOptions, editDraft } from '../../../src/editions/draft/edit-draft.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';
import { openFiveStories } from './draft-steps.ts';

async function openDraft(app: TestApp) {
  const target = await openFiveStories(app);
  return {
    edit: (editor: string, request: DraftRequest, options?: EditOptions) =>
      editDraft(app, target, editor, request, options),
    /** What a page shows: the revision and hash of the edition as it is. */
    look: async () => {
      const seen = await composeDraft(app, target);
      if (seen.kind === 'empty') throw new Error(seen.reason);
      return { revision: seen.draft.revision, hash: seen.hash };
    },
    read: () => readArrangedDraft(app, target),
    /** The ids of a block. */
    block: async (name: string) =>
      (await readArrangedDraft(app, target)).stories.filter(({ block }) => block === name).map(({ id }) => id),
    log: () => readDraftLog(app.store.db, target.newsletter.id, target.slot.label),
  };
}

describe('an editor of a draft', () => {
  forEachDatabase((open) => {
    const openTest = async () => openDraft(await openTestApp(await open()));

    it('approves by the hash of what a page showed, unless the decisions or a text have changed since', async () => {
      const app = openTestApp(await open());
      const draft = await openDraft(app);
      const approve = (seen: EditOptions['seen']) => draft.edit('Ada', { kind: 'approve' }, { seen });
      const first = await draft.look();
      await expect(approve({ revision: first.revision })).rejects.toThrow('the stories or what editors decided have');
      await draft.edit('Bob', { kind: 'note', text: 'Hello' });
      await expect(approve(first)).rejects.toThrow('the stories or what editors decided have changed');
      const second = await draft.look();
      const status = { state: 'corrected', note: 'It was two.', at: NOW } as const;
      await saveAll(app.store, [article('third', { headline: 'Two', publishedAt: NOW - 3 * HOUR, status })]);
      await expect(approve(second)).rejects.toThrow('the content of a story has changed');
      const { draft: approved } = await approve(await draft.look());
      expect(approved.state).toMatchObject({ kind: 'approved', by: 'Ada' });
    });

    it('runs what comes with a command in its transaction, where something changes', async () => {
      const app = openTestApp(await open());
      const draft = await openDraft(app);
      let calls = 0;
      const onCommit = async () => {
        calls += 1;
      };
      await draft.edit('Ada', { kind: 'drop', story: 'third' }, { onCommit });
      await draft.edit('Ada', { kind: 'drop', story: 'third' }, { onCommit });
      expect(calls).toBe(1);
      const failing = async () => {
        throw new Error('not recorded');
      };
      await expect(draft.edit('Ada', { kind: 'undo' }, { onCommit: failing })).rejects.toThrow('not recorded');
      expect(await draft.log()).toHaveLength(1);
      expect(await draft.block('news')).toEqual(['second', 'fourth', 'fifth']);
    });

    it('cannot name an article that does not exist', async () => {
      const draft = await openTest();
      for (const kind of ['pin', 'drop'] as const) {
        await expect(draft.edit('Ada', { kind, story: '__proto__' })).rejects.toThrow(DraftCommandError);
      }
      expect(await draft.log()).toEqual([]);
    });
  });
});
