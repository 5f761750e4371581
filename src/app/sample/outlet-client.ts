/**
 * The client for other outlets' feeds. For the sample's invented outlets, and for nobody else, it asks a local listener
 * that is open during the request.
 */
import { openConfiguredClient } from '../../config/fetching.ts';
import {
  type FetchClient,
  type FetchRequest,
  type FetchResult,
  openFetchClient,
} from '../../lib/guarded-fetch/fetch-client.ts';
import { readMeta, SAMPLE_LOADED_AT } from '../../store/meta.ts';
import type { AppContext } from '../app-context.ts';
import { isOfSampleOutlet, LOOPBACK, serveSampleOutlets } from './outlet-listener.ts';

/**
 * The client as configured. With `sample: true`, requests to the exact hosts of the sample's outlets go to the listener
 * instead.
 * @param client default: as configured
 */
export function openOutletClient(
  app: Pick<AppContext, 'config' | 'store' | 'clock'>,
  client = openConfiguredClient(app.config),
): FetchClient {
  if (!app.config.sample) return client;
  return {
    fetch: (request, signal) =>
      isOfSampleOutlet(request.url) ? askSampleOutlet(app, request, signal) : client.fetch(request, signal),
  };
}

async function askSampleOutlet(
  { store, clock }: Pick<AppContext, 'store' | 'clock'>,
  request: FetchRequest,
  signal: AbortSignal | undefined,
): Promise<FetchResult> {
  const loadedAt = Number((await readMeta(store.db, SAMPLE_LOADED_AT)) ?? clock());
  await using listener = await serveSampleOutlets(loadedAt);
  const local = openFetchClient({
    userAgent: 'daywire',
    // The listener alone: not even another port of this machine.
    guard: (address, port) =>
      address === LOOPBACK && port === listener.port ? null : 'it is not the sample’s listener',
    resolve: async () => [{ address: LOOPBACK, family: 4 }],
  });
  const url = new URL(request.url);
  url.protocol = 'http:';
  url.port = String(listener.port);
  const result = await local.fetch({ ...request, url: url.href }, signal);
  return result.kind === 'answered' ? { ...result, url: request.url } : result;
}
