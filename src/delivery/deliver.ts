/**
 * Delivers what is due, over as many connections as the transport allows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { SigningSecrets } from '../config/signing-secrets.ts';
import { findEditionById } from '../editions/queries.ts';
import type { Templates } from '../lib/templates.ts';
import { type Clock, MINUTE } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import { type OnPause, openAutoPause } from './control/auto-pause.ts';
import type { Signer } from './message/dkim.ts';
import { type MessageMaker, prepareMessages } from './message/edition-message.ts';
import { prepareServiceMessage } from './message/service-message.ts';
import { type ClaimBuffer, openClaimBuffer } from './queue/claim-buffer.ts';
import type { DeliveryOutcome } from './queue/delivery-outcome.ts';
import { openGroupCommit } from './queue/group-commit.ts';
import { finishEditions } from './queue/outbox.ts';
import { openRateLimiter } from './queue/rate-limiter.ts';
import { openServiceQueue, type ServiceQueue } from './queue/service-queue.ts';
import type { Transport } from './transport/connection.ts';
import { type ConnectionOpener, openConnectionOpener } from './transport/connection-opener.ts';
import { type Run, runLane } from './worker.ts';

interface DeliveryCounts {
  submitted: number;
  /** To be tried again later. */
  deferred: number;
  failed: number;
  /** Not mailed, because consent ended after it was queued, or its edition was cancelled. */
  suppressed: number;
}

export interface DeliveryReport extends DeliveryCounts {
  /** Mail of the service itself, such as confirmations. */
  service: DeliveryCounts;
  /** The editions that this run paused, because the server refuses them whoever the recipient. */
  paused: { editionId: number; reason: string }[];
  /**
   * Why the run ended before all that was due was done, said for an operator; null where nothing was left. What was not
   * submitted is still pending, and no attempt was counted.
   */
  stopped: string | null;
}

export interface DeliverOptions {
  clock: Clock;
  /** They sign the links and return paths; see `loadSigningSecrets`. */
  secrets: SigningSecrets;
  /** They sign the messages; see `loadSigners`. */
  signers: readonly Signer[];
  /** Those of the service's own mail. */
  templates: Templates;
  /** Stops it: what is on the wire is finished and recorded, the rest stays pending. */
  signal?: AbortSignal | undefined;
  /** Called after every delivery. */
  onProgress?: ((report: Readonly<DeliveryReport>) => void) | undefined;
  /** Called within the transaction that pauses an edition, because the server refuses it whoever the recipient. */
  onPause?: OnPause | undefined;
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
  const { signal } = options;
  const report = emptyReport();
  const ending = new AbortController();
  const end = (): void => ending.abort();
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  try {
    const opener = openConnectionOpener(transport);
    const queues = openQueues(store, config, transport, options, report);
    const run = openRun(store, config, options, { opener, ending, report, ...queues });
    const lane = (): Promise<void> =>
      runLane(run).catch((error: unknown) => {
        end();
        throw error;
      });
    const ended = await Promise.allSettled(Array.from({ length: transport.connections }, lane));
    const left = (await queues.claims.release()) + ((await queues.services?.release()) ?? 0);
    const broken = ended.find((one) => one.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
    await finishEditions(store.db);
    if (signal?.aborted) report.stopped ??= 'stopped on request';
    if (left > 0) report.stopped ??= opener.problem();
    return report;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

function emptyReport(): DeliveryReport {
  const counts = { submitted: 0, deferred: 0, failed: 0, suppressed: 0 };
  return { ...counts, service: { ...counts }, paused: [], stopped: null };
}

interface Queues {
  claims: ClaimBuffer;
  services: ServiceQueue | null;
}

function openQueues(
  store: Store,
  config: Config,
  { connections }: Transport,
  { clock, editionId, onProgress }: DeliverOptions,
  report: DeliveryReport,
): Queues {
  const claims = openClaimBuffer(store, {
    connections,
    clock,
    editionId,
    uncertain: config.delivery.uncertain,
    throttle: openRateLimiter(config),
    onClaimed({ expired: stale, held }) {
      report.failed += stale;
      if (held !== null) report.stopped ??= `the queue is held: ${held}`;
      if (stale > 0) onProgress?.(report);
    },
  });
  const services =
    editionId !== undefined
      ? null
      : openServiceQueue(store, {
          clock,
          onExpired: (count) => {
            report.service.failed += count;
          },
        });
  return { claims, services };
}

function openRun(
  store: Store,
  config: Config,
  options: DeliverOptions,
  parts: Queues & { opener: ConnectionOpener; ending: AbortController; report: DeliveryReport },
): Run {
  const { clock, secrets, signers, templates, onProgress, random = Math.random } = options;
  const { claims, services, opener, ending, report } = parts;
  const { attempts, retryMinutes, uncertain } = config.delivery;
  const refusals = openAutoPause(store, clock, options.onPause);
  return {
    store,
    claims,
    services,
    ledger: openGroupCommit(store, clock),
    opener,
    refusals,
    attempt: { clock, random, policy: { attempts, firstWait: retryMinutes * MINUTE }, uncertain },
    makerFor: openMakers(store, config, options),
    makeServiceMessage: (message) => prepareServiceMessage(message, { config, secrets, signers, templates }),
    ending: () => ending.signal.aborted,
    async waitUntil(instant) {
      const wait = instant - clock();
      if (wait > 0) await sleep(wait, undefined, { signal: ending.signal }).catch(() => {});
    },
    stop(reason) {
      report.stopped ??= reason;
      ending.abort();
    },
    async pause(editionId, reason) {
      const { paused, reopened } = await refusals.pause(editionId, reason);
      for (const { as } of reopened) report[as] -= 1;
      if (paused) report.paused.push({ editionId, reason });
    },
    note(what, is) {
      if (!countsIn(is)) return;
      (what === 'delivery' ? report : report.service)[is] += 1;
      onProgress?.(report);
    },
  };
}

function countsIn(kind: DeliveryOutcome['kind']): kind is keyof DeliveryCounts {
  return kind !== 'returned' && kind !== 'put-back' && kind !== 'uncertain';
}

// An edition's compiled HTML is held once for all its recipients; a run seldom meets more than two.
const KEPT_EDITIONS = 8;

function openMakers(
  store: Store,
  config: Config,
  { secrets, signers }: DeliverOptions,
): (editionId: number) => Promise<MessageMaker | { cannot: string }> {
  const kept = new Map<number, Promise<MessageMaker | { cannot: string }>>();
  const load = async (editionId: number): Promise<MessageMaker | { cannot: string }> => {
    const edition = await findEditionById(store.db, editionId);
    if (edition === null) return { cannot: `there is no edition ${editionId}` };
    const newsletter = config.newsletters.find((one) => one.id === edition.newsletter);
    if (newsletter === undefined) return { cannot: `the newsletter ${edition.newsletter} is no longer configured` };
    return prepareMessages(edition, newsletter, config, secrets, signers);
  };
  return (editionId) => {
    const known = kept.get(editionId);
    if (known !== undefined) return known;
    if (kept.size >= KEPT_EDITIONS) kept.clear();
    const loading = load(editionId);
    kept.set(editionId, loading);
    return loading;
  };
}
