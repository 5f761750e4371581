import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createArticle, newDeskArticleId, type WrittenBrief } from '../../../src/articles/edits/create-article.ts';
import { editArticle } from '../../../src/articles/edits/edit-article.ts';
import { ArticleEditError } from '../../../src/articles/edits/read-written.ts';
import { readStoredArticle } from '../../../src/articles/edits/stored-article.ts';
import { importPaths } from '../../../src/articles/import/import.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { markdown } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp } from '../../support/test-app.ts';

const ANN = { author: 'Ann' };
const BRIEF: WrittenBrief = {
  ...{ id: 'desk-2026-11-24-k7mq2x', headline: 'Ferry service resumes', kicker: '', section: 'world' },
  ...{ body: 'Ferries run *again*.', linkUrl: '', linkTitle: '', outletName: '', outletUrl: '' },
  release: { kind: 'now' },
};

forEachDatabase((open) => {
  describe('createArticle', () => {
    it('stores a brief as an import does, and once, however often its form is sent', async () => {
      const app = openTestApp(await open());
      const first = await createArticle(app, BRIEF, ANN);
      const again = await createArticle(app, BRIEF, ANN);
      expect([first.isNew, again.isNew]).toEqual([true, false]);
      expect(await findArticle(app.store.db, BRIEF.id)).toMatchObject({
        ...{ kind: 'brief', headline: 'Ferry service resumes', slug: 'ferry-service-resumes', section: 'world' },
        ...{ bodyHtml: '<p>Ferries run <em>again</em>.</p>', publishedAt: NOW, status: { state: 'published' } },
        tagUri: expect.stringMatching(/^tag:.*:articles\/desk-2026-11-24-k7mq2x$/),
      });
      const pending = await app.store.db.selectFrom('pending_changes').select('article_id').execute();
      expect(pending).toEqual([{ article_id: BRIEF.id }]);
    });

    it('refuses another text from a form that was sent before, instead of losing it', async () => {
      const clock = { now: NOW };
      const app = { ...openTestApp(await open()), clock: () => clock.now };
      await createArticle(app, BRIEF, ANN);
      clock.now += HOUR;
      for (const other of [
        { headline: 'Other' },
        { body: 'Other.' },
        { section: '' },
        { release: { kind: 'draft' } },
      ]) {
        const promise = createArticle(app, { ...BRIEF, ...other } as WrittenBrief, ANN);
        await expect(promise).rejects.toThrow(`as article ${BRIEF.id}, with another text`);
      }
      const seen = (await readStoredArticle(app.store.db, BRIEF.id))?.digest ?? '';
      await editArticle(app, BRIEF.id, { headline: 'Edited since', notice: { kind: 'silent' } }, { ...ANN, seen });
      const again = await createArticle(app, BRIEF, ANN);
      expect([again.isNew, again.article.headline]).toEqual([false, 'Edited since']);
    });

    it('credits an outlet with its link, or refuses', async () => {
      const app = openTestApp(await open());
      const outlet = { outletName: 'The Courier', outletUrl: 'https://example.com/story' };
      const { article } = await createArticle(app, { ...BRIEF, ...outlet }, ANN);
      expect(article).toMatchObject({ kind: 'roundup-item', outlet: { name: 'The Courier', url: outlet.outletUrl } });
      for (const wrong of [{ outletUrl: '' }, { outletName: ' ' }, { outletUrl: 'http://10.0.0.1/story' }]) {
        const promise = createArticle(app, { ...BRIEF, id: 'other', ...outlet, ...wrong }, ANN);
        await expect(promise).rejects.toBeInstanceOf(ArticleEditError);
      }
    });

    it('names all fields that are wrong', async () => {
      const app = openTestApp(await open());
      const wrong = { headline: '', body: ' ', linkUrl: 'javascript:alert(1)', linkTitle: 'More' };
      const error = await createArticle(app, { ...BRIEF, ...wrong }, ANN).catch((thrown: unknown) => thrown);
      expect((error as ArticleEditError).problems).toMatchObject([
        { field: 'body', message: 'Write one to three sentences.' },
        { field: 'headline', message: 'Give a headline.' },
        { field: 'linkUrl', message: expect.stringMatching(/^The address of the link must be an http or https URL/) },
      ]);
      expect(await findArticle(app.store.db, BRIEF.id)).toBeNull();
    });

    it('holds a brief back until its time', async () => {
      const app = openTestApp(await open());
      const at = (time: string) => createArticle(app, { ...BRIEF, release: { kind: 'at', time } }, ANN);
      await expect(at('2020-01-01 07:30')).rejects.toThrow(/time of publication is over/);
      const { article } = await at(new Date(NOW + HOUR).toISOString());
      expect(article.status).toEqual({ state: 'scheduled', until: NOW + HOUR });
    });

    it('writes nothing where the record of the act fails', async () => {
      const app = openTestApp(await open());
      const onCommit = () => Promise.reject(new Error('no audit'));
      await expect(createArticle(app, BRIEF, { ...ANN, onCommit })).rejects.toThrow('no audit');
      expect(await findArticle(app.store.db, BRIEF.id)).toBeNull();
    });

    it('belongs to the desk: a file of the same id is rejected', async () => {
      const app = openTestApp(await open());
      await createArticle(app, BRIEF, ANN);
      const path = join(app.folder, 'a.md');
      writeFileSync(path, markdown(`id: ${BRIEF.id}\nheadline: Mine`));
      const report = await importPaths(app.store, app.config, [path], { clock: app.clock, undated: 'now' });
      expect(report.rejected[0]?.problems).toEqual([expect.stringContaining('this article belongs to the desk')]);
    });
  });
});

describe('newDeskArticleId', () => {
  it('has the day in the zone of the publication', () => {
    expect(newDeskArticleId(Date.UTC(2026, 10, 27, 23), 'Asia/Shanghai')).toMatch(/^desk-2026-11-28-[a-z2-9]{6}$/);
  });
});
