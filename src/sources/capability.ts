import type { Capability } from '../core/capability.ts';
import { secondsSince } from '../core/metrics.ts';
import { SECOND } from '../lib/time.ts';
import { deleteIdleHosts } from './host-gate.ts';
import { countSourceItems } from './item-state.ts';
import { listSourceRows } from './source-state.ts';

export const sources: Capability = {
  async runRetention({ store }, now) {
    await deleteIdleHosts(store.db, now);
    return {};
  },
  async addMetrics({ db, gauge, now }) {
    const items = gauge('source_items', 'Posts that sources have, or had.', ['source']);
    const waiting = gauge('source_waiting_withdrawals', 'Posts that are gone and wait for the operator.', ['source']);
    for (const { source, items: count, waiting: gone } of await countSourceItems(db)) {
      items.set({ source }, count);
      waiting.set({ source }, gone);
    }
    const succeeded = gauge('source_last_success_timestamp_seconds', 'End of the last poll that succeeded.', [
      'source',
    ]);
    const failing = gauge('source_failing_seconds', 'How long all polls of the source have failed.', ['source']);
    for (const { id: source, succeeded_at, failing_since } of await listSourceRows(db)) {
      if (succeeded_at !== null) succeeded.set({ source }, succeeded_at / SECOND);
      failing.set({ source }, secondsSince(failing_since, now));
    }
  },
};
