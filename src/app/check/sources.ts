/**
 * Checks the sites that are polled.
 */
import type { Config } from '../../config/config.ts';
import { openConfiguredClient } from '../../config/fetching.ts';
import { sourceKey } from '../../config/source-keys.ts';
import { articleSources } from '../../config/sources.ts';
import { discoverApi } from '../../sources/discover.ts';
import { PollError } from '../../sources/request.ts';
import { apiName } from '../../sources/source-state.ts';
import { type Finding, ok, warning } from './finding.ts';

/** Looks for what is polled. A site that is away is no fault of this installation. */
export async function checkSources(config: Config, now: number): Promise<Finding[]> {
  const requester = { client: openConfiguredClient(config), now };
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
  return (await Promise.all(findings)).flat();
}
