import fc from 'fast-check';
import { sql } from 'kysely';
import { DeflateRaw } from 'minizlib';
import { describe, expect, it, vi } from 'vitest';
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

  it('is compressed to the same bytes, whichever articles were compressed before it', () => {
    const original = article('a', { bodyHtml: '<p>Shipments rose.</p>', tags: ['Chips'] });
    const { compressed } = encodeDocument(original);
    const texts = fc.array(fc.string({ maxLength: 200 }), { maxLength: 3 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 2_000 }), (bodies, times) => {
        for (const body of bodies) encodeDocument(article('b', { bodyHtml: body.repeat(times) }));
        expect(encodeDocument(original).compressed).toEqual(compressed);
      }),
      { numRuns: 50 },
    );
  });

  it('is encoded right after another one could not be compressed', () => {
    const original = article('a', { bodyHtml: '<p>Shipments rose.</p>' });
    const expected = encodeDocument(original).compressed;
    const failing = vi.spyOn(DeflateRaw.prototype, 'read').mockImplementationOnce(() => {
      throw new RangeError('Array buffer allocation failed');
    });
    expect(() => encodeDocument(article('b', { bodyHtml: 'Other text. '.repeat(500) }))).toThrow('allocation failed');
    expect(failing).toHaveBeenCalledOnce();
    failing.mockRestore();
    expect(encodeDocument(original).compressed).toEqual(expected);
  });

  it('takes less than a quarter of its JSON, in bytes of its own that go to another thread alone', () => {
    const { body } = benchArticle(1) as { body: string };
    const paragraphs = body.split('\n\n').map((paragraph) => `<p>${paragraph}</p>`);
    const original = article('a', { body: { format: 'markdown', source: body }, bodyHtml: paragraphs.join('\n') });
    const { compressed, json_bytes } = encodeDocument(original);
    expect(compressed?.length).toBeLessThan(json_bytes / 4);
    expect(compressed?.buffer.byteLength).toBe(compressed?.length);
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
