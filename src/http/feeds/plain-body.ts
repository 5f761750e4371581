/**
 * The plain form of documents. Nearly all clients take a compressed one, so only those are kept with a document; the
 * plain one is unpacked for whoever asks for it.
 */
import { LRUCache } from 'lru-cache';
import { decompress } from '../../feeds/compress.ts';
import type { PackedDocument } from '../../feeds/documents.ts';

/** Bytes of plain forms that stay in memory; the least recently used go first. A larger one does not stay. */
const KEPT_BYTES = 8 * 1024 * 1024;

/** By hash of the content, so that none is ever out of date. */
const kept = new LRUCache<string, { size: number; body: Promise<Buffer> }>({
  maxSize: KEPT_BYTES,
  sizeCalculation: ({ size }) => Math.max(size, 1),
});

/** The document's body, unpacked once for all who ask at the same time. @throws Error if the stored form is damaged */
export function plainBody({ hash, size, codings }: Pick<PackedDocument, 'hash' | 'size' | 'codings'>): Promise<Buffer> {
  const cached = kept.get(hash);
  if (cached !== undefined) return cached.body;
  const body = decompress(codings.gzip, size);
  kept.set(hash, { size, body });
  body.catch(() => kept.delete(hash));
  return body;
}
