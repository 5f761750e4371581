/** Stores documents as a publish at `now` does. */
import type { Store } from '../../src/core/store/store.ts';
import { compressChanged, type RenderedDocument, saveDocuments } from '../../src/feeds/documents.ts';

/** @returns the paths that changed */
export async function publishDocuments(store: Store, documents: RenderedDocument[], now: number): Promise<string[]> {
  const compressed = await compressChanged(store.db, documents);
  return store.db.transaction().execute((tx) => saveDocuments(tx, compressed, now));
}
