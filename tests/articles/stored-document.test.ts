import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { benchArticle } from '../../bench/import.ts';
import { findArticle, findPublicArticles, jsonBytes } from '../../src/articles/queries.ts';
import { DOCUMENT_COLUMNS, documentJson, encodeDocument, toArticle } from '../../src/articles/stored-document.ts';
import { article, saveAll } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';

describe('a stored article', () => {
  it('is read as it was encoded, whatever text it has', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 }).map((s) => s.toWellFormed());
    fc.assert(
      fc.property(text, text, fc.integer({ min: 1, max: 3_000 }), (headline, body, times) => {
        const original = article('a', { headline, bodyHtml: body.repeat(times), tags: [body] });
        const encoded = encodeDocument(original);
        expect(toArticle(encoded)).toEqual(original);
        expect(encoded.json_bytes).toBe(Buffer.byteLength(documentJson(encoded)));
      }),
      { numRuns: 50 },
    );
  });

  it('that is long, or compresses a thousandfold, is read as it was encoded', () => {
    for (const bodyHtml of ['x'.repeat(1_000_000), Array.from({ length: 60_000 }, (_, n) => n * n).join(' ')]) {
      const original = article('a', { bodyHtml });
      expect(toArticle(encodeDocument(original))).toEqual(original);
    }
  });

  it('takes less than a quarter of its JSON', () => {
    const { body } = benchArticle(1) as { body: string };
    const paragraphs = body.split('\n\n').map((paragraph) => `<p>${paragraph}</p>`);
    const original = article('a', { body: { format: 'markdown', source: body }, bodyHtml: paragraphs.join('\n') });
    const { compressed, json_bytes } = encodeDocument(original);
    expect(compressed?.length).toBeLessThan(json_bytes / 4);
  });

  it('is read as an earlier version stored it', () => {
    const original = article('a', { headline: 'Größe “50 %”' });
    expect(toArticle({ document: JSON.stringify(original), compressed: null })).toEqual(original);
    const { url: _, also: __, ...older } = original;
    expect(toArticle({ document: JSON.stringify(older), compressed: null })).toEqual(original);
  });

  it('is read as the first version that compressed stored it: the dictionary may never change', () => {
    const compressed = Buffer.from(FIRST_VERSION, 'base64');
    expect(toArticle({ document: '', compressed })).toEqual(article('first', { tags: ['Chips'] }));
  });

  it('throws if it is damaged', () => {
    const { compressed } = encodeDocument(article('a'));
    const cut = (compressed as Uint8Array).slice(0, -20);
    const changed = (compressed as Uint8Array).map((byte) => byte ^ 0x55);
    for (const damaged of [cut, changed, new Uint8Array(0)]) {
      expect(() => toArticle({ document: '', compressed: damaged })).toThrow();
    }
    expect(() => toArticle({ document: '', compressed: null })).toThrow();
    expect(() => toArticle({ document: '{"half', compressed: null })).toThrow();
  });

  forEachDatabase((open) => {
    it('is compressed in the store, which knows the length of its JSON, also of an earlier version', async () => {
      const store = await open();
      const [older, newer] = [article('older', { dek: 'Größe' }), article('newer', { dek: 'Größe' })];
      await saveAll(store, [older, newer]);
      const json = JSON.stringify(older);
      const asBefore = { document: json, compressed: null, json_bytes: null };
      await store.db.updateTable('articles').set(asBefore).where('id', '=', 'older').execute();
      const rows = await store.db
        .selectFrom('articles')
        .select(['id', ...DOCUMENT_COLUMNS, jsonBytes().as('bytes')])
        .orderBy('id')
        .execute();
      expect(rows).toMatchObject([
        { id: 'newer', document: '', bytes: Buffer.byteLength(JSON.stringify(newer)) },
        { id: 'older', document: json, bytes: Buffer.byteLength(json) },
      ]);
      expect(rows[0]?.compressed?.length).toBeLessThan(json.length);
      expect(await findArticle(store.db, 'older')).toEqual(older);
      expect(await findPublicArticles(store.db, { now: NOW, limit: 5 })).toEqual([older, newer]);

      await saveAll(store, [{ ...older, dek: 'Edited.' }]);
      const again = await sql<{ document: string }>`select document from articles where id = 'older'`.execute(store.db);
      expect(again.rows).toEqual([{ document: '' }]);
      expect(await findArticle(store.db, 'older')).toEqual({ ...older, dek: 'Edited.' });
    });
  });
});

/** `article('first', { tags: ['Chips'] })`. */
const FIRST_VERSION =
  'gyaVtMyi4hJ0O1MrEnMLclL1kvNzdYwMjMwQDoAphyYvGJfSJAZLWqCSAWYm8WnOJTUbrlEPT4zAo8GmwM4pP6USoQkc8BjxgkUNevibW5qaGloY' +
  'gAFqXKDKIPJEUmkxKBcU65akJmcgZRDnjMyCYqVY5GyCP6nH0ig9E5+EAA==';
