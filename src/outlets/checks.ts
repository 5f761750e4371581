/** What is wrong with the outlets of the configuration. */
import type { Config, RoundupSource } from '../core/config/config.ts';
import { roundupSources } from '../core/config/sources.ts';
import { type Finding, warning } from '../core/finding.ts';
import type { Db, Store } from '../core/store/store.ts';
import { rfc3339 } from '../lib/time.ts';
import { canonicalLink } from '../sources/canonical-link.ts';
import { readSourceStatus, type SourceStatus } from '../sources/source-status.ts';
import { findSameBrands } from './brands.ts';

/** Warnings: outlets that count twice, and outlets that have never had an item. */
export async function checkOutlets({ db }: Store, config: Config, now: number): Promise<Finding[]> {
  const sources = roundupSources(config);
  const brands = [...findSameBrands(sources)].map(([id, hint]) => `sources ${id}: ${hint}`);
  return [...sameFeeds(sources), ...brands, ...(await withoutItems(db, config, now))].map(warning);
}

/** Under two names, one feed would count as two outlets, which is enough for a rule. */
function sameFeeds(sources: readonly RoundupSource[]): string[] {
  const byLink = Map.groupBy(sources, ({ url }) => canonicalLink(url));
  return [...byLink.values()].flatMap(([first, ...others]) =>
    others.map(({ id }) => `sources ${id}: it has the address of ${first?.id}: remove one of them`),
  );
}

/** As far as they have been polled. */
async function withoutItems(db: Db, config: Pick<Config, 'sources'>, now: number): Promise<string[]> {
  const outlets = await readSourceStatus(db, { sources: roundupSources(config) }, now, 1);
  const known = await findOutletsWithItems(db, outlets);
  return outlets.flatMap((status) => {
    const why = known.has(status.outlet ?? '') ? null : whyWithoutItems(status);
    return why === null ? [] : [`sources ${status.id}: no item of ${status.outlet} has ever come: ${why}`];
  });
}

/** Also from sources that were removed, or have another id now. */
async function findOutletsWithItems(db: Db, outlets: readonly SourceStatus[]): Promise<Set<string>> {
  if (outlets.length === 0) return new Set();
  const rows = await db
    .selectFrom('outlet_items')
    .select('outlet')
    .distinct()
    .where('outlet', 'in', [...new Set(outlets.map(({ outlet }) => outlet ?? ''))])
    .where('source', 'is not', null)
    .execute();
  return new Set(rows.map(({ outlet }) => outlet));
}

/** Null before the first poll. */
function whyWithoutItems({ state, since, reason, succeededAt }: SourceStatus): string | null {
  if (succeededAt !== null) return 'its feed has none that can be used; is it the right feed?';
  return reason === null || since === null ? null : `${state} since ${rfc3339(since)}: ${reason}`;
}
