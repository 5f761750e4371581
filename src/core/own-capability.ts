/**
 * What core itself gives to the process.
 */

import { DAY } from '../lib/time.ts';
import type { Capability } from './capability.ts';
import { foldRuns } from './schedule/retention.ts';
import { foldCountSlots } from './store/counts.ts';
import { deleteExpiredRateLimits } from './store/rate-limits.ts';

export const core: Capability = {
  async runRetention({ store, config }, now) {
    await foldCountSlots(store.db);
    return {
      runs: await foldRuns(store, now - config.retention.runsDays * DAY),
      rates: await deleteExpiredRateLimits(store.db, now),
    };
  },
};
