import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { editArticle } from '../../../src/articles/edits/edit-article.ts';
import { restoreArticle, retractArticle, undoArticleEdit } from '../../../src/articles/edits/retract-article.ts';
import { importPaths } from '../../../src/articles/import/import.ts';
import { retractArticles } from '../../../src/articles/import/retract.ts';
import { completeArticles } from '../../../src/articles/remote-images/image-queue.ts';
import { documentJson } from '../../../src/articles/stored-document.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { article, articleFile, saveAll } from '../../support/articles.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';

async function row(app: TestApp, id: string) {
  return app.store.db
    .selectFrom('articles')
    .select(['document', 'document_version as version', 'digest'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
}

const ANN = { author: 'Ann' };
const picture = { url: 'https://images.example/a.png', alt: '', credit: null, isLookedUp: true } as const;
const unknown = { type: null, length: null, width: null, height: null };

forEachDatabase((open) => {
  it('the version of a document grows by one with every act that changes an article', async () => {
    const app = openTestApp(await open());
    const importFile = async (keys: string): Promise<unknown> => {
      const path = join(app.folder, 'one.md');
      writeFileSync(path, articleFile('one', keys));
      return importPaths(app.store, app.config, [path], { clock: app.clock, undated: 'now' });
    };
    await importFile('');
    expect((await row(app, 'one')).version).toBe(1);
    const image = `image: ${JSON.stringify({ url: picture.url, alt: '' })}\n`;
    const acts: [name: string, act: (seen: string) => Promise<unknown>][] = [
      ['an import', () => importFile(image)],
      [
        'the look-up of a picture',
        async () => {
          const found = { state: 'found', type: 'image/png', length: 9, width: 1, height: 1 } as const;
          await app.store.db.updateTable('remote_images').set(found).execute();
          await completeArticles(app.store.db, app.clock());
        },
      ],
      ['an edit', (seen) => editArticle(app, 'one', { headline: 'New', notice: { kind: 'silent' } }, { ...ANN, seen })],
      ['a retraction', (seen) => retractArticle(app, 'one', 'It was wrong.', { ...ANN, seen })],
      ['the end of one', (seen) => restoreArticle(app, 'one', '', { ...ANN, seen })],
      [
        'an edit that is',
        (seen) => editArticle(app, 'one', { dek: 'A new dek', notice: { kind: 'silent' } }, { ...ANN, seen }),
      ],
      ['undone', async () => undoArticleEdit(app, 'one', await lastEdit(app), ANN)],
      [
        'a source that withdraws it',
        () =>
          app.store.db
            .transaction()
            .execute((tx) =>
              retractArticles(tx, ['one'], { note: 'Gone.', publicUrl: app.config.publication.url }, app.clock()),
            ),
      ],
    ];
    for (const [name, act] of acts) {
      const before = await row(app, 'one');
      app.now += HOUR;
      await act(before.digest);
      const after = await row(app, 'one');
      expect(documentJson(after), name).not.toBe(documentJson(before));
      expect(after.version, name).toBe(before.version + 1);
    }
  });

  it('the version of a document stays with an import that changes nothing, and is one for each article', async () => {
    const app = openTestApp(await open());
    const path = join(app.folder, 'one.md');
    writeFileSync(path, articleFile('one'));
    for (let times = 0; times < 2; times++)
      await importPaths(app.store, app.config, [path], { clock: app.clock, undated: 'now' });
    expect((await row(app, 'one')).version).toBe(1);
    await saveAll(app.store, [article('two'), article('three', { image: { ...picture, ...unknown } })]);
    await saveAll(app.store, [article('two', { headline: 'Edited' })]);
    const rows = await app.store.db
      .selectFrom('articles')
      .select(['id', 'document_version as version'])
      .orderBy('id')
      .execute();
    expect(rows).toEqual([
      { id: 'one', version: 1 },
      { id: 'three', version: 1 },
      { id: 'two', version: 2 },
    ]);
  });
});

async function lastEdit(app: TestApp): Promise<number> {
  const { number } = await app.store.db
    .selectFrom('article_edits')
    .select((e) => e.fn.max('number').as('number'))
    .where('article_id', '=', 'one')
    .executeTakeFirstOrThrow();
  return number;
}
