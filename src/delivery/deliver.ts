/**
 * Delivers what is due, over as many connections as the transport allows.
 */
import type { Config } from '../config.ts';
import { findEditionById } from '../editions/queries.ts';
import type { Store } from '../store/store.ts';
import { type Clock, MINUTE } from '../time.ts';
import { type AttemptContext, type AttemptOutcome, attemptDelivery } from './attempt.ts';
import { openClaimedQueue } from './claims.ts';
import type { Connection, Transport } from './connection.ts';
import { connectionOpener } from './connection-opener.ts';
import { type MessageMaker, prepareMessages } from './message.ts';

export interface DeliveryReport {
  submitted: number;
  /** To be tried again later. */
  deferred: number;
  failed: number;
  /** Not mailed, because consent ended after the edition was queued. */
  suppressed: number;
  /**
   * Why the run ended before all that was due was done, said for an operator; null where nothing was left. What was not
   * submitted is still pending, and no attempt was counted.
   */
  stopped: string | null;
}

export interface DeliverOptions {
  clock: Clock;
  /** Signs the unsubscribe links and names the messages; see `loadSigningSecret`. */
  secret: string;
  /** Stops it: what is on the wire is finished and recorded, the rest stays pending. */
  signal?: AbortSignal | undefined;
  /** Called after every delivery. */
  onProgress?: ((report: Readonly<DeliveryReport>) => void) | undefined;
  /** Delivers that edition only. */
  editionId?: number | undefined;
  /** Spreads the retries, from 0 up to 1. Default: Math.random. */
  random?: (() => number) | undefined;
}

/**
 * Runs until nothing is due, the signal stops it, or the server cannot be reached or refuses us altogether. Several runs at
 * once, in one process or in many, share the work.
 * @throws where the store fails; a message that was on the wire then is found as interrupted when its lease lapses
 */
export async function deliver(
  store: Store,
  config: Config,
  transport: Transport,
  options: DeliverOptions,
): Promise<DeliveryReport> {
  const { clock, signal, onProgress, editionId } = options;
  const report: DeliveryReport = { submitted: 0, deferred: 0, failed: 0, suppressed: 0, stopped: null };
  const queue = openClaimedQueue(store, transport.connections, clock, editionId);
  const opener = connectionOpener(transport);
  const context = contextOf(store, config, options);
  let stopping = false;

  const note = (outcome: AttemptOutcome): void => {
    if (outcome.is === 'lost') return;
    if (outcome.is === 'refused') {
      report.stopped ??= outcome.reason;
      stopping = true;
      return;
    }
    report[outcome.is] += 1;
    onProgress?.(report);
  };

  const work = async (): Promise<void> => {
    let connection: Connection | null = null;
    try {
      while (!stopping && !signal?.aborted) {
        const delivery = await queue.next();
        if (delivery === null) return;
        connection = await opener.renew(connection);
        if (connection === null) {
          queue.putBack(delivery);
          return;
        }
        note(await attemptDelivery(delivery, connection, context));
      }
    } catch (error) {
      stopping = true;
      throw error;
    } finally {
      opener.close(connection);
    }
  };

  const ended = await Promise.allSettled(Array.from({ length: transport.connections }, work));
  const left = await queue.release();
  const broken = ended.find((worker) => worker.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
  if (signal?.aborted) report.stopped ??= 'stopped on request';
  if (left > 0) report.stopped ??= opener.problem();
  return report;
}

// An edition's compiled HTML is held once for all its recipients; a run seldom meets more than two.
const KEPT_EDITIONS = 8;

function contextOf(store: Store, config: Config, options: DeliverOptions): AttemptContext {
  const { clock, secret, random = Math.random } = options;
  const { attempts, retryMinutes } = config.delivery;
  const kept = new Map<number, Promise<MessageMaker | { cannot: string }>>();
  const load = async (editionId: number): Promise<MessageMaker | { cannot: string }> => {
    const edition = await findEditionById(store.db, editionId);
    if (edition === null) return { cannot: `there is no edition ${editionId}` };
    const newsletter = config.newsletters.find((one) => one.id === edition.newsletter);
    if (newsletter === undefined) return { cannot: `the newsletter ${edition.newsletter} is no longer configured` };
    return prepareMessages(edition, newsletter, config, secret);
  };
  return {
    db: store.db,
    clock,
    random,
    policy: { attempts, firstWait: retryMinutes * MINUTE },
    makerFor(editionId) {
      const known = kept.get(editionId);
      if (known !== undefined) return known;
      if (kept.size >= KEPT_EDITIONS) kept.clear();
      const loading = load(editionId);
      kept.set(editionId, loading);
      return loading;
    },
  };
}
