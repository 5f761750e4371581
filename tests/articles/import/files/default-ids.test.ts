import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importPaths } from '../../../../src/articles/import/import.ts';
import { importReportedFiles } from '../../../../src/articles/import/watched/watched-folders.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { markdown } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../../support/databases.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { configWith, messagesOf } from '../../imports.ts';

const config = configWith();
const clock = () => NOW;

function write(folder: string, ...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), markdown(`headline: ${path}\npublished: 2026-11-01 10:00`));
  }
}

async function idsOf({ db }: Store): Promise<string[]> {
  const rows = await db.selectFrom('articles').select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

describe('the id of an article whose file states none', () => {
  forEachDatabase((open) => {
    it('is the path of each of several files with one name, and the name of all others', async () => {
      const store = await open();
      const folder = temporaryFolder();
      write(folder, '2019/05/news.md', '2020/05/news.md', '2020/05/roof.md', 'wind/index.md', 'sun/index.md');
      expect(await importPaths(store, config, [folder], { clock })).toMatchObject({ added: 5, rejectedCount: 0 });
      const ids = ['2019.05.news', '2020.05.news', 'roof', 'sun', 'wind'];
      expect(await idsOf(store)).toEqual(ids);
      expect(await importPaths(store, config, [folder], { clock })).toMatchObject({ unchanged: 5 });
    });

    it('stays when another file of its name is added, also where only that one is looked at', async () => {
      const store = await open();
      const folder = temporaryFolder();
      write(folder, '2019/05/news.md');
      await importPaths(store, config, [folder], { clock });
      write(folder, '2018/05/news.md');
      const added = { path: join(folder, '2018/05/news.md'), isWhole: true };
      await importReportedFiles(store, config, [folder], [added], { clock });
      expect(await idsOf(store)).toEqual(['2018.05.news', 'news']);
      expect(await importPaths(store, config, [folder], { clock })).toMatchObject({ unchanged: 2 });
    });

    it('is the same in the import of a smaller folder, of one file, and after the folder was moved', async () => {
      const store = await open();
      const folder = join(temporaryFolder(), 'former');
      write(folder, '2019/05/news.md', '2020/05/news.md');
      await importPaths(store, config, [folder], { clock });
      for (const path of ['2019', '2020/05', '2020/05/news.md', '..']) {
        expect(await importPaths(store, config, [join(folder, path)], { clock })).toMatchObject({ added: 0 });
      }
      const moved = join(folder, '../moved');
      renameSync(folder, moved);
      expect(await importPaths(store, config, [moved], { clock })).toMatchObject({ added: 0, rejectedCount: 0 });
      expect(await idsOf(store)).toEqual(['2019.05.news', '2020.05.news']);
    });

    it('goes over to a renamed file of the same name, and is refused to a copy elsewhere', async () => {
      const store = await open();
      const [folder, copy] = [temporaryFolder(), temporaryFolder()];
      write(folder, 'posts/news.md');
      write(copy, 'posts/news.md');
      await importPaths(store, config, [folder], { clock });
      const { problems } = messagesOf(await importPaths(store, config, [copy], { clock }));
      expect(problems).toEqual([expect.stringContaining('this article belongs to')]);
      write(folder, 'archive/news.md');
      rmSync(join(folder, 'posts/news.md'));
      expect(await importPaths(store, config, [folder], { clock })).toMatchObject({ added: 0, rejectedCount: 0 });
      expect(await idsOf(store)).toEqual(['news']);
    });
  });
});

describe('the date of an article that states none', () => {
  it.each([
    ['path = "2014/12/12/roof"', '2014-12-12'],
    ['url = "/2014/12/12/roof/"', '2014-12-12'],
    ['path = "2014/13/12/roof"', null],
    ['url = "https://times.example/2014/12/12/roof"', null],
  ])('is the day in the path of its address: %s', async (line, day) => {
    const store = await openMigrated();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'roof.md'), `+++\ntitle = "Roof"\n${line}\n+++\n\nText.\n`);
    await importPaths(store, config, [folder], { clock });
    const rows = await store.db.selectFrom('articles').select('published_at').execute();
    const published = day === null ? [] : [{ published_at: Date.parse(`${day}T00:00:00+08:00`) }];
    expect(rows).toEqual(published);
  });
});
