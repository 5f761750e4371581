/** The state that the workers of a delivery run share: claims, connections, messages, result and end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withCommands } from '../core/actions.ts';
import type { Config } from '../core/config/config.ts';
import type { SigningSecrets } from '../core/config/signing-secrets.ts';
import type { Signer } from '../core/keys.ts';
import type { Store } from '../core/store/store.ts';
import { findEditionById } from '../editions/queries.ts';
import type { Templates } from '../lib/templates.ts';
import { type Clock, MINUTE } from '../lib/time.ts';
import { RELEASE_QUEUE } from './alerts.ts';
import type { AttemptContext } from './attempt.ts';
import type { BackOff } from './control/back-off.ts';
import { BackOffState, type OnRecovery, type OnTrouble } from './control/back-off-state.ts';
import { type BreakerResult, CircuitBreaker, type DeliveryPause, type OnPause } from './control/circuit-breaker.ts';
import { pauseIfDelivering } from './control/edition-control.ts';
import { openRateLimiter } from './limits/rate-limiter.ts';
import { type MessageMaker, prepareMessages } from './message/edition-message.ts';
import { prepareServiceMessage, type ServiceMessage } from './message/service-message.ts';
import { ClaimBuffer } from './queue/claim-buffer.ts';
import type { DeliveryOutcome } from './queue/delivery-outcome.ts';
import { GroupCommit } from './queue/group-commit.ts';
import type { ClaimedDelivery, PrepareFinish } from './queue/outbox.ts';
import { ServiceClaimBuffer } from './queue/service-claim-buffer.ts';
import type { OutgoingMessage, Transport } from './transport/connection.ts';
import { type ConnectionOpener, openConnectionOpener } from './transport/connection-opener.ts';
import { redactAddresses } from './transport/redact-addresses.ts';

interface OutcomeCounts {
  submitted: number;
  /** To be retried later. */
  deferred: number;
  failed: number;
  /** Not submitted, because consent ended after queueing, or the edition was cancelled. */
  suppressed: number;
}

export interface DeliveryRunResult extends OutcomeCounts {
  /** The same for service messages. */
  service: OutcomeCounts;
  /** Editions, and domains of editions, that this run paused because every recipient is refused. */
  paused: DeliveryPause[];
  /**
   * Why the run ended before everything due was done, for the operator; null if nothing was left. What was not
   * submitted is still pending, and no attempt was counted.
   */
  stopped: string | null;
  /** When the server is tried again, if it was stopped because the server accepts nothing. */
  retryAt?: number;
}

export interface DeliverOptions {
  clock: Clock;
  /** Sign links and return paths; see `openSigningSecrets`. */
  secrets: SigningSecrets;
  /** Sign messages; see `loadSigners`. */
  signers: readonly Signer[];
  /** Of service messages. */
  templates: Templates;
  /** Stops the run: submissions in progress are finished and recorded, the rest stays pending. */
  signal?: AbortSignal | undefined;
  /** Called after every delivery. */
  onProgress?: ((result: Readonly<DeliveryRunResult>) => void) | undefined;
  /** Called in the transaction that pauses an edition, or a domain of it, because every recipient is refused. */
  onPause?: OnPause | undefined;
  /** Called before an edition is set to `done`. */
  prepareFinish?: PrepareFinish | undefined;
  /** Called once while the server accepts nothing, when an operator must know of it. */
  onTrouble?: OnTrouble | undefined;
  /**
   * Called with each kind of service messages that a run builds, and again when that changes: `problem` is why they
   * cannot be built; null if they can.
   */
  onServiceMessagesBuilt?: ((kind: ServiceMessage['kind'], problem: string | null) => Promise<void>) | undefined;
  /** Called when the server accepts a message again. */
  onRecovery?: OnRecovery | undefined;
  /** Tries the server now, although it is to be left alone for a while. */
  probeNow?: boolean | undefined;
  /** Delivers this edition only. */
  editionId?: number | undefined;
  /** Spreads retries, and chooses deliveries for probes: from 0 up to but not including 1. Default: Math.random. */
  random?: (() => number) | undefined;
}

// The compiled HTML of an edition is kept once for all recipients. A run rarely delivers more than two editions.
const CACHED_EDITIONS = 8;

// A server that answers one MAIL FROM with 4xx may want a new connection only.
const MAX_SERVER_FAILURES = 3;

