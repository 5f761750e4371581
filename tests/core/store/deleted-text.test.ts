import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import { runRetention } from '../../../src/app/background-tasks.ts';
import { clearRejection, recordRejection } from '../../../src/articles/rejections.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import { backupStore } from '../../../src/core/store/backup/backup.ts';
import { truncateLog, vacuumIfDue } from '../../../src/core/store/deleted-text.ts';
import { readMeta, VACUUM_DUE, writeMeta } from '../../../src/core/store/meta.ts';
import { openStore, type Store } from '../../../src/core/store/store.ts';
import { DAY } from '../../../src/lib/time.ts';
import { addConfirmed, NOW, requestNewsletters } from '../../audience/fixtures.ts';
import { newFolder } from '../../support/command.ts';
import { openSqliteFile } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { openTestApp } from '../../support/test-app.ts';

const EMAIL = 'grace.hopper@example.com';

const open = async (): Promise<Store> => (await openSqliteFile()).store;

/** Everything that the files of a store contain, free pages and log included. */
function bytesOf(path: string): string {
  const files = ['', '-wal', '-shm'].map((suffix) => path + suffix).filter((file) => existsSync(file));
  return files.map((file) => readFileSync(file, 'latin1')).join('\n');
}

function contains(path: string): boolean {
  const bytes = bytesOf(path);
  expect(bytes.startsWith('SQLite format 3')).toBe(true);
  return bytes.includes(EMAIL);
}

describe('vacuumIfDue', () => {
  it('fails while the disk has less than twice the size of the file free, and succeeds with more', async () => {
    const store = await open();
    await addConfirmed(store, EMAIL);
    await truncateLog(store.db);
    await writeMeta(store.db, VACUUM_DUE, 'erasure');
    const size = statSync(store.location).size;
    const asked: string[] = [];
    const withFreeSpace = (bytes: number) =>
      vacuumIfDue(
        store.db,
        () => asked.push('started'),
        async (folder) => {
          asked.push(folder);
          return bytes;
        },
      );
    const folder = dirname(store.location);
    const reason = `it needs ${Math.ceil((2 * size) / 2 ** 20)} MB of free disk space beside ${store.location}`;
    expect(await withFreeSpace(2 * size - 1)).toEqual({ kind: 'failed', reason });
    expect(asked).toEqual([folder]);
    expect(await readMeta(store.db, VACUUM_DUE)).toBe('erasure');
    expect(await withFreeSpace(2 * size)).toEqual({ kind: 'done' });
    expect(asked).toEqual([folder, folder, 'started']);
    expect(await readMeta(store.db, VACUUM_DUE)).toBeUndefined();
  });
});

describe('the files of an SQLite store', () => {
  it('do not contain an erased address in plain bytes, nor does a backup', async () => {
    const store = await open();
    const { editionId, subscriberIds } = await queueEdition(store, [EMAIL, 'other@example.com']);
    const id = subscriberIds[0] as number;
    await requestNewsletters(store, ['weekly'], { email: EMAIL, zone: 'Asia/Tokyo' });
    const quoting = { reply: `550 <${EMAIL}>`, reason: `${EMAIL} is unknown` };
    await store.db.updateTable('deliveries').set(quoting).where('subscriber_id', '=', id).execute();
    await store.db.updateTable('service_messages').set(quoting).where('subscriber_id', '=', id).execute();
    const bounce = { edition_id: editionId, subscriber_id: id, kind: 'soft', status: '4.2.2', at: NOW } as const;
    // On pages of its own.
    await store.db
      .insertInto('bounces')
      .values({ ...bounce, detail: `${EMAIL} is full`.repeat(500) })
      .execute();
    expect(contains(store.location)).toBe(true);

    expect(await eraseSubscriber(store.db, SECRETS, id, NOW)).toBe(true);
    expect(contains(store.location)).toBe(false);
    expect(bytesOf(store.location).includes('other@example.com')).toBe(true);
    const backup = join(dirname(store.location), 'backup.db');
    await backupStore(store, backup, NOW);
    expect(contains(backup)).toBe(false);
  });

  it('do not contain an erased address on pages that were split', async () => {
    const store = await open();
    const nameOf = (id: number): string => `p${(id * 7_919) % 100_003}x${id}@mail${id % 7}.example.com`;
    const names = JSON.stringify(Array.from({ length: 20_000 }, (_, at) => nameOf(at + 1)));
    await sql`insert into subscribers (email, email_key, created_at)
      select value, value, ${NOW} from json_each(${names})`.execute(store.db);
    // Rows that grow move to other pages.
    await sql`update subscribers set zone = substr(hex(zeroblob(100)), 1, id * 37 % 200) where id % 4 = 0`.execute(
      store.db,
    );
    const ids = Array.from({ length: 20 }, (_, at) => at * 1_000 + 7);
    for (const id of ids) await eraseSubscriber(store.db, SECRETS, id, NOW);
    const bytes = bytesOf(store.location);
    expect(bytes.includes(nameOf(1))).toBe(true);
    expect(ids.filter((id) => bytes.includes(nameOf(id)))).toEqual([]);
  });

  it('do not contain what imports and retention have deleted, after the hourly retention', async () => {
    const app = openTestApp(await open());
    const { store } = app;
    const entry = { stage: 'import', source: 'a.md', line: 1, articleId: null, problems: [], raw: EMAIL } as const;
    await recordRejection(store.db, { ...entry, problems: [] }, NOW);
    await requestNewsletters(store, ['daily'], { email: EMAIL, now: NOW });
    await clearRejection(store.db, entry);
    app.now = NOW + app.config.signup.deleteUnconfirmedAfterDays * DAY + 1;
    expect(contains(store.location)).toBe(true);
    expect(await runRetention(app)).toMatchObject({ unconfirmed: 1 });
    expect(contains(store.location)).toBe(false);
  });
});

it('"daywire migrate" and "daywire start" say that they rewrite a store that an erasure has marked', async () => {
  const folder = newFolder('sample');
  await folder.run(['subscribers', 'add', 'ada@example.com']);
  const mark = async (): Promise<void> => {
    const store = await openStore({ path: join(folder.path, 'var/daywire.db') });
    await writeMeta(store.db, VACUUM_DUE, 'erasure');
    await store.close();
  };
  await mark();
  const migrated = await folder.run(['migrate']);
  expect(migrated).toMatchObject({ code: 0, stdout: expect.stringMatching(/is up to date\n.* was rewritten/) });
  expect((await folder.run(['migrate'])).stdout).not.toMatch(/rewritten/);
  await mark();
  const started = await folder.run(['start', '--once', '--role', 'deliver'], { DAYWIRE_LOG: 'info' });
  expect(started).toMatchObject({ code: 0, stderr: expect.stringMatching(/rewriting the file of the store/) });
});
