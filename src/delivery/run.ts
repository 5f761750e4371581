/** The state that the workers of a delivery run share: claims, connections, messages, result and end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withCommands } from '../core/actions.ts';
import type { Config } from '../core/config/config.ts';
import type { SigningSecrets } from '../core/config/signing-secrets.ts';
import type { Signer } from '../core/keys.ts';
import type { Store } from '../core/store/store.ts';
import type { EditionSegments } from '../editions/copies/copy.ts';
import { findEditionById } from '../editions/queries.ts';
import type { Templates } from '../lib/templates.ts';
import type { Clock } from '../lib/time.ts';
import { RELEASE_QUEUE } from './alerts.ts';
import type { AttemptContext, Verdict } from './attempt.ts';
import {
  type BackOff,
  endBackOff,
  type OnRecovery,
  type OnTrouble,
  readBackOff,
  recordServerFailure,
  type ServerFailure,
} from './control/back-off.ts';
import { type DeliveryPause, judgeRefusal, type OnPause } from './control/circuit-breaker.ts';
import { pauseIfDelivering } from './control/edition-control.ts';
import { DailyLimit } from './limits/daily-limit.ts';
import { Pacer } from './limits/pacer.ts';
import { type MessageMaker, prepareMessages } from './message/edition-message.ts';
import { prepareServiceMessage, type ServiceMessage } from './message/service-message.ts';
import { ClaimBuffer } from './queue/claim-buffer.ts';
import type { DeliveryOutcome } from './queue/delivery-outcome.ts';
import { GroupCommit } from './queue/group-commit.ts';
import type { PrepareFinish } from './queue/outbox.ts';
import type { AwaitedReply, OutgoingMessage, Transport } from './transport/connection.ts';
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
  /** Editions that this run paused. */
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
  /** Templates of service messages. */
  templates: Templates;
  /** Stops the run: complete messages get their reply and are recorded, the rest stays pending. */
  signal?: AbortSignal | undefined;
  /** Called after every delivery. */
  onProgress?: ((result: Readonly<DeliveryRunResult>) => void) | undefined;
  /** Called in the transaction that pauses an edition, because every recipient is refused or nothing can be built. */
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
  /** Called when the run was to end some seconds ago, with what it still waits for. */
  onWaiting?: ((waits: AwaitedReply[]) => void) | undefined;
  /** Called when the server accepts a message again. */
  onRecovery?: OnRecovery | undefined;
  /** Tries the server now, although it is to be left alone for a while. */
  probeNow?: boolean | undefined;
  /** Delivers this edition only. */
  editionId?: number | undefined;
  /** Spreads retries: from 0 up to but not including 1. Default: Math.random. */
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
  readonly commit: GroupCommit;
  readonly opener: ConnectionOpener;
  readonly attempt: AttemptContext;
  readonly dailyLimit: DailyLimit | null;
  readonly #pacer: Pacer | null;
  readonly #config: Config;
  readonly #options: DeliverOptions;
  readonly #end = new AbortController();
  readonly #messages = new Map<number, Promise<MessageMaker>>();
  /** Why service messages cannot be built, by kind; null if they can. */
  readonly #serviceProblems = new Map<ServiceMessage['kind'], string | null>();
  readonly #connections: number;
  /** Number of submissions under way. */
  submitting = 0;
  #isProbing = false;
  /** Since the last answer. */
  #serverFailures = 0;
  #failing: Promise<void> | null = null;

  constructor(store: Store, config: Config, transport: Transport, options: DeliverOptions) {
    const { clock, editionId, random = Math.random } = options;
    const { uncertain, perSecond } = config.delivery;
    this.store = store;
    this.#config = config;
    this.#options = options;
    this.result = emptyRunResult();
    this.opener = openConnectionOpener(transport);
    this.#connections = transport.connections;
    this.commit = new GroupCommit(store, clock);
    this.attempt = { clock, random, uncertain };
    this.dailyLimit = DailyLimit.open(config);
    this.#pacer = perSecond === undefined ? null : new Pacer(store, perSecond, clock);
    this.claims = new ClaimBuffer(store, {
      workers: transport.connections,
      clock,
      editionId,
      newsletters: config.newsletters.map(({ id }) => id),
      uncertain,
      dailyLimit: this.dailyLimit,
      mayClaim: () => this.#mayClaim(),
      onClaimed: ({ expired, held }) => {
        this.result.failed += expired;
        if (held !== null) this.result.stopped ??= withCommands(`the queue is held, ${held}`, [RELEASE_QUEUE]);
        if (expired > 0) options.onProgress?.(this.result);
      },
      onServiceExpired: (count) => {
        this.result.service.failed += count;
      },
    });
  }

  /** Whether nothing more may be started. */
  get isEnding(): boolean {
    return this.#end.signal.aborted;
  }

  /** Lets workers finish their submissions in progress. They claim nothing else. */
  end(): void {
    this.#end.abort();
  }

  /** Whether one message at a time may be submitted, until the server answers. */
  get isProbing(): boolean {
    return this.#isProbing;
  }

  /** Reads whether the server may be tried. @returns false if it is left alone */
  async admit(): Promise<boolean> {
    const backOff = await readBackOff(this.store.db);
    this.#isProbing = backOff !== null && (this.#options.probeNow === true || this.attempt.clock() >= backOff.retry_at);
    return this.#mayClaim();
  }

  async #mayClaim(): Promise<boolean> {
    if (this.#isProbing) return true;
    const backOff = await readBackOff(this.store.db);
    if (backOff !== null) this.#stop(backOff);
    return backOff === null;
  }

  /** Notes that the server answers. Awaits nothing unless this run probes. */
  answered(): Promise<void> | undefined {
    this.#serverFailures = 0;
    if (!this.#isProbing) return undefined;
    this.#isProbing = false;
    return endBackOff(this.store, this.#options.onRecovery);
  }

  /** Acts on what a failed attempt says about other messages. */
  async heed(verdict: Verdict): Promise<void> {
    switch (verdict.kind) {
      case 'none':
        return;
      case 'answered':
        return this.answered();
      case 'trouble':
        // It may be about one recipient.
        return this.#countFailure(verdict.failure, verdict.isHung);
      case 'refused':
        if (verdict.refusal === 'permanent') return this.answered();
        // The circuit breaker counts broken connections; each one that hangs takes minutes.
        if (!verdict.isHung && !this.#isProbing) return;
        return this.#countFailure({ reason: verdict.words, isUrgent: false }, verdict.isHung === true);
    }
  }

  /** Ends the run after several failures in a row, or a round in which every connection hung. */
  async #countFailure(failure: ServerFailure, isHung: boolean): Promise<void> {
    this.#serverFailures += 1;
    const limit = isHung ? Math.min(MAX_SERVER_FAILURES, this.#connections) : MAX_SERVER_FAILURES;
    const isRound = this.#serverFailures >= limit || (isHung && this.submitting === 0);
    if (failure.isUrgent || this.#isProbing || isRound) await this.fail(failure);
  }

  /** Ends the run because the server accepts nothing. Begins a back-off, or makes it longer. */
  fail({ reason, isUrgent }: ServerFailure): Promise<void> {
    const failure = { reason: redactAddresses(reason), isUrgent };
    const { onTrouble } = this.#options;
    this.#failing ??= recordServerFailure(this.store, failure, this.attempt.clock(), onTrouble).then((backOff) =>
      this.#stop(backOff),
    );
    return this.#failing;
  }

  #stop({ reason, retry_at }: BackOff): void {
    if (this.result.stopped === null) {
      this.result.stopped = reason;
      this.result.retryAt = retry_at;
    }
    this.end();
  }

  /** Waits until `delivery.perSecond` allows the next message of an edition, or until the end of the run. */
  async pace(): Promise<void> {
    if (this.#pacer === null) return;
    const wait = (await this.#pacer.next()) - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal: this.#end.signal }).catch(() => {});
  }

  /** Decides what a recorded refusal means for the others of its edition. @param words without addresses */
  async judge(editionId: number, words: string): Promise<void> {
    const { paused, takenBack } = await judgeRefusal(
      this.store,
      editionId,
      words,
      this.attempt.clock(),
      this.#options.onPause,
    );
    // Other runs may have counted some of them.
    this.result.failed = Math.max(0, this.result.failed - takenBack);
    if (paused !== null) this.result.paused.push(paused);
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
    const stored = await this.store.db
      .selectFrom('editions')
      .select('segments')
      .where('id', '=', editionId)
      .executeTakeFirst();
    const segments = stored?.segments == null ? null : (JSON.parse(stored.segments) as EditionSegments);
    return prepareMessages({ ...edition, segments }, newsletter, this.#config, secrets, signers);
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

function emptyRunResult(): DeliveryRunResult {
  const counts = { submitted: 0, deferred: 0, failed: 0, suppressed: 0 };
  return { ...counts, service: { ...counts }, paused: [], stopped: null };
}

function isCounted(kind: DeliveryOutcome['kind']): kind is keyof OutcomeCounts {
  return kind !== 'reverted' && kind !== 'released' && kind !== 'uncertain';
}
