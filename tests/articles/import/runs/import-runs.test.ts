import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { editArticle } from '../../../../src/articles/edits/edit-article.ts';
import { type ArticleImportOptions, importPaths } from '../../../../src/articles/import/import.ts';
import { importAsRun, listImportRuns, undoRun } from '../../../../src/articles/import/runs/import-runs.ts';
import { importWatched } from '../../../../src/articles/import/watched/watched-folders.ts';
import { findArticle } from '../../../../src/articles/queries.ts';
import { findDocument } from '../../../../src/feeds/documents.ts';
import { publishChanges } from '../../../../src/feeds/publish/publish.ts';
import { publishFeeds } from '../../../../src/feeds/publish/publish-feeds.ts';
import { HOUR, SECOND } from '../../../../src/lib/time.ts';
import { markdown } from '../../../support/articles.ts';
import { forEachDatabase, openMigrated } from '../../../support/databases.ts';
import { openTestApp, type TestApp } from '../../../support/test-app.ts';

function write(app: TestApp, names: string[], keys = ''): string {
  const folder = join(app.folder, 'in');
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    const head = `headline: Solar Roofs ${name}\npublished: 2026-11-24 08:00\ntags: [energy]\nauthor: Ada Example\n${keys}`;
    writeFileSync(join(folder, `${name}.md`), markdown(head));
  }
  return folder;
}

/** Imports as the command does, a second later. */
async function run(app: TestApp, path: string, options: Partial<ArticleImportOptions> = {}) {
  app.now += SECOND;
  const { store, config, clock } = app;
  const { run: id, result } = await importAsRun(store.db, path, clock(), (run) =>
    importPaths(store, config, [path], { clock, run, ...options }),
  );
  return { run: id ?? 0, result };
}

async function publish(app: TestApp): Promise<string> {
  app.now += SECOND;
  await publishChanges(app);
  return readFileSync(join(app.config.paths.feeds, 'latest.json'), 'utf8');
}

