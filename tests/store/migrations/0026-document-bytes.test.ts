import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { findDocument, listDocuments } from '../../../src/feeds/documents.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { openStore } from '../../../src/store/store.ts';
import { newPostgresUrl } from '../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)('keeps the documents of a %s store, with their times', async (dialect) => {
  const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
  const store = await openStore({ databaseUrl, path: ':memory:' });
  try {
    const db = store.db as unknown as Kysely<unknown>;
    const before = Object.entries(MIGRATIONS).filter(([name]) => name < '0026');
    for (const [, migrate] of before) await migrate(db, dialect);
    const bodies = { 'a.rss': 'Größe', 'b.atom': 'A longer one. '.repeat(5_000) };
    for (const [path, body] of Object.entries(bodies)) {
      const [gzip, brotli] = [gzipSync(body), brotliCompressSync(body)].map((bytes) => bytes.toString('base64'));
      await sql`insert into documents (path, media_type, hash, modified_at, size, gzip, brotli)
        values (${path}, 'text/xml', ${`hash of ${path}`}, 5000, ${Buffer.byteLength(body)}, ${gzip}, ${brotli})`.execute(
        db,
      );
    }
    await MIGRATIONS['0026-document-bytes']?.(db, dialect);
    expect(await listDocuments(store.db)).toEqual(
      Object.entries(bodies).map(([path, body]) => {
        const size = Buffer.byteLength(body);
        return { path, mediaType: 'text/xml', hash: `hash of ${path}`, modifiedAt: 5_000, size };
      }),
    );
    for (const [path, body] of Object.entries(bodies)) {
      const document = await findDocument(store.db, path);
      expect(document?.body.toString()).toBe(body);
      expect(document?.codings.br.equals(brotliCompressSync(body))).toBe(true);
    }
  } finally {
    await store.close();
  }
});
