/**
 * Checks who reaches the server, and through which proxies.
 */
import type { Config } from '../../core/config/config.ts';
import { type Finding, warning } from '../../core/finding.ts';
import type { Store } from '../../core/store/store.ts';
import { openAddressGuard } from '../../lib/guarded-fetch/address-guard.ts';
import { describeUntrustedProxy, findUntrustedProxy } from '../../web/server/untrusted-proxy.ts';

const guard = openAddressGuard();
const EVERY_INTERFACE = ['0.0.0.0', '::'];

/** A name, or an address of the operator's network, is a choice; one that the Internet may reach needs a token. */
export function checkMetrics({ server: { metrics }, secrets }: Config): Finding[] {
  if (metrics === null || secrets.metricsToken !== undefined) return [];
  const { host, port } = metrics;
  if (!EVERY_INTERFACE.includes(host) && guard(host, 443) !== null) return [];
  return [
    warning(
      `server.metrics listens on ${host}, port ${port}: everyone who can reach it reads the metrics; set ` +
        'DAYWIRE_METRICS_TOKEN, or an address of your own network',
    ),
  ];
}

export async function checkProxies({ db }: Store, { server }: Config, now: number): Promise<Finding[]> {
  const found = await findUntrustedProxy(db, server.trustedProxies, now);
  return found === null ? [] : [warning(`server: ${describeUntrustedProxy(found)}`)];
}
