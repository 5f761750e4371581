import type { SourceKind } from '../sources/source-kind.ts';
import { registerSources, setPaused } from '../sources/source-state.ts';

/** The newsroom's own sites, as a kind of source. */
export const SITES: SourceKind = {
  register: (tx, config, source, now) => registerSources(tx, { ...config, sources: [source] }, now),
  resume: (tx, id, now) => setPaused(tx, id, false, now),
  findObstacle: async () => null,
};
