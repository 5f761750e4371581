/**
 * The state that the workers of a delivery run share: claims, connections, messages, report and end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { SigningSecrets } from '../config/signing-secrets.ts';
import { findEditionById } from '../editions/queries.ts';
import type { Templates } from '../lib/templates.ts';
import { type Clock, MINUTE } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import type { AttemptContext } from './attempt.ts';
import { type AutoPause, type OnPause, openAutoPause } from './control/auto-pause.ts';
import type { Signer } from './message/dkim.ts';
import { type MessageMaker, prepareMessages } from './message/edition-message.ts';
import { prepareServiceMessage, type ServiceMessage } from './message/service-message.ts';
import { ClaimBuffer } from './queue/claim-buffer.ts';
import type { DeliveryOutcome } from './queue/delivery-outcome.ts';
import { GroupCommit } from './queue/group-commit.ts';
import type { PrepareFinish } from './queue/outbox.ts';
import { openRateLimiter } from './queue/rate-limiter.ts';
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

export interface DeliveryReport extends OutcomeCounts {
  /** The same for service messages. */
  service: OutcomeCounts;
  /** Editions that this run paused because the server refuses every recipient. */
  paused: { editionId: number; reason: string }[];
  /**
   * Why the run ended before everything due was done, for the operator; null if nothing was left. What was not
   * submitted is still pending, and no attempt was counted.
   */
  stopped: string | null;
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
  onProgress?: ((report: Readonly<DeliveryReport>) => void) | undefined;
  /** Called in the transaction that pauses an edition because the server refuses every recipient. */
  onPause?: OnPause | undefined;
  /** Called before an edition is set to `done`. */
  prepareFinish?: PrepareFinish | undefined;
  /** Delivers this edition only. */
  editionId?: number | undefined;
  /** Spreads retries: from 0 up to but not including 1. Default: Math.random. */
  random?: (() => number) | undefined;
}

/** The maker of an edition's copies, or why there is none. */
type EditionMessages = { kind: 'ready'; make: MessageMaker } | { kind: 'unbuildable'; reason: string };

// The compiled HTML of an edition is kept once for all recipients. A run rarely delivers more than two editions.
const CACHED_EDITIONS = 8;

export class DeliveryRun {
  readonly store: Store;
  readonly report: DeliveryReport;
  readonly claims: ClaimBuffer;
  /** Null if a single edition is delivered. */
  readonly services: ServiceClaimBuffer | null;
  readonly commit: GroupCommit;
  readonly opener: ConnectionOpener;
  readonly autoPause: AutoPause;
  readonly attempt: AttemptContext;
  readonly #config: Config;
  readonly #options: DeliverOptions;
  readonly #end = new AbortController();
  readonly #messages = new Map<number, Promise<EditionMessages>>();

  constructor(store: Store, config: Config, transport: Transport, options: DeliverOptions) {
    const { clock, editionId, random = Math.random } = options;
    const { attempts, retryMinutes, uncertain } = config.delivery;
    this.store = store;
    this.#config = config;
    this.#options = options;
    this.report = emptyReport();
    this.opener = openConnectionOpener(transport);
    this.commit = new GroupCommit(store, clock);
    this.autoPause = openAutoPause(store, clock, options.onPause);
    this.attempt = { clock, random, policy: { attempts, firstWait: retryMinutes * MINUTE }, uncertain };
    this.claims = new ClaimBuffer(store, {
      workers: transport.connections,
      clock,
      editionId,
      newsletters: config.newsletters.map(({ id }) => id),
      uncertain,
      rateLimiter: openRateLimiter(config),
      onClaimed: ({ expired, held }) => {
        this.report.failed += expired;
        if (held !== null) this.report.stopped ??= `the queue is held: ${held}`;
        if (expired > 0) options.onProgress?.(this.report);
      },
    });
    const onExpired = (count: number): void => {
      this.report.service.failed += count;
    };
    this.services = editionId === undefined ? new ServiceClaimBuffer(store, { clock, onExpired }) : null;
  }

  /** Whether nothing more may be started. */
  get isEnding(): boolean {
    return this.#end.signal.aborted;
  }

  /** Lets workers finish their submissions in progress, and no more. */
  end(): void {
    this.#end.abort();
  }

  /** Ends the run because the server refuses every recipient. @param reason may contain addresses, which are removed */
  stop(reason: string): void {
    this.report.stopped ??= redactAddresses(reason);
    this.end();
  }

  /** Waits until an instant, or the end of the run. @param instant by `performance.now()`, which nobody sets back */
  async waitUntil(instant: number): Promise<void> {
    const wait = instant - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal: this.#end.signal }).catch(() => {});
  }

  /** Pauses an edition because the server refuses every recipient. @param reason without addresses */
  async pauseEdition(editionId: number, reason: string): Promise<void> {
    const { paused, reopened } = await this.autoPause.pause(editionId, reason);
    for (const { as } of reopened) this.report[as] -= 1;
    if (paused) this.report.paused.push({ editionId, reason });
  }

  /** Counts an outcome that was recorded. */
  count(kind: DeliveryOutcome['kind'], counts: OutcomeCounts = this.report): void {
    if (!isCounted(kind)) return;
    counts[kind] += 1;
    this.#options.onProgress?.(this.report);
  }

  /** The maker of an edition's copies. @throws if the store fails */
  messagesOf(editionId: number): Promise<EditionMessages> {
    const cached = this.#messages.get(editionId);
    if (cached !== undefined) return cached;
    if (this.#messages.size >= CACHED_EDITIONS) this.#messages.clear();
    const loading = this.#loadMessages(editionId);
    this.#messages.set(editionId, loading);
    return loading;
  }

  async #loadMessages(editionId: number): Promise<EditionMessages> {
    const { secrets, signers } = this.#options;
    const edition = await findEditionById(this.store.db, editionId);
    if (edition === null) return { kind: 'unbuildable', reason: `edition ${editionId} does not exist` };
    const newsletter = this.#config.newsletters.find((one) => one.id === edition.newsletter);
    if (newsletter === undefined) {
      return { kind: 'unbuildable', reason: `the newsletter ${edition.newsletter} is not configured any more` };
    }
    return { kind: 'ready', make: prepareMessages(edition, newsletter, this.#config, secrets, signers) };
  }

  makeServiceMessage(message: ServiceMessage): Promise<OutgoingMessage> {
    const { secrets, signers, templates } = this.#options;
    return prepareServiceMessage(message, { config: this.#config, secrets, signers, templates });
  }
}

function emptyReport(): DeliveryReport {
  const counts = { submitted: 0, deferred: 0, failed: 0, suppressed: 0 };
  return { ...counts, service: { ...counts }, paused: [], stopped: null };
}

function isCounted(kind: DeliveryOutcome['kind']): kind is keyof OutcomeCounts {
  return kind !== 'reverted' && kind !== 'released' && kind !== 'uncertain';
}
