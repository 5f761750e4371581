/** The guarded clients, as the configuration sets them: for sources and for pictures in articles, and for services. */
import { openFetchGuard } from '../../lib/guarded-fetch/address-guard.ts';
import { type FetchClient, type FetchClientOptions, openFetchClient } from '../../lib/guarded-fetch/fetch-client.ts';
import { openResolver, type Resolve } from '../../lib/guarded-fetch/guarded-socket.ts';
import { SECOND } from '../../lib/time.ts';
import { VERSION } from '../../lib/version.ts';
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

/**
 * The client for a known service on the internet, which never connects to a private network, even if `fetch.allow`
 * lists it, and follows no redirect.
 */
export function openServiceClient(config: Pick<Config, 'publication'>): FetchClient {
  return openFetchClient({
    guard: openFetchGuard([]),
    resolve: openResolver(false),
    userAgent: userAgentOf(config.publication),
    timeLimitMs: SERVICE_TIME_LIMIT,
    maxRedirects: 0,
  });
}

/** Amazon SNS waits 15 s for the response to its own request. */
const SERVICE_TIME_LIMIT = 8 * SECOND;

/** `daywire/0.1.0 (+https://times.example/; news@times.example)` */
function userAgentOf({ url, contact }: Config['publication']): string {
  // As ASCII: a header cannot contain other letters.
  return `daywire/${VERSION} (+${new URL(url).href}; ${contact.email})`;
}
