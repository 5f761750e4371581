/** What is wrong with the outlets of the configuration. */
import type { Config, RoundupSource } from '../core/config/config.ts';
import { roundupSources } from '../core/config/sources.ts';
import { type Finding, warning } from '../core/finding.ts';
import type { Store } from '../core/store/store.ts';
import { rfc3339 } from '../lib/time.ts';
import { canonicalLink } from '../sources/canonical-link.ts';
import { findOutletsWithoutItems } from './items/item-counts.ts';
import { listOutletFeeds, type OutletFeedRow } from './polling/outlet-feeds.ts';

/** A warning for each source with the feed of another one, or whose outlet has never had an item. */
export async function checkOutlets({ db }: Store, config: Pick<Config, 'sources'>): Promise<Finding[]> {
  const sources = roundupSources(config);
  return [...sameFeeds(sources), ...(await withoutItems(db, sources))].map(warning);
}

/** Under two names, one feed would count as two outlets, which is enough for a rule. */
function sameFeeds(sources: readonly RoundupSource[]): string[] {
  const byLink = Map.groupBy(sources, ({ url }) => canonicalLink(url));
  return [...byLink.values()].flatMap(([first, ...others]) =>
    others.map(({ id, outlet }) => {
      const also = outlet === first?.outlet ? '' : ', and would count as a second outlet';
      return `sources ${id}: it has the address of ${first?.id}${also}: remove one of them`;
    }),
  );
}

/** As far as they have been polled. */
async function withoutItems(db: Store['db'], sources: readonly RoundupSource[]): Promise<string[]> {
  const without = new Set(
    await findOutletsWithoutItems(
      db,
      sources.map(({ outlet }) => outlet),
    ),
  );
  if (without.size === 0) return [];
  const feeds = new Map((await listOutletFeeds(db)).map((feed) => [feed.source, feed]));
  return sources.flatMap((source) => {
    const feed = feeds.get(source.id);
    if (!without.has(source.outlet) || feed === undefined) return [];
    const why = whyWithoutItems(feed);
    return why === null ? [] : [warningOf(source, why)];
  });
}

/** Null before the first poll. */
function whyWithoutItems({ state, state_since, reason, read_at }: OutletFeedRow): string | null {
  if (reason !== null && read_at === null) return `${state} since ${rfc3339(state_since)}: ${reason}`;
  return read_at === null ? null : 'its feed has none that can be used; is it the right feed?';
}

function warningOf({ id, outlet }: RoundupSource, why: string): string {
  return `sources ${id}: no item of ${outlet} has ever come: ${why}`;
}
