import type { Capability } from '../core/capability.ts';
import type { Config } from '../core/config/config.ts';
import { openConfiguredClient } from '../core/config/fetching.ts';
import { sourceKey } from '../core/config/source-keys.ts';
import { articleSources } from '../core/config/sources.ts';
import { type Finding, ok, warning } from '../core/finding.ts';
import { sourcePage } from '../sources/control-sources.ts';
import { discoverApi } from '../sources/discover.ts';
import { startPolling } from '../sources/polling/poller.ts';
import { PollError } from '../sources/request.ts';
import { apiName } from '../sources/source-state.ts';
import { SITES } from './poll.ts';
import { siteOf } from './shared-items.ts';

export const ownSitesCapability: Capability = {
  startTasks: (app) => [startPolling(app, SITES)],
  checks: { connections: checkSources },
  alertKinds: {
    incomplete: { title: 'The list of a site is incomplete', page: sourcePage },
    withdrawals: { title: 'Many posts of a site are gone', page: sourcePage },
  },
};

/** Looks for what is polled. A site that is away is no fault of this installation. */
async function checkSources(config: Config, now: number): Promise<Finding[]> {
  const requester = { client: openConfiguredClient(config), clock: () => now };
  const findings = articleSources(config).map(async ({ id, url, api: wanted }): Promise<Finding[]> => {
    try {
      const source = { url, api: wanted, key: sourceKey(config, id) };
      const { api, endpoint, notes } = await discoverApi(requester, source);
      const found = ok(`sources ${id}: ${apiName(api)} at ${endpoint}`);
      return [found, ...notes.map((note) => warning(`sources ${id}: ${note}`))];
    } catch (error) {
      if (error instanceof PollError) return [warning(`sources ${id}: ${error.message}`)];
      throw error;
    }
  });
  const sites = Map.groupBy(articleSources(config), ({ url }) => siteOf(url));
  const shared = [...sites].flatMap(([site, sources]) => {
    const ids = sources.map(({ id }) => id).join(', ');
    return sources.length < 2 ? [] : ok(`sources ${ids}: one site, ${site}: what several of them have is one article`);
  });
  return [...(await Promise.all(findings)).flat(), ...shared];
}
