import type { SourceKind } from '../sources/source-kind.ts';
import { findSourceRow } from '../sources/source-state.ts';
import { findOutletFeed, registerOutlets, resumeOutlet } from './polling/outlet-feeds.ts';

/** The feeds of other outlets, as a kind of source. */
export const OUTLETS: SourceKind = {
  register: (tx, _config, source, now) => registerOutlets(tx, source.use === 'roundup' ? [source] : [], now),
  resume: resumeOutlet,
  async findObstacle(tx, id, now) {
    const feed = await findOutletFeed(tx, id);
    if (feed?.state === 'gone') return { kind: 'stopped', why: 'gone' };
    const row = feed?.state === 'waiting' ? await findSourceRow(tx, id) : null;
    return row !== null && row.due_at > now ? { kind: 'waiting', until: row.due_at } : null;
  },
};
