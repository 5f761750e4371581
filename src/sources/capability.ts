import type { Capability } from '../core/capability.ts';
import { secondsSince } from '../core/metrics.ts';
import { DAY, SECOND } from '../lib/time.ts';
import { sourcePage } from './control-sources.ts';
import { deleteIdleHosts } from './host-gate.ts';
import { deleteSurplusKeys } from './identity/item-keys.ts';
import { readStoredSources } from './source-status.ts';

export const sourcesCapability: Capability = {
  alertKinds: {
    source: { title: 'A source cannot be read', hint: 'It is tried again by itself.', page: sourcePage },
    'outlet-held': { title: 'Items of a source wait for a decision', page: sourcePage },
  },
  async runRetention({ store }, now) {
    await deleteIdleHosts(store.db, now);
    await deleteSurplusKeys(store.db, 'source_item_keys', now - 60 * DAY);
    return {};
  },
  async addMetrics({ db, gauge, now }) {
    const posts = gauge('source_items', 'Posts that sources have, or had.', ['source']);
    const gone = gauge('source_waiting_withdrawals', 'Posts that are gone and wait for the operator.', ['source']);
    const reports = gauge('outlet_items', 'Items of other outlets that are kept.', ['source']);
    const held = gauge('outlet_held_items', 'Items of other outlets that wait for the operator.', ['source']);
    const succeeded = gauge('source_last_success_timestamp_seconds', 'End of the last poll that succeeded.', [
      'source',
    ]);
    const failing = gauge('source_failing_seconds', 'How long all polls of the source have failed.', ['source']);
    for (const { id: source, use, items, waiting, succeeded_at, failing_since } of await readStoredSources(db, now)) {
      const [all, undecided] = use === 'articles' ? [posts, gone] : [reports, held];
      if (items > 0) {
        all.set({ source }, items);
        undecided.set({ source }, waiting);
      }
      if (succeeded_at !== null) succeeded.set({ source }, succeeded_at / SECOND);
      failing.set({ source }, secondsSince(failing_since, now));
    }
  },
};
