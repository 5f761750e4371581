/** Settles what sources have left that are no longer in the configuration. Their articles stay as they are. */
import { clearRejectionsOfSource } from '../articles/rejections.ts';
import { resolveAlerts } from '../core/alerts/alerts.ts';
import type { AppContext } from '../core/app-context.ts';
import { incompleteAlert, withdrawalAlert } from '../own-sites/sweep.ts';
import { syncSourceAlerts } from '../sources/polling/source-alerts.ts';
import { clearSourceFailures, listSourceRows } from '../sources/source-state.ts';

/**
 * Resolves the alerts of removed sources, and that a paused one fails; deletes the rejections of removed ones. No poll
 * does: they are no longer polled.
 */
export async function settleRemovedSources(app: AppContext): Promise<void> {
  const { store, config, clock } = app;
  const rows = await listSourceRows(store.db);
  const removed = rows.filter(({ id }) => !config.sources.some((source) => source.id === id));
  const alerts = removed.flatMap(({ id }) => [withdrawalAlert(id), incompleteAlert(id)]);
  await resolveAlerts(store.db, alerts, clock());
  // The metrics would say for good that they fail.
  await clearSourceFailures(
    store.db,
    removed.map(({ id }) => id),
  );
  await syncSourceAlerts(app);
  for (const { id } of removed) await clearRejectionsOfSource(store.db, id);
}
