/** Deletes old rows, or folds them into totals. */
import type { AppContext } from '../core/app-context.ts';
import { truncateLog } from '../core/store/deleted-text.ts';
import { CAPABILITIES } from './capabilities.ts';

/**
 * Applies the configured retention times. Several processes may run it concurrently.
 * @returns numbers of deleted rows, by what they were
 * @throws if the store fails; deletions up to that point are kept
 */
export async function runRetention(app: AppContext): Promise<Record<string, number>> {
  const now = app.clock();
  const result: Record<string, number> = {};
  // The last capability first, because its rows refer to those of the others: the deliveries of a subscriber are
  // settled and counted before the subscriber is deleted.
  for (const capability of CAPABILITIES.toReversed()) {
    Object.assign(result, await capability.runRetention?.(app, now));
  }
  // Deleted rows, and rejections that imports deleted since, must not remain in the log.
  await truncateLog(app.store.db);
  return result;
}
