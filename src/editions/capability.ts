import type { Capability } from '../core/capability.ts';
import { DAY, localDate } from '../lib/time.ts';
import { deleteOldDraftViews } from './draft/draft-views.ts';
import { deleteOldLinkStates } from './links/link-cache.ts';
import { foldVisits } from './visits/visit-rows.ts';

export const editions: Capability = {
  async runRetention({ store: { db }, config: { retention, publication } }, now) {
    return {
      visits: await foldVisits(db, localDate(now - retention.readersDays * DAY, publication.zone)),
      links: await deleteOldLinkStates(db, now),
      draftViews: await deleteOldDraftViews(db, now),
    };
  },
};