/** Rows that have to do with articles, by table. */
async function rows({ store }: TestApp): Promise<Record<string, number>> {
  const tables = [
    'articles',
    'article_tags',
    'article_reporters',
    'article_slugs',
    'indexed_articles',
    'article_edits',
  ];
  const counts = [...tables, 'pending_changes', 'import_run_articles', 'remote_image_uses'].map(
    async (name): Promise<[string, number]> => {
      const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(name)}`.execute(store.db);
      return [name, Number(rows[0]?.n)];
    },
  );
  return Object.fromEntries(await Promise.all(counts));
}

describe('a run of "daywire import"', () => {
  forEachDatabase((open) => {
    it('leaves no row behind when it is undone before anything has shown it', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const before = await rows(app);
      const folder = write(app, ['one', 'two'], 'image: https://example.com/a.jpg');
      write(app, ['draft'], 'state: draft');
      write(app, ['later'], 'state: scheduled\nembargo: 2027-01-01 08:00');
      const { run: id } = await run(app, folder);
      expect(await listImportRuns(app.store.db)).toMatchObject([{ id, input: folder, added: 4, undone_at: null }]);
      expect(await undoRun(app, id)).toEqual({ deleted: 4, retracted: 0 });
      expect(await rows(app)).toEqual(before);
      expect(await undoRun(app, id)).toBeNull();
      expect(await undoRun(app, 99)).toBeNull();
      expect(await listImportRuns(app.store.db)).toMatchObject([{ id, added: 4, undone_at: app.now }]);
      expect((await run(app, folder)).result).toMatchObject({ added: 4 });
    });

    it('is retracted where feeds have shown it, and published again by the next import, as the same item', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const folder = write(app, ['one', 'two']);
      write(app, ['draft'], 'state: draft');
      const { run: first } = await run(app, folder);
      expect(await publish(app)).toContain('Solar Roofs one');
      const { tagUri } = (await findArticle(app.store.db, 'one')) ?? {};
      expect(await undoRun(app, first)).toEqual({ deleted: 1, retracted: 2 });
      expect(await publish(app)).not.toContain('Solar Roofs one');
      const again = await run(app, folder);
      expect(again.result).toMatchObject({ added: 1, updated: 2 });
      expect(await findArticle(app.store.db, 'one')).toMatchObject({ tagUri, status: { state: 'published' } });
      const feed = await publish(app);
      for (const text of ['Solar Roofs one', 'Solar Roofs two', tagUri]) expect(feed).toContain(text);
      // What it has brought back, it can take back. What was wrong may be the date.
      expect(await undoRun(app, again.run)).toMatchObject({ deleted: 1, retracted: 2 });
      expect(await publish(app)).not.toContain('Solar Roofs one');
      const file = join(folder, 'one.md');
      writeFileSync(file, readFileSync(file, 'utf8').replace('2026-11-24 08:00', '2015-03-26 08:00'));
      expect((await run(app, folder)).result).toMatchObject({ updated: 2, warningCount: 0 });
      const publishedAt = Date.UTC(2015, 2, 26);
      expect(await findArticle(app.store.db, 'one')).toMatchObject({ publishedAt, status: { state: 'published' } });
    });

    it('is deleted while feeds with it are built: they are built again, without it', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const { run: id } = await run(app, write(app, ['one', 'two']));
      const { db } = app.store;
      let undone: Promise<unknown> | undefined;
      // Feeds have been built when they are stored in a transaction.
      const undoFirst = new Proxy(db, {
        get: (target, key) => {
          const member = Reflect.get(target, key, target) as unknown;
          if (key !== 'transaction') return typeof member === 'function' ? member.bind(target) : member;
          return () => ({
            execute: async (work: Parameters<ReturnType<typeof db.transaction>['execute']>[0]) => {
              undone ??= undoRun(app, id);
              await undone;
              return target.transaction().execute(work);
            },
          });
        },
      });
      const { config, templates, now } = app;
      await publishFeeds({ ...app.store, db: undoFirst }, config, templates, { now, hasChanges: true });
      expect(await undone).toEqual({ deleted: 2, retracted: 0 });
      expect((await findDocument(db, 'latest.json'))?.body.toString()).not.toContain('Solar Roofs');
    });

    it('is retracted if the feeds that show it are stored at the same time', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const { run: id } = await run(app, write(app, ['one', 'two']));
      const { store, config, templates, now } = app;
      let undone: Promise<unknown> | undefined;
      const onStored = async (): Promise<void> => {
        undone = undoRun(app, id);
      };
      await publishFeeds(store, config, templates, { now, hasChanges: true, onStored });
      expect(await undone).toEqual({ deleted: 0, retracted: 2 });
    });

    it('is retracted where an editor or another import has changed it since, not deleted', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const folder = write(app, ['imported', 'same']);
      write(app, ['edited'], 'state: draft');
      const { run: id } = await run(app, folder);
      const { digest: seen } = await app.store.db
        .selectFrom('articles')
        .select('digest')
        .where('id', '=', 'edited')
        .executeTakeFirstOrThrow();
      await editArticle(app, 'edited', { dek: 'Mine.', notice: { kind: 'silent' } }, { seen, author: 'Ann' });
      write(app, ['imported'], 'dek: A later version.');
      await run(app, folder);
      expect(await undoRun(app, id)).toEqual({ deleted: 1, retracted: 2 });
      for (const [name, dek] of Object.entries({ edited: 'Mine.', imported: 'A later version.' })) {
        expect(await findArticle(app.store.db, name)).toMatchObject({ dek, status: { state: 'retracted' } });
      }
    });
  });

  it('is no run if it has added nothing, and only the last 50 are kept', async () => {
    const app = openTestApp(await openMigrated(), { feeds: [] });
    const folder = write(app, ['one']);
    await run(app, folder);
    await run(app, folder);
    expect(await listImportRuns(app.store.db)).toHaveLength(1);
    for (let n = 0; n < 50; n++) {
      write(app, [`more-${n}`]);
      await run(app, folder);
    }
    const runs = await listImportRuns(app.store.db);
    expect(runs).toHaveLength(50);
    expect(runs[0]).toMatchObject({ added: 1, started_at: app.now });
    expect(await rows(app)).toMatchObject({ articles: 51, import_run_articles: 50 });
  });

  it('stays undone in a watched folder until a file changes', async () => {
    const app = openTestApp(await openMigrated(), { feeds: ['latest'] });
    const folder = write(app, ['one', 'two']);
    app.config.import.watch = [folder];
    const { run: id } = await run(app, folder);
    await undoRun(app, id);
    app.now += HOUR;
    expect(await importWatched(app, {})).toMatchObject({ added: 0, updated: 0 });
    write(app, ['one'], 'dek: Now it is right.');
    expect(await importWatched(app, {})).toMatchObject({ added: 1 });
  });
});
