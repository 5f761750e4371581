/**
 * The client for other outlets' feeds. For the sample's invented outlets, and for nobody else, it asks a local listener
 * that is open during the request.
 */
import type { AppContext } from '../../core/app-context.ts';
import { openConfiguredClient } from '../../core/config/fetching.ts';
import { readMeta, SAMPLE_LOADED_AT } from '../../core/store/meta.ts';
import {
  type FetchClient,
  type FetchRequest,
  type FetchResult,
  openFetchClient,
  type RequestGate,
} from '../../lib/guarded-fetch/fetch-client.ts';
import { isOfSampleOutlet, LOOPBACK, serveSampleOutlets } from './outlet-listener.ts';

export interface OutletClientOptions {
  /** Admits each request. Default: none waits. */
  gate?: RequestGate | undefined;
  /** For all other hosts. Default: as configured. */
  client?: FetchClient | undefined;
}

/**
 * The client as configured. With `sample: true`, requests to the exact hosts of the sample's outlets go to the listener
 * instead.
 */
export function openOutletClient(
  app: Pick<AppContext, 'config' | 'store' | 'clock'>,
  { gate, client = openConfiguredClient(app.config, undefined, { gate }) }: OutletClientOptions = {},
): FetchClient {
  if (!app.config.sample) return client;
  return {
    fetch: (request, signal) =>
      isOfSampleOutlet(request.url) ? askSampleOutlet(app, gate, request, signal) : client.fetch(request, signal),
  };
}

async function askSampleOutlet(
  { store, clock }: Pick<AppContext, 'store' | 'clock'>,
  gate: RequestGate | undefined,
  request: FetchRequest,
  signal: AbortSignal | undefined,
): Promise<FetchResult> {
  const loadedAt = Number((await readMeta(store.db, SAMPLE_LOADED_AT)) ?? clock());
  await using listener = await serveSampleOutlets(loadedAt);
  const isListener = (address: string, port: number): boolean => address === LOOPBACK && port === listener.port;
  const local = openFetchClient({
    userAgent: 'daywire',
    // Not even another port of this machine.
    guard: (address, port) => (isListener(address, port) ? null : 'it is not the sample’s listener'),
    resolve: async () => [{ address: LOOPBACK, family: 4 }],
    gate,
  });
  const url = new URL(request.url);
  url.protocol = 'http:';
  url.port = String(listener.port);
  const result = await local.fetch({ ...request, url: url.href }, signal);
  return result.kind === 'answered' ? { ...result, url: request.url } : result;
}
