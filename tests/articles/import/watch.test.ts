import { appendFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importChangedSources } from '../../../src/articles/import/watch.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import { countRejections } from '../../../src/articles/rejections.ts';
import type { Store } from '../../../src/store/store.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { configWith, markdown, NOW, newFolder, told } from '../newsroom.ts';

const look = (store: Store, ...paths: string[]) =>
  importChangedSources(store, configWith(), paths, { clock: () => NOW });

/** Writes a file as it would have been written so many seconds ago. */
function writeAged(file: string, text: string, seconds: number): void {
  writeFileSync(file, text);
  utimesSync(file, NOW / 1_000 - seconds, NOW / 1_000 - seconds);
}

describe('watched files', () => {
  forEachDatabase((open) => {
    it('are imported once, and again when they change', async () => {
      const store = await open();
      const folder = newFolder();
      writeFileSync(join(folder, 'a.md'), markdown('headline: One'));
      writeFileSync(join(folder, 'b.jsonl'), '{"id":"b","headline":"B"}\n');
      expect(await look(store, folder)).toMatchObject({ added: 2, unchanged: 0 });
      expect(await look(store, folder)).toMatchObject({ added: 0, unchanged: 0 });
      writeFileSync(join(folder, 'a.md'), markdown('headline: One more'));
      appendFileSync(join(folder, 'b.jsonl'), '{"id":"c","headline":"C"}\n');
      expect(await look(store, folder)).toMatchObject({ added: 1, updated: 1, unchanged: 1 });
    });

    it('are imported again when only their time changes', async () => {
      const store = await open();
      const file = join(newFolder(), 'a.md');
      writeFileSync(file, markdown('headline: One'));
      await look(store, file);
      writeFileSync(file, markdown('headline: Two'));
      utimesSync(file, 1_790_000_000, 1_790_000_000);
      expect(await look(store, file)).toMatchObject({ updated: 1 });
    });

    it('that were read half-written are read again when they are whole', async () => {
      const store = await open();
      const file = join(newFolder(), 'a.jsonl');
      writeFileSync(file, '{"id":"a","headline":"A"}\n{"id":"b","hea');
      expect(await look(store, file)).toMatchObject({ added: 1, rejectedCount: 1 });
      appendFileSync(file, 'dline":"B"}\n');
      expect(await look(store, file)).toMatchObject({ added: 1, unchanged: 1, rejectedCount: 0 });
      expect(await countRejections(store.db)).toBe(0);
    });

    it('of Markdown wait two seconds for the rest of them, where there will be another look', async () => {
      const store = await open();
      const folder = newFolder();
      const again = { clock: () => NOW, again: true };
      writeAged(join(folder, 'new.md'), markdown('headline: New', 'Half a'), 1.5);
      writeAged(join(folder, 'old.md'), markdown('headline: Old'), 2);
      writeAged(join(folder, 'ahead.md'), markdown('headline: Of a clock that is ahead'), -30);
      writeAged(join(folder, 'wire.jsonl'), '{"id":"line","headline":"L"}\n', 0);
      expect(await importChangedSources(store, configWith(), [folder], again)).toMatchObject({ added: 3 });
      expect(await findArticle(store.db, 'new')).toBeNull();
      writeAged(join(folder, 'new.md'), markdown('headline: New', 'Half a story no more.'), 3);
      expect(await importChangedSources(store, configWith(), [folder], again)).toMatchObject({ added: 1, updated: 0 });
      // The first look of a start is the last one of "start --once": it takes all there is.
      writeAged(join(folder, 'last.md'), markdown('headline: Last'), 0);
      expect(await look(store, folder)).toMatchObject({ added: 1 });
    });

    it('with problems are not tried again until they change', async () => {
      const store = await open();
      const file = join(newFolder(), 'a.md');
      writeFileSync(file, 'no front matter');
      expect(await look(store, file)).toMatchObject({ rejectedCount: 1 });
      expect(await look(store, file)).toMatchObject({ rejectedCount: 0 });
      expect(await countRejections(store.db)).toBe(1);
      writeFileSync(file, markdown('headline: A'));
      expect(await look(store, file)).toMatchObject({ added: 1 });
      expect(await countRejections(store.db)).toBe(0);
    });

    it('that vanish leave their articles, and what was rejected, as they are', async () => {
      const store = await open();
      const folder = newFolder();
      writeFileSync(join(folder, 'a.md'), markdown('headline: A'));
      writeFileSync(join(folder, 'b.md'), 'bad');
      await look(store, folder);
      rmSync(join(folder, 'a.md'));
      rmSync(join(folder, 'b.md'));
      expect(await look(store, folder)).toMatchObject({ added: 0, updated: 0, rejectedCount: 0 });
      expect(await findArticle(store.db, 'a')).toMatchObject({ status: { state: 'published' } });
      expect(await countRejections(store.db)).toBe(1);
    });

    it('that do not exist are told each time, and the others are imported', async () => {
      const store = await open();
      const folder = newFolder();
      mkdirSync(join(folder, 'there'));
      writeFileSync(join(folder, 'there/a.md'), markdown('headline: A'));
      const missing = join(folder, 'missing');
      const report = await look(store, missing, join(folder, 'there'));
      expect(report).toMatchObject({ added: 1, warningCount: 1 });
      expect(told(report).warnings).toEqual([`${missing}: does not exist`]);
      expect(await look(store, missing)).toMatchObject({ warningCount: 1 });
    });
  });

  // It compares two spells of the wall clock, in which the machine may be doing other things.
  it('that are large leave half of the time to the rest of the process', { retry: 2 }, async () => {
    const file = join(newFolder(), 'large.jsonl');
    writeFileSync(file, Array.from({ length: 1_500 }, (_, n) => `{"id":"${n}","headline":"H"}\n`).join(''));
    const turnsDuring = async (again: boolean): Promise<number> => {
      const store = await openMigrated();
      let turns = 0;
      let counting = true;
      const count = (): void => {
        turns += 1;
        if (counting) setImmediate(count);
      };
      setImmediate(count);
      const report = await importChangedSources(store, configWith(), [file], { clock: () => NOW, again });
      counting = false;
      await store.close();
      expect(report).toMatchObject({ added: 1_500 });
      return turns;
    };
    const alone = await turnsDuring(false);
    expect(await turnsDuring(true)).toBeGreaterThan(20 * alone);
  });
});
