import { expect, it } from 'vitest';
import { compressChanged, findDocument, saveDocuments } from '../../src/feeds/documents.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { publishDocuments } from '../support/documents.ts';

forEachDatabase((open) => {
  it('stores a document that was the same when it was prepared, if another publish has changed it since', async () => {
    const store = await open();
    const document = (body: string) => ({ path: 'latest.rss', mediaType: 'application/rss+xml', body });
    await publishDocuments(store, [document('first')], NOW);
    const prepared = await compressChanged(store.db, [document('first')]);
    await publishDocuments(store, [document('second')], NOW + MINUTE);
    const changed = await store.db.transaction().execute((tx) => saveDocuments(tx, prepared, NOW + 2 * MINUTE));
    expect(changed).toEqual(['latest.rss']);
    expect(await findDocument(store.db, 'latest.rss')).toMatchObject({ body: Buffer.from('first'), size: 5 });
  });
});
