import { expect, it } from 'vitest';
import type { NewsletterConfig } from '../../../src/core/config/config.ts';
import { readArrangedDraft } from '../../../src/editions/draft/arranged-draft.ts';
import { composeDraft } from '../../../src/editions/draft/compose-draft.ts';
import { findDraftTarget } from '../../../src/editions/draft/draft-target.ts';
import { editDraft } from '../../../src/editions/draft/edit-draft.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { queryPlan, recordQueries } from '../../support/recorded-queries.ts';
import { openSampleApp } from '../../support/test-app.ts';

forEachDatabase((open) => {
  it('a page shows the stories that are composed, without rendering them', async () => {
    const app = await openSampleApp(await open());
    const target = await findDraftTarget(app, app.config.newsletters[0] as NewsletterConfig);
    const first = await readArrangedDraft(app, target);
    const news = first.stories.filter(({ block }) => block === 'news').map(({ id }) => id);
    expect(news.length).toBeGreaterThan(1);
    const [dropped, moved] = news as [string, string];
    await editDraft(app, target, 'Ada', { kind: 'drop', story: dropped });
    await editDraft(app, target, 'Ada', { kind: 'move', story: moved, block: 'analysis', place: { kind: 'first' } });
    await editDraft(app, target, 'Ada', { kind: 'subject', text: 'Edited' });

    const page = await readArrangedDraft(app, target);
    const composition = await composeDraft(app, target);
    if (composition.kind === 'empty') throw new Error(composition.reason);
    const { articles, preheader } = composition.composed;
    expect(page.stories.map(({ id, block }) => [id, block])).toEqual(
      articles.map(({ articleId, block }) => [articleId, block]),
    );
    expect(page.stories.find(({ id }) => id === moved)).toMatchObject({ block: 'analysis', decision: 'placed' });
    expect(page.leftOut.find(({ id }) => id === dropped)?.reason).toEqual({ kind: 'dropped' });
    expect(page).toMatchObject({ draft: { revision: 3 }, obstacle: null, ended: null, edition: null });
    expect(page.automatic).toEqual({ subject: first.automatic?.subject, preheader });
    expect(page.log.map(({ number, editor }) => `${number} ${editor}`)).toEqual(['1 Ada', '2 Ada', '3 Ada']);
  });
});

it('a page of a draft scans no table of the archive', async () => {
  const store = await openMigrated();
  const app = await openSampleApp(store);
  const target = await findDraftTarget(app, app.config.newsletters[0] as NewsletterConfig);
  const { store: recorded, takeQueries } = recordQueries(store);
  expect((await readArrangedDraft({ ...app, store: recorded, clock: app.clock }, target)).stories).not.toEqual([]);
  const plans = await Promise.all(takeQueries().map((query) => queryPlan(store, query)));
  expect(plans.length).toBeGreaterThan(5);
  const scans = plans.flat().filter((step) => step.startsWith('SCAN '));
  // The newest articles, up to a limit, are the head of an index; pinned ones have a partial index.
  expect(scans.filter((step) => !/articles_pinned|CONSTANT ROW/.test(step))).toEqual([
    'SCAN articles USING COVERING INDEX articles_by_time',
  ]);
  await store.close();
});
