/**
 * The guarded client, as the configuration sets it: for sources and for pictures in articles.
 */
import { type FetchClient, type FetchClientOptions, openFetchClient } from '../lib/guarded-fetch/fetch-client.ts';
import { openFetchGuard } from '../lib/guarded-fetch/fetch-guard.ts';
import type { Resolve } from '../lib/guarded-fetch/guarded-socket.ts';
import { openResolver } from '../lib/guarded-fetch/resolve.ts';
import { VERSION } from '../lib/version.ts';
import type { Config } from './config.ts';

/** @param resolve default: DNS, and the names that only this machine knows where `fetch.allow` has ranges */
export function openConfiguredClient(
  config: Pick<Config, 'fetch' | 'publication'>,
  resolve?: Resolve,
  options: Pick<FetchClientOptions, 'connectLimitMs' | 'timeLimitMs' | 'gate'> = {},
): FetchClient {
  const { allow } = config.fetch;
  return openFetchClient({
    ...options,
    guard: openFetchGuard(allow),
    resolve: resolve ?? openResolver(allow.length > 0),
    userAgent: userAgentOf(config.publication),
  });
}

/** `daywire/0.1.0 (+https://times.example/; news@times.example)` */
function userAgentOf({ url, contact }: Config['publication']): string {
  // As ASCII: a header cannot contain other letters.
  return `daywire/${VERSION} (+${new URL(url).href}; ${contact.email})`;
}
