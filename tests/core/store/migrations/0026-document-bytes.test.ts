import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../../../../src/core/store/migrations.ts';
import { migrate } from '../../../../src/core/store/schema.ts';
import { openStore, type Store } from '../../../../src/core/store/store.ts';
import { findDocument, listDocuments } from '../../../../src/feeds/documents.ts';
import { newPostgresUrl } from '../../../support/databases.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const BODIES = { 'a.rss': 'Größe', 'b.atom': 'A longer one. '.repeat(5_000) };

/** A store with these documents, before the migration. */
async function openFormer(databaseUrl: string | undefined, path: string): Promise<Store> {
  const store = await openStore({ databaseUrl, path });
  const former = Object.entries(MIGRATIONS).filter(([name]) => name < '0026');
  const migrations = former.map(([name, up]) => [name, { up: (db: Kysely<unknown>) => up(db, store.dialect) }]);
  const provider = { getMigrations: async () => Object.fromEntries(migrations) };
  const { error } = await new Migrator({ db: store.db, provider }).migrateToLatest();
  if (error !== undefined) throw error;
  for (const [path, body] of Object.entries(BODIES)) {
    const bodies = [gzipSync(body), brotliCompressSync(body)].map((bytes) => bytes.toString('base64'));
    await sql`insert into documents (path, media_type, hash, modified_at, size, gzip, brotli)
      values (${path}, 'text/xml', ${`hash of ${path}`}, 5000, ${Buffer.byteLength(body)}, ${sql.join(bodies)})`.execute(
      store.db,
    );
  }
  return store;
}

it.each(['sqlite', 'sqlite in memory', 'postgres'])('keeps the documents of a store on %s', async (kind) => {
  const databaseUrl = kind === 'postgres' ? await newPostgresUrl('empty') : undefined;
  const path = kind === 'sqlite' ? join(temporaryFolder(), 'daywire.db') : ':memory:';
  const store = await openFormer(databaseUrl, path);
  try {
    expect(await migrate(store)).toContain('0026-document-bytes');
    const heads = Object.entries(BODIES).map(([path, body]) => {
      const size = Buffer.byteLength(body);
      return { path, mediaType: 'text/xml', hash: `hash of ${path}`, modifiedAt: 5_000, size };
    });
    expect(await listDocuments(store.db)).toEqual(heads);
    for (const [path, body] of Object.entries(BODIES)) {
      const document = await findDocument(store.db, path);
      expect(document?.body.toString()).toBe(body);
      expect(document?.codings.br.equals(brotliCompressSync(body))).toBe(true);
    }
    expect(await shapeOf(store)).toEqual(
      store.dialect === 'sqlite'
        ? ['documents.gzip blob 1', 'documents.brotli blob 1', 'key path', 'index documents_heads']
        : ['documents.gzip bytea true e', 'documents.brotli bytea true e'],
    );
  } finally {
    await store.close();
  }
});

/** Column types, whether they are required, keys and indexes; of PostgreSQL, which changes columns, those alone. */
async function shapeOf({ db, dialect }: Store): Promise<string[]> {
  const query =
    dialect === 'sqlite'
      ? `select 'documents.' || name || ' ' || lower(type) || ' ' || "notnull" as line
           from pragma_table_info('documents') where name in ('gzip', 'brotli')
         union all select 'key ' || name from pragma_table_info('documents') where pk > 0
         union all select 'index ' || name from sqlite_schema where tbl_name = 'documents' and name = 'documents_heads'`
      : `select concat('documents.', attname, ' ', format_type(atttypid, null), ' ',
           case when attnotnull then 'true' else 'false' end, ' ', attstorage) as line
         from pg_attribute where attrelid = 'documents'::regclass and attname in ('gzip', 'brotli') order by attnum`;
  const { rows } = await sql.raw<{ line: string }>(query).execute(db);
  return rows.map(({ line }) => line);
}
