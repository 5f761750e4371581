import { appendFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import timers from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { importChangedFiles, importReportedFiles } from '../../../../src/articles/import/watched/watched-folders.ts';
import { findArticle } from '../../../../src/articles/queries.ts';
import { countRejections, listRejections } from '../../../../src/articles/rejections.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { markdown } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../../support/databases.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { configWith, messagesOf } from '../../imports.ts';

const look = (store: Store, ...paths: string[]) =>
  importChangedFiles(store, configWith(), paths, { clock: () => NOW, undated: 'now' });

/** Writes a file with a modification time in the past. */
function writeAged(file: string, text: string, seconds: number): void {
  writeFileSync(file, text);
  utimesSync(file, NOW / 1_000 - seconds, NOW / 1_000 - seconds);
}

describe('importChangedFiles', () => {
  forEachDatabase((open) => {
    it('imports files once, and again when they change', async () => {
      const store = await open();
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'a.md'), markdown('headline: One'));
      writeFileSync(join(folder, 'b.jsonl'), '{"id":"b","headline":"B"}\n');
      expect(await look(store, folder)).toMatchObject({ added: 2, unchanged: 0 });
      expect(await look(store, folder)).toMatchObject({ added: 0, unchanged: 0 });
      writeFileSync(join(folder, 'a.md'), markdown('headline: One more'));
      appendFileSync(join(folder, 'b.jsonl'), '{"id":"c","headline":"C"}\n');
      expect(await look(store, folder)).toMatchObject({ added: 1, updated: 1, unchanged: 1 });
    });

    it('imports a file of the same size again if its modification time changes', async () => {
      const store = await open();
      const file = join(temporaryFolder(), 'a.md');
      writeFileSync(file, markdown('headline: One'));
      await look(store, file);
      writeFileSync(file, markdown('headline: Two'));
      utimesSync(file, 1_790_000_000, 1_790_000_000);
      expect(await look(store, file)).toMatchObject({ updated: 1 });
    });

    it('reads a half-written file again when it is complete', async () => {
      const store = await open();
      const file = join(temporaryFolder(), 'a.jsonl');
      writeFileSync(file, '{"id":"a","headline":"A"}\n{"id":"b","hea');
      expect(await look(store, file)).toMatchObject({ added: 1, rejectedCount: 1 });
      appendFileSync(file, 'dline":"B"}\n');
      expect(await look(store, file)).toMatchObject({ added: 1, unchanged: 1, rejectedCount: 0 });
      expect(await countRejections(store.db)).toBe(0);
    });

    it('leaves Markdown of the last two seconds to the next call, if there is one', async () => {
      const store = await open();
      const folder = temporaryFolder();
      const repeated = { clock: () => NOW, isRepeated: true, undated: 'now' } as const;
      writeAged(join(folder, 'new.md'), markdown('headline: New', 'Half a'), 1.5);
      writeAged(join(folder, 'old.md'), markdown('headline: Old'), 2);
      writeAged(join(folder, 'ahead.md'), markdown('headline: Of a clock that is ahead'), -30);
      writeAged(join(folder, 'wire.jsonl'), '{"id":"line","headline":"L"}\n', 0);
      expect(await importChangedFiles(store, configWith(), [folder], repeated)).toMatchObject({ added: 3 });
      expect(await findArticle(store.db, 'new')).toBeNull();
      writeAged(join(folder, 'new.md'), markdown('headline: New', 'Half a story no more.'), 3);
      expect(await importChangedFiles(store, configWith(), [folder], repeated)).toMatchObject({ added: 1, updated: 0 });
      // "start --once" makes a single call, which imports all files.
      writeAged(join(folder, 'last.md'), markdown('headline: Last'), 0);
      expect(await look(store, folder)).toMatchObject({ added: 1 });
    });

    it('clears the rejections of what is gone, and reads a file again that returns', async () => {
      const store = await open();
      const folder = temporaryFolder();
      const single = join(temporaryFolder(), 'single.md');
      mkdirSync(join(folder, 'desk'));
      for (const name of ['a.md', 'desk/b.md']) writeFileSync(join(folder, name), 'no front matter');
      writeFileSync(single, 'no front matter');
      writeFileSync(join(folder, 'wire.jsonl'), '{"id":"x"}\n{"id":"y"}\n');
      const rejected = async () =>
        (await listRejections(store.db, { limit: 9 })).map(({ source, line }) => `${basename(source)}:${line}`).sort();
      await look(store, folder, single);
      expect(await rejected()).toEqual(['a.md:null', 'b.md:null', 'single.md:null', 'wire.jsonl:1', 'wire.jsonl:2']);
      // Another folder says nothing about these files.
      await look(store, temporaryFolder());
      rmSync(join(folder, 'desk'), { recursive: true });
      rmSync(single);
      writeFileSync(join(folder, 'wire.jsonl'), '{"id":"x"}\n');
      await look(store, folder, single);
      expect(await rejected()).toEqual(['a.md:null', 'wire.jsonl:1']);
      mkdirSync(join(folder, 'desk'));
      writeFileSync(join(folder, 'desk/b.md'), 'no front matter');
      expect(await look(store, folder)).toMatchObject({ rejectedCount: 1 });
      // The whole folder may be on a disk that is not mounted.
      rmSync(folder, { recursive: true });
      await look(store, folder);
      expect(await rejected()).toEqual(['a.md:null', 'b.md:null', 'wire.jsonl:1']);
    });

    it('does not read an invalid file again until it changes', async () => {
      const store = await open();
      const file = join(temporaryFolder(), 'a.md');
      writeFileSync(file, 'no front matter');
      expect(await look(store, file)).toMatchObject({ rejectedCount: 1 });
      expect(await look(store, file)).toMatchObject({ rejectedCount: 0 });
      expect(await countRejections(store.db)).toBe(1);
      writeFileSync(file, markdown('headline: A'));
      expect(await look(store, file)).toMatchObject({ added: 1 });
      expect(await countRejections(store.db)).toBe(0);
    });

    it('keeps the articles of removed files', async () => {
      const store = await open();
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'a.md'), markdown('headline: A'));
      await look(store, folder);
      rmSync(join(folder, 'a.md'));
      expect(await look(store, folder)).toMatchObject({ added: 0, updated: 0, rejectedCount: 0 });
      expect(await findArticle(store.db, 'a')).toMatchObject({ status: { state: 'published' } });
    });

    it('warns of paths that do not exist with each call, and imports the others', async () => {
      const store = await open();
      const folder = temporaryFolder();
      mkdirSync(join(folder, 'there'));
      writeFileSync(join(folder, 'there/a.md'), markdown('headline: A'));
      const missing = join(folder, 'missing');
      const report = await look(store, missing, join(folder, 'there'));
      expect(report).toMatchObject({ added: 1, warningCount: 1 });
      expect(messagesOf(report).warnings).toEqual([`${missing}: does not exist`]);
      expect(await look(store, missing)).toMatchObject({ warningCount: 1 });
    });
  });

  describe('importReportedFiles', () => {
    forEachDatabase((open) => {
      const importReported = (store: Store, watched: string[], isWhole: boolean, ...files: string[]) => {
        const reported = files.map((path) => ({ path, isWhole }));
        return importReportedFiles(store, configWith(), watched, reported, { clock: () => NOW, undated: 'now' });
      };

      it('imports a whole file at once and only once, and no other file of its folder', async () => {
        const store = await open();
        const folder = temporaryFolder();
        mkdirSync(join(folder, 'desk'));
        const [story, wire] = [join(folder, 'desk/a.md'), join(folder, 'wire.jsonl')];
        writeAged(story, markdown('headline: A'), 0);
        writeAged(wire, '{"id":"line","headline":"L"}\n', 0);
        writeAged(join(folder, 'other.md'), markdown('headline: Other'), 60);
        expect(await importReported(store, [folder], true, story, wire)).toMatchObject({ added: 2, rejectedCount: 0 });
        expect(await importReported(store, [folder], true, story, wire)).toMatchObject({ added: 0, unchanged: 0 });
        expect(await findArticle(store.db, 'other')).toBeNull();
        // The next call for all files knows them.
        expect(await look(store, folder)).toMatchObject({ added: 1, unchanged: 0 });
      });

      it('leaves what is written in place until it is complete, and JSON Lines to the call for all files', async () => {
        const store = await open();
        const folder = temporaryFolder();
        const [story, wire] = [join(folder, 'a.md'), join(folder, 'wire.jsonl')];
        writeAged(story, markdown('headline: A'), 1.5);
        writeAged(wire, '{"id":"line","headline":"L"}\n', 60);
        expect(await importReported(store, [folder], false, story, wire)).toMatchObject({ added: 0 });
        writeAged(story, markdown('headline: A'), 2);
        expect(await importReported(store, [folder], false, story, wire)).toMatchObject({ added: 1 });
      });

      it('leaves out what is not at or below a watched path, hidden, no article, or gone', async () => {
        const store = await open();
        const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
        mkdirSync(join(folder, '.drafts'));
        const single = join(elsewhere, 'single.md');
        const others = ['.drafts/b.md', 'notes.txt'].map((name) => join(folder, name));
        others.push(join(elsewhere, 'beside.md'));
        for (const file of [...others, single]) writeFileSync(file, markdown('headline: H'));
        const report = await importReported(store, [folder, single], true, ...others, join(folder, 'gone.md'), single);
        expect(report).toMatchObject({ added: 1, rejectedCount: 0, warningCount: 0 });
        expect(await findArticle(store.db, 'single')).not.toBeNull();
      });
    });
  });

  it('pauses between the batches of a large file in the background, and only there', async () => {
    const file = join(temporaryFolder(), 'large.jsonl');
    writeFileSync(
      file,
      Array.from({ length: 1_500 }, (_, n) => `{"id":"${n}","headline":"H","published":"2026-11-02"}\n`).join(''),
    );
    const setTimeout = vi.spyOn(timers, 'setTimeout');
    syncBuiltinESMExports();
    onTestFinished(() => {
      setTimeout.mockRestore();
      syncBuiltinESMExports();
    });
    for (const isRepeated of [false, true]) {
      setTimeout.mockClear();
      const store = await openMigrated();
      const report = await importChangedFiles(store, configWith(), [file], {
        clock: () => NOW,
        isRepeated,
      });
      await store.close();
      expect(report).toMatchObject({ added: 1_500 });
      // The watch of a server that an earlier test used waits for whole seconds.
      const pauses = setTimeout.mock.calls.map(([milliseconds]) => milliseconds as number).filter((ms) => ms < 1_000);
      // 15 batches, and the empty one that ends the file.
      expect(pauses).toHaveLength(isRepeated ? 16 : 0);
      for (const pause of pauses) expect(pause).toBeGreaterThan(0);
    }
  });
});