export class DeliveryRun {
  readonly store: Store;
  readonly result: DeliveryRunResult;
  readonly claims: ClaimBuffer;
  /** Null if a single edition is delivered. */
  readonly services: ServiceClaimBuffer | null;
  readonly commit: GroupCommit;
  readonly opener: ConnectionOpener;
  readonly backOff: BackOffState;
  readonly serviceBackOff: BackOffState;
  readonly breaker: CircuitBreaker;
  readonly attempt: AttemptContext;
  readonly #config: Config;
  readonly #options: DeliverOptions;
  readonly #end = new AbortController();
  readonly #messages = new Map<number, Promise<MessageMaker>>();
  /** How refusals were counted in the result, by claim. */
  readonly #countedRefusals = new Map<string, 'failed' | 'deferred'>();
  /** Why service messages cannot be built, by kind; null if they can. */
  readonly #serviceProblems = new Map<ServiceMessage['kind'], string | null>();
  /** Since the last success. */
  #serverFailures = 0;
  #failing: Promise<void> | null = null;

  constructor(store: Store, config: Config, transport: Transport, options: DeliverOptions) {
    const { clock, editionId, random = Math.random } = options;
    const { attempts, retryMinutes, uncertain } = config.delivery;
    this.store = store;
    this.#config = config;
    this.#options = options;
    this.result = emptyRunResult();
    this.opener = openConnectionOpener(transport);
    this.commit = new GroupCommit(store, clock);
    this.backOff = new BackOffState(store, 'server', clock, options);
    this.serviceBackOff = new BackOffState(store, 'service', clock, options);
    this.breaker = new CircuitBreaker(store, clock, this.backOff, options.onPause);
    this.attempt = { clock, random, policy: { attempts, firstWait: retryMinutes * MINUTE }, uncertain };
    this.claims = new ClaimBuffer(store, {
      workers: transport.connections,
      clock,
      editionId,
      newsletters: config.newsletters.map(({ id }) => id),
      uncertain,
      rateLimiter: openRateLimiter(config),
      mayClaim: () => this.#mayClaim(),
      isProbing: () => this.backOff.isProbing,
      random,
      onClaimed: ({ expired, held }) => {
        this.result.failed += expired;
        if (held !== null) this.result.stopped ??= withCommands(`the queue is held, ${held}`, [RELEASE_QUEUE]);
        if (expired > 0) options.onProgress?.(this.result);
      },
    });
    const onExpired = (count: number): void => {
      this.result.service.failed += count;
    };
    this.services =
      editionId === undefined
        ? new ServiceClaimBuffer(store, { clock, onExpired, backOff: this.serviceBackOff })
        : null;
  }

  /** Whether messages are counted for `delivery.perDay`. */
  get hasDailyLimit(): boolean {
    return this.#config.delivery.perDay !== undefined;
  }

  /** Whether nothing more may be started. */
  get isEnding(): boolean {
    return this.#end.signal.aborted;
  }

  /** Lets workers finish their submissions in progress. They claim nothing else. */
  end(): void {
    this.#end.abort();
  }

  /** Whether the server accepts nothing, as far as this run knows. */
  get isFailing(): boolean {
    return this.#failing !== null;
  }

  /** Reads whether the server may be tried. @returns false if it is left alone */
  async admit(): Promise<boolean> {
    const isForced = this.#options.probeNow === true;
    const { admission, backOff } = await this.backOff.admit({ isForced });
    if (admission === 'wait' && backOff !== null) this.#stop(backOff);
    return admission !== 'wait';
  }

  /** Claims the probe for this run. @returns false, and ends the run, if another process probes */
  async claimProbe(): Promise<boolean> {
    if (await this.backOff.claimProbe()) return true;
    const backOff = await this.backOff.current();
    if (backOff !== null) this.#stop(backOff);
    this.end();
    return false;
  }

