/** Delivers what is due, over as many connections as the transport allows. */
import { keepUnsubscribeKey } from '../audience/unsubscribe-keys.ts';
import type { Config } from '../core/config/config.ts';
import type { Store } from '../core/store/store.ts';
import { SECOND } from '../lib/time.ts';
import { finishEditions } from './queue/outbox.ts';
import { type DeliverOptions, DeliveryRun, type DeliveryRunResult } from './run.ts';
import type { Transport } from './transport/connection.ts';
import { DeliveryWorker } from './worker.ts';

/** A server replies sooner, unless it hangs. */
const TELL_AFTER = 2 * SECOND;

/**
 * Runs until nothing is due, the signal stops it, or the server accepts nothing. While it is left alone, a run ends at
 * once, or probes with one message first. Several runs, in one process or many, share the work.
 * @throws if the store fails; a message whose submission was in progress is interrupted, and its lease expires
 */
export async function deliver(
  store: Store,
  config: Config,
  transport: Transport,
  options: DeliverOptions,
): Promise<DeliveryRunResult> {
  const { signal, secrets, clock } = options;
  await keepUnsubscribeKey(store.db, secrets, clock());
  const run = new DeliveryRun(store, config, transport, options);
  let telling: NodeJS.Timeout | undefined;
  const end = (): void => run.end();
  const stop = (): void => {
    end();
    transport.stop();
    telling = setTimeout(() => options.onWaiting?.(transport.waits()), TELL_AFTER);
  };
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  try {
    if (!run.isEnding && !(await run.admit())) return run.result;
    const probed = await Promise.allSettled(run.isProbing ? [new DeliveryWorker(run).work(() => run.isProbing)] : []);
    // Nothing is due, or the server did not answer.
    if (run.isProbing) end();
    const workers = Array.from({ length: transport.connections }, () =>
      new DeliveryWorker(run).work().catch((error: unknown) => {
        end();
        throw error;
      }),
    );
    const results = await Promise.allSettled(workers);
    await run.claims.release();
    const failure = [...probed, ...results].find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    await finishEditions(store.db, options.prepareFinish);
    if (signal?.aborted) run.result.stopped ??= 'stopped on request';
    return run.result;
  } finally {
    clearTimeout(telling);
    signal?.removeEventListener('abort', stop);
  }
}
