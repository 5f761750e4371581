/** New items of the newsroom's own sites that are too many at once, and wait for the operator. */
import { importFiles } from '../articles/import/import.ts';
import { type ArticleImportResult, addToResult, emptyResult } from '../articles/import/result.ts';
import type { AppContext } from '../core/app-context.ts';
import type { ArticleSource } from '../core/config/config.ts';
import { type InTransaction, inTransaction } from '../core/store/store.ts';
import { chunks } from '../lib/chunks.ts';
import { findSourceItems, listOnHold, markItems } from '../sources/item-state.ts';
import { endHold } from '../sources/polling/source-alerts.ts';
import { itemFile } from './import-entries.ts';

type HoldingApp = Pick<AppContext, 'store' | 'config' | 'clock'>;

/**
 * Decides on the held items of a site: `accept` imports them, `ignore` never does. Deciding again changes nothing. If
 * the process dies while it imports, the next poll goes on.
 * @param onCommit called in the transaction of the decision, if any was held
 * @returns how many were accepted or ignored
 */
export async function decideHeldPosts(
  app: HoldingApp,
  { id }: Pick<ArticleSource, 'id'>,
  decision: 'accept' | 'ignore',
  onCommit?: InTransaction,
): Promise<{ open: number; old: number; ignored: number }> {
  const change = decision === 'accept' ? { hold: 'accepted' as const } : { hold: 'ignored' as const, record: null };
  const items = await inTransaction(app.store.db, async (tx) => {
    const ofSource = tx.updateTable('source_items').set(change).where('source', '=', id);
    const held = await ofSource.where('hold', '=', 'held').returning('item').execute();
    await endHold(tx, id, app.clock());
    if (held.length > 0) await onCommit?.(tx);
    return held.length;
  });
  if (decision === 'ignore') return { open: 0, old: 0, ignored: items };
  await importAccepted(app, id);
  return { open: items, old: 0, ignored: 0 };
}

/** As many as a batch of the import. */
const PART = 100;

/** Imports the items that an operator has accepted, as they were when the site had them last. */
export async function importAccepted(
  { store, config, clock, signal }: HoldingApp & { signal?: AbortSignal },
  source: string,
): Promise<ArticleImportResult> {
  const result = emptyResult();
  for (const rows of chunks(await listOnHold(store.db, source, 'accepted'), PART)) {
    const items = rows.map(({ item }) => item);
    const files = (await findSourceItems(store.db, source, items)).flatMap(({ item, record, withdrawal }) => {
      const isThere = record !== null && withdrawal === null;
      return isThere ? itemFile(source, item, { kind: 'text', text: record }) : [];
    });
    addToResult(result, await importFiles(store, config, files, { clock, background: true, signal }));
    signal?.throwIfAborted();
    await markItems(store.db, source, items, { hold: null, record: null });
  }
  return result;
}
