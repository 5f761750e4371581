/**
 * The rehearsal of a restore: a backup is restored into a temporary store, checked there, and compared with the live
 * store. Nothing is mailed, and nothing in the live store is changed.
 */
import { stat } from 'node:fs/promises';
import type { Config } from '../../core/config/config.ts';
import { SecretError, type SigningSecrets } from '../../core/config/signing-secrets.ts';
import { secondsSince } from '../../core/metrics.ts';
import { verifySigningSecrets } from '../../core/signing-secret.ts';
import { backupInstant, openBackup, restoreStore } from '../../core/store/backup/backup.ts';
import { readTables } from '../../core/store/backup/copy-tables.ts';
import { compareTable, findBrokenReferences, type TableComparison } from '../../core/store/backup/table-checksum.ts';
import { isStoreTrouble, withTemporaryDatabase, withTemporaryFile } from '../../core/store/backup/temporary-store.ts';
import { DELIVERY_HELD, readMeta } from '../../core/store/meta.ts';
import { schemaState } from '../../core/store/schema.ts';
import { type Db, type Dialect, type Store, StoreError } from '../../core/store/store.ts';
import { prepareMessages } from '../../delivery/message/edition-message.ts';
import { findEdition, listEditions } from '../../editions/queries.ts';
import type { Clock } from '../../lib/time.ts';
import { type AfterRelease, readAfterRelease } from './after-release.ts';
import { countLostSince, countSubmittedSince, type LostSince, openLiveStore } from './live-store.ts';

export interface RehearsalRequest {
  /** Made by `backupStore`. */
  readonly file: string;
  readonly config: Config;
  readonly clock: Clock;
  /** Gets what is done, and the number of rows so far. */
  readonly onProgress?: (activity: 'restoring' | 'comparing', rows: number) => void;
  /** Ends the rehearsal early. The temporary store is deleted even so. */
  readonly signal?: AbortSignal;
}

export interface Rehearsal {
  file: string;
  /** Why a restore would fail or lose something, for an operator; empty if the backup is good. */
  problems: string[];
  /** Null for a file that says nothing about it. */
  madeAt: number | null;
  bytes: number;
  /** Where it was restored; null where it was not. `note` says why not on the database of the configuration. */
  restored: { dialect: Dialect; note: string | null } | null;
  rows: number;
  tables: TableComparison[];
  /** The newest edition of each newsletter, of which a copy was made. */
  editions: { newsletter: string; slot: string; problem: string | null }[];
  /** `submittedSince`: deliveries that the live store has submitted after the backup; null where it is not known. */
  afterRelease: {
    editions: (AfterRelease['editions'][number] & { submittedSince: number | null })[];
    serviceMessages: number;
  } | null;
  live: { kind: 'compared'; lost: LostSince } | { kind: 'not-compared'; reason: string };
  startedAt: number;
  seconds: { restore: number; compare: number; all: number };
}

/** The rehearsal was ended by its signal. */
class RehearsalInterrupted extends Error {
  override name = 'RehearsalInterrupted';
}

/**
 * Restores a backup into a temporary store and checks it.
 * @returns what was found: a backup that cannot be restored is a problem in it
 * @throws StoreError where the server of the configuration cannot be reached, or there is too little room: neither says
 * anything about the backup
 * @throws RehearsalInterrupted after the signal
 */
export async function rehearseRestore(request: RehearsalRequest): Promise<Rehearsal> {
  const { file, config, clock } = request;
  const { databaseUrl } = config.secrets;
  const startedAt = clock();
  const rehearsal: Rehearsal = {
    file,
    problems: [],
    madeAt: null,
    bytes: 0,
    restored: null,
    rows: 0,
    tables: [],
    editions: [],
    afterRelease: null,
    live: { kind: 'not-compared', reason: 'the backup cannot be read' },
    startedAt,
    seconds: { restore: 0, compare: 0, all: 0 },
  };
  let backup: Store;
  try {
    backup = await openBackup(file);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    rehearsal.problems.push(error.message);
    rehearsal.seconds.all = secondsSince(startedAt, clock());
    return rehearsal;
  }
  try {
    rehearsal.bytes = (await stat(file)).size;
    rehearsal.madeAt = await backupInstant(backup.db);
    const secrets = await verifySecrets(rehearsal, config, backup.db);
    const work = (store: Store) => checkRestored(rehearsal, request, { backup, store, secrets });
    if (databaseUrl === undefined) await withTemporaryFile(config.paths.data, rehearsal.bytes, work);
    else {
      const done = await withTemporaryDatabase(databaseUrl, work);
      if (done.kind === 'refused') {
        await withTemporaryFile(config.paths.data, rehearsal.bytes, work);
        const note = `not on PostgreSQL, because its role may not create a database (${done.reason})`;
        if (rehearsal.restored !== null) rehearsal.restored.note = note;
      }
    }
    if (rehearsal.restored !== null) await compareWithLive(rehearsal, config);
  } finally {
    await backup.close();
  }
  rehearsal.seconds.all = secondsSince(startedAt, clock());
  return rehearsal;
}

