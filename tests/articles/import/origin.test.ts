import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textFile } from '../../../src/articles/import/files/import-files.ts';
import { importFiles, importPaths } from '../../../src/articles/import/import.ts';
import { mayReplace, sourceOrigin } from '../../../src/articles/import/origin.ts';
import type { ArticleImportResult } from '../../../src/articles/import/result.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { markdown } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { configWith, messagesOf } from '../imports.ts';

const clock = () => NOW;

describe('the origin of an article', () => {
  forEachDatabase((open) => {
    it('keeps its id: another file with the id is rejected, also after an edit of either', async () => {
      const store = await open();
      const folder = temporaryFolder();
      const [first, second] = [join(folder, 'first.md'), join(folder, 'second.md')];
      const write = (file: string, headline: string) => writeFileSync(file, markdown(`id: a\nheadline: ${headline}`));
      const importOne = (file: string) => importPaths(store, configWith(), [file], { clock, undated: 'now' });
      write(first, 'The First');
      await importOne(first);
      write(second, 'The Second');
      const { problems } = messagesOf(await importOne(second));
      expect(problems).toEqual([`${second}:2: id is "a": this article belongs to ${first}; choose another id`]);
      write(first, 'The First, Edited');
      expect(await importOne(first)).toMatchObject({ updated: 1, rejectedCount: 0 });
      expect(await importOne(second)).toMatchObject({ added: 0, updated: 0, rejectedCount: 1 });
      expect((await findArticle(store.db, 'a'))?.headline).toBe('The First, Edited');
    });

    it('goes over to another file once the former one is gone, so that a file may be renamed', async () => {
      const store = await open();
      const folder = temporaryFolder();
      const [former, renamed] = [join(folder, 'former.md'), join(folder, 'renamed.md')];
      const importOne = (file: string) => importPaths(store, configWith(), [file], { clock, undated: 'now' });
      for (const file of [former, renamed]) writeFileSync(file, markdown('id: a\nheadline: H'));
      await importOne(former);
      rmSync(former);
      expect(await importOne(renamed)).toMatchObject({ unchanged: 1, rejectedCount: 0 });
      writeFileSync(former, markdown('id: a\nheadline: H'));
      const { problems } = messagesOf(await importOne(former));
      expect(problems).toEqual([`${former}:2: id is "a": this article belongs to ${renamed}; choose another id`]);
    });

    it('is claimed by the first import of an article that an earlier version stored', async () => {
      const store = await open();
      await importAs(store, 'file-a', '{"id":"a","headline":"H"}');
      await store.db.updateTable('articles').set({ origin: null }).execute();
      expect(await importAs(store, sourceOrigin('our-site'), '{"id":"a","headline":"H"}')).toMatchObject({
        unchanged: 1,
      });
      const { origin } = await store.db.selectFrom('articles').select('origin').executeTakeFirstOrThrow();
      expect(origin).toBe('source:our-site');
    });

    it('keeps articles of a configured source from files, and says where they come from', async () => {
      const store = await open();
      const config = withSource('our-site');
      await importAs(store, sourceOrigin('our-site'), '{"id":"our-site.1","headline":"H"}', config);
      const { problems } = messagesOf(
        await importAs(store, 'wire.jsonl', '{"id":"our-site.1","headline":"X"}', config),
      );
      expect(problems).toEqual([
        'wire.jsonl:1: id is "our-site.1": this article belongs to the source our-site; choose another id',
      ]);
    });

    it('goes over for good where the operator says so', async () => {
      const store = await open();
      await importAs(store, sourceOrigin('gone'), '{"id":"gone.1","headline":"H"}');
      const file = { ...textFile('/a.jsonl', '{"id":"gone.1","headline":"Mine"}', 'jsonl') };
      expect(await importFiles(store, configWith(), [file], { clock, undated: 'now' })).toMatchObject({
        rejectedCount: 1,
      });
      expect(await importFiles(store, configWith(), [file], { clock, takeOver: true, undated: 'now' })).toMatchObject({
        updated: 1,
      });
      expect(await importFiles(store, configWith(), [file], { clock, undated: 'now' })).toMatchObject({ unchanged: 1 });
    });

    it('lets a source use a slug that another article has, with the id appended', async () => {
      const store = await open();
      await importAs(store, 'wire.jsonl', '{"id":"a","headline":"Week in review"}');
      const record = JSON.stringify({ id: 'our-site.7', slug: 'week-in-review', headline: 'H' });
      expect(await importAs(store, sourceOrigin('our-site'), record)).toMatchObject({ added: 1 });
      expect((await findArticle(store.db, 'our-site.7'))?.slug).toBe('week-in-review-our-site-7');
    });
  });

  it('is not given up by a source that has left the configuration', () => {
    expect(mayReplace('source:gone', '/a.md')).toBe(false);
    expect(mayReplace('source:gone', 'source:other')).toBe(false);
    expect(mayReplace('source:our-site', 'source:our-site')).toBe(true);
  });
});

function withSource(id: string): Config {
  return { ...configWith(), sources: [{ id, url: 'https://times.example' } as Config['sources'][number]] };
}

function importAs(store: Store, origin: string, line: string, config = configWith()): Promise<ArticleImportResult> {
  return importFiles(store, config, [{ ...textFile(origin, line, 'jsonl'), origin }], { clock, undated: 'now' });
}