  async #mayClaim(): Promise<boolean> {
    if (this.backOff.isProbing) return true;
    const backOff = await this.backOff.current();
    if (backOff === null) return true;
    this.#stop(backOff);
    return false;
  }

  /** Notes that the server has accepted a message. Awaits nothing unless this run probes. */
  accepted(): Promise<void> | undefined {
    this.#serverFailures = 0;
    return this.backOff.accept();
  }

  /** Notes that a message was refused for reasons that concern all. */
  async serverFailed(failure: { cause: 'temporary' | 'configuration'; reason: string }): Promise<void> {
    this.#serverFailures += 1;
    const isClear = failure.cause === 'configuration' || this.backOff.isProbing;
    if (isClear || this.#serverFailures >= MAX_SERVER_FAILURES) await this.fail(failure);
  }

  /** Ends the run because the server accepts nothing. Begins a back-off, or makes it longer. */
  fail({ cause, reason }: { cause: 'temporary' | 'configuration'; reason: string }): Promise<void> {
    this.#failing ??= this.backOff
      .fail({ cause, reason: redactAddresses(reason) })
      .then((backOff) => this.#stop(backOff));
    return this.#failing;
  }

  #stop({ reason, retry_at }: BackOff): void {
    if (this.result.stopped === null) {
      this.result.stopped = reason;
      this.result.retryAt = retry_at;
    }
    this.end();
  }

  /** Waits until an instant, or the end of the run. @param instant by `performance.now()`, which nobody sets back */
  async waitUntil(instant: number): Promise<void> {
    const wait = instant - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal: this.#end.signal }).catch(() => {});
  }

  /** Counts a refusal that was recorded, and decides what it means for others. @param words without addresses */
  async refused(delivery: ClaimedDelivery, as: DeliveryOutcome['kind'], words: string): Promise<void> {
    if (as === 'failed' || as === 'deferred') {
      this.#countedRefusals.set(claimKey(delivery.editionId, delivery.subscriberId, delivery.fence), as);
    }
    this.#apply(await this.breaker.decide(delivery, words));
  }

  #apply({ paused, takenBack, backOff }: BreakerResult): void {
    for (const { edition_id, subscriber_id, fence } of takenBack) {
      const key = claimKey(edition_id, subscriber_id, fence);
      const counted = this.#countedRefusals.get(key);
      if (counted !== undefined) this.result[counted] -= 1;
      this.#countedRefusals.delete(key);
    }
    if (paused !== null) this.result.paused.push(paused);
    if (backOff === null) return;
    this.#failing ??= Promise.resolve();
    this.#stop(backOff);
  }

  /** Pauses an edition whose messages cannot be built. */
  async pauseEdition(editionId: number, reason: string): Promise<void> {
    const pause = { editionId, reason: redactAddresses(reason) };
    const isPaused = await this.store.db.transaction().execute(async (tx) => {
      const paused = await pauseIfDelivering(tx, editionId, pause.reason);
      if (paused) await this.#options.onPause?.(tx, pause);
      return paused;
    });
    if (isPaused) this.result.paused.push(pause);
  }

  /** Counts an outcome that was recorded. */
  count(kind: DeliveryOutcome['kind'], counts: OutcomeCounts = this.result): void {
    if (!isCounted(kind)) return;
    counts[kind] += 1;
    this.#options.onProgress?.(this.result);
  }

  /** The maker of an edition's copies. @throws if the store fails */
  messagesOf(editionId: number): Promise<MessageMaker> {
    const cached = this.#messages.get(editionId);
    if (cached !== undefined) return cached;
    if (this.#messages.size >= CACHED_EDITIONS) this.#messages.clear();
    const loading = this.#loadMessages(editionId);
    this.#messages.set(editionId, loading);
    return loading;
  }

  async #loadMessages(editionId: number): Promise<MessageMaker> {
    const { secrets, signers } = this.#options;
    const edition = await findEditionById(this.store.db, editionId);
    const newsletter = this.#config.newsletters.find((one) => one.id === edition?.newsletter);
    // Only deliveries of configured newsletters are claimed.
    if (edition === null || newsletter === undefined) throw new Error(`edition ${editionId} cannot be delivered`);
    return prepareMessages(edition, newsletter, this.#config, secrets, signers);
  }

  /** Notes whether service messages of a kind can be built. @param problem null if they can */
  async serviceMessagesBuilt(kind: ServiceMessage['kind'], problem: string | null): Promise<void> {
    const redacted = problem === null ? null : redactAddresses(problem);
    if (this.#serviceProblems.get(kind) === redacted) return;
    this.#serviceProblems.set(kind, redacted);
    await this.#options.onServiceMessagesBuilt?.(kind, redacted);
  }

  makeServiceMessage(message: ServiceMessage): Promise<OutgoingMessage> {
    const { secrets, signers, templates } = this.#options;
    return prepareServiceMessage(message, { config: this.#config, secrets, signers, templates });
  }
}

function claimKey(editionId: number, subscriberId: number, fence: number): string {
  return `${editionId} ${subscriberId} ${fence}`;
}

function emptyRunResult(): DeliveryRunResult {
  const counts = { submitted: 0, deferred: 0, failed: 0, suppressed: 0 };
  return { ...counts, service: { ...counts }, paused: [], stopped: null };
}

function isCounted(kind: DeliveryOutcome['kind']): kind is keyof OutcomeCounts {
  return kind !== 'reverted' && kind !== 'released' && kind !== 'uncertain';
}
