import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queueEdition } from '../../scripts/test-edition.ts';
import { type Rehearsal, rehearseRestore } from '../../src/app/rehearse-restore.ts';
import type { Config } from '../../src/core/config/config.ts';
import { openSigningSecrets } from '../../src/core/signing-secret.ts';
import { backupStore } from '../../src/core/store/backup/backup.ts';
import { SECRET_FINGERPRINT } from '../../src/core/store/meta.ts';
import { migrate } from '../../src/core/store/schema.ts';
import { type Dialect, openStore, type Store } from '../../src/core/store/store.ts';
import { HOUR } from '../../src/lib/time.ts';
import { clockAt, NOW } from '../support/clock.ts';
import { newPostgresUrl } from '../support/databases.ts';
import { sampleConfig } from '../support/sample.ts';

describe.each<Dialect>(['sqlite', 'postgres'])('the rehearsal of a restore on %s', (dialect) => {
  let [folder, backup] = ['', ''];
  let config: Config;
  let store: Store;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'daywire-test-'));
    const databaseUrl = dialect === 'postgres' ? await newPostgresUrl() : undefined;
    const env = { DAYWIRE_SECRET: 's'.repeat(40), ...(databaseUrl && { DAYWIRE_DATABASE_URL: databaseUrl }) };
    config = sampleConfig(undefined, { cwd: folder, env });
    store = await openStore({ databaseUrl, path: config.paths.store });
    if (dialect === 'sqlite') await migrate(store);
    await openSigningSecrets(config, store);
    await queueEdition(store, 3, { closedAt: NOW - 2 * HOUR });
    backup = join(folder, 'backup.db');
    await backupStore(store, backup, NOW - HOUR);
  });
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  /** Rehearses a copy of the backup. @param changes statements, which are executed in the copy without any check */
  async function rehearse(changes = '', signal?: AbortSignal): Promise<Rehearsal> {
    const file = join(folder, 'copy.db');
    copyFileSync(backup, file);
    const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
    database.exec(changes);
    database.close();
    return rehearseFile(file, signal);
  }

  async function rehearseFile(file: string, signal?: AbortSignal): Promise<Rehearsal> {
    try {
      return await rehearseRestore({ file, config, clock: clockAt(NOW).clock, ...(signal && { signal }) });
    } finally {
      const files = existsSync(config.paths.data) ? readdirSync(config.paths.data) : [];
      expect(files.filter((name) => !name.startsWith('daywire.db'))).toEqual([]);
    }
  }

  it('finds a good backup, and counts its rows', async () => {
    expect(await rehearse()).toMatchObject({
      problem: null,
      madeAt: NOW - HOUR,
      tables: { subscribers: 3, editions: 1, deliveries: 3 },
    });
  });

  it('says what is wrong with a file that is missing, no database, or damaged', async () => {
    const missing = join(folder, 'missing.db');
    expect((await rehearseFile(missing)).problem).toBe(`there is no file ${missing}`);
    const text = join(folder, 'text.db');
    writeFileSync(text, 'no database at all'.repeat(1_000));
    expect((await rehearseFile(text)).problem).toBe(`${text} cannot be read: file is not a database`);
    const short = join(folder, 'short.db');
    copyFileSync(backup, short);
    truncateSync(short, 200_000);
    expect((await rehearseFile(short)).problem).toMatch(/short\.db (is damaged|cannot be read)/);
  });

  it('says why a backup cannot be restored', async () => {
    const future = await rehearse(`insert into kysely_migration values ('9999-future', '2027-01-01')`);
    expect(future.problem).toMatch(/has had 9999-future, which this version does not know/);
    const broken = await rehearse('delete from subscribers where id = 2');
    expect(broken.problem).toMatch(/^cannot be restored: .*foreign key/i);
    const secret = await rehearse(`update meta set value = 'another' where key = '${SECRET_FINGERPRINT}'`);
    expect(secret.problem).toMatch(/^cannot be restored: .*the signing secret .* is not the one/);
  });

  it('deletes the temporary store when it is interrupted', async () => {
    await expect(rehearse('', AbortSignal.abort(new Error('interrupted')))).rejects.toThrow('interrupted');
  });
});
