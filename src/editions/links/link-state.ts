/** What is known of a link, and for how long. Pure. */
import type { FetchResult } from '../../lib/guarded-fetch/fetch-client.ts';
import { DAY, MINUTE } from '../../lib/time.ts';

/**
 * `dead`: nothing is there. `unchecked`: daywire cannot tell, which many sites make sure of. `reason`: such as `its
 * server answered 404`.
 */
export type LinkState =
  | { kind: 'works' }
  | { kind: 'dead'; reason: string; isUnknownHost?: true }
  | { kind: 'unchecked'; reason: string };

/** A link that works is looked up once a day; the others again soon, since somebody may be mending them. */
const KEPT = { works: DAY, dead: 10 * MINUTE, unchecked: 10 * MINUTE } satisfies Record<LinkState['kind'], number>;

/** Not there (404), or not any more (410). */
const DEAD = [404, 410];

/** What the answer of a link's server means. */
export function linkStateOf(result: FetchResult): LinkState {
  if (result.kind === 'refused') return { kind: 'unchecked', reason: result.reason };
  if (result.kind === 'failed') {
    return result.isUnknownHost
      ? { kind: 'dead', reason: 'the name of its host does not exist', isUnknownHost: true }
      : { kind: 'unchecked', reason: result.reason };
  }
  const { status } = result;
  if (status < 400) return { kind: 'works' };
  const reason = `its server answered ${status}`;
  return DEAD.includes(status) ? { kind: 'dead', reason } : { kind: 'unchecked', reason };
}

/** Whether what was found at `checkedAt` need not be looked up again at `now`. */
export function isFresh(state: LinkState, checkedAt: number, now: number): boolean {
  // A later instant is that of a clock that was wrong.
  return checkedAt <= now && now - checkedAt < KEPT[state.kind];
}