async function verifySecrets(rehearsal: Rehearsal, config: Config, backup: Db): Promise<SigningSecrets | null> {
  const dialect = config.secrets.databaseUrl === undefined ? 'sqlite' : 'postgres';
  try {
    return (await verifySigningSecrets(config, backup, dialect)).secrets;
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    rehearsal.problems.push(error.message);
    return null;
  }
}

async function checkRestored(
  rehearsal: Rehearsal,
  { file, config, clock, onProgress, signal }: RehearsalRequest,
  { backup, store, secrets }: { backup: Store; store: Store; secrets: SigningSecrets | null },
): Promise<void> {
  const { problems, seconds } = rehearsal;
  const goOn = (activity: 'restoring' | 'comparing', rows: number): void => {
    if (signal?.aborted === true) throw new RehearsalInterrupted('interrupted: the temporary store is deleted');
    onProgress?.(activity, rows);
  };
  goOn('restoring', 0);
  const restoreFrom = clock();
  try {
    await restoreStore(file, store, restoreFrom, { onProgress: (rows) => goOn('restoring', rows) });
  } catch (error) {
    if (error instanceof RehearsalInterrupted) throw error;
    const { message } = error as Error;
    if (isStoreTrouble(error))
      throw new StoreError(`the backup was not tried to its end: ${message}`, { cause: error });
    problems.push(`cannot be restored: ${message}`);
    return;
  }
  rehearsal.restored = { dialect: store.dialect, note: null };
  seconds.restore = secondsSince(restoreFrom, clock());

  const compareFrom = clock();
  await backup.db.transaction().execute((from) =>
    store.db.transaction().execute(async (to) => {
      problems.push(...(await findBrokenReferences(from)));
      let read = 0;
      for (const shape of await readTables(from)) {
        const comparison = await compareTable(from, to, shape, (rows) => {
          read += rows;
          goOn('comparing', read);
        });
        rehearsal.tables.push(comparison);
        rehearsal.rows += comparison.rows;
        if (comparison.difference !== null) problems.push(`${comparison.table}: ${comparison.difference}`);
      }
    }),
  );
  seconds.compare = secondsSince(compareFrom, clock());

  const { kind } = await schemaState(store);
  if (kind !== 'current') problems.push(`the schema of the restored store is ${kind}`);
  if ((await readMeta(store.db, DELIVERY_HELD)) === undefined)
    problems.push('the restored store does not hold its queue');
  if (secrets !== null) await readNewestEditions(rehearsal, config, store.db, secrets);
  const afterRelease = await readAfterRelease(store.db, clock());
  const editions = afterRelease.editions.map((edition) => ({ ...edition, submittedSince: null }));
  rehearsal.afterRelease = { ...afterRelease, editions };
}

/** Makes a copy of the newest edition of each newsletter for an invented subscriber, and submits it nowhere. */
async function readNewestEditions(
  { editions, problems }: Rehearsal,
  config: Config,
  db: Db,
  secrets: SigningSecrets,
): Promise<void> {
  for (const newsletter of config.newsletters) {
    const [newest] = await listEditions(db, newsletter.id, 1);
    if (newest === undefined) continue;
    const { slot } = newest;
    let problem: string | null = null;
    try {
      const edition = await findEdition(db, newsletter.id, slot);
      if (edition === null) throw new Error('it is not found');
      const makeMessage = prepareMessages(edition, newsletter, config, secrets, []);
      await makeMessage({ subscriberId: 0, email: 'rehearsal@example.com', tokenVersion: 1, expiresAt: null, now: 0 });
    } catch (error) {
      problem = (error as Error).message;
      problems.push(`no copy can be made of the edition ${newsletter.id}/${slot}: ${problem}`);
    }
    editions.push({ newsletter: newsletter.id, slot, problem });
  }
}

async function compareWithLive(rehearsal: Rehearsal, config: Config): Promise<void> {
  const { madeAt, afterRelease } = rehearsal;
  const live = await openLiveStore(config);
  if (!('store' in live)) {
    rehearsal.live = { kind: 'not-compared', reason: live.reason };
    return;
  }
  const { reports } = live.store;
  try {
    if (madeAt === null) {
      rehearsal.live = { kind: 'not-compared', reason: 'the backup does not say when it was made' };
      return;
    }
    rehearsal.live = { kind: 'compared', lost: await countLostSince(reports, madeAt) };
    for (const edition of afterRelease?.editions ?? []) {
      edition.submittedSince = await countSubmittedSince(reports, edition, madeAt);
    }
  } finally {
    await live.store.close();
  }
}
