/**
 * Pauses an edition, or one domain of it, when refusals of single recipients mean that everyone is refused: further
 * attempts would fail the whole list. Recipients that were refused before that was known are due again. Refusals that
 * pass by themselves begin a back-off instead.
 *
 * The refusals are in the store, so they are counted over all processes, and over restarts. A success costs nothing
 * unless this process knows of refusals that it ends; a success of another process is found in the ledger, before
 * anything is paused.
 */
import { type Db, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import type { RefusalKind } from '../../core/store/tables.ts';
import { Mutex } from '../../lib/concurrency/mutex.ts';
import type { Clock } from '../../lib/time.ts';
import type { ClaimedDelivery, ClaimKeyRow } from '../queue/outbox.ts';
import { recipientDomain } from '../queue/recipient-domain.ts';
import {
  countUnsuppressedDeliveries,
  endRefusalsBefore,
  findLastSubmission,
  isAnySubmitted,
  type RefusalChange,
  readRefusalsInARow,
  readRefusalsOfDomain,
  takeBackRefusals,
} from '../queue/refusals.ts';
import type { BackOff } from './back-off.ts';
import type { BackOffState } from './back-off-state.ts';
import { pauseDomain, waitingReason } from './paused-domains.ts';
import {
  decideDomain,
  decideEdition,
  type EditionFacts,
  FINAL_KINDS,
  FIRST_LIMIT,
  PASSING_KINDS,
  type RefusalDecision,
  type RefusalGroup,
} from './refusal-limits.ts';

export interface DeliveryPause {
  editionId: number;
  /** The domain that is paused; absent if the whole edition is. */
  domain?: string;
  /** Shown to the operator and with other deliveries: without addresses. */
  reason: string;
}

/** Called in the transaction that pauses an edition or a domain. */
export type OnPause = (tx: Tx, pause: DeliveryPause) => Promise<void>;

export interface BreakerResult {
  decision: RefusalDecision;
  /** What this call paused, if anything. */
  paused: DeliveryPause | null;
  /** Deliveries that are due again, with the attempt not counted. */
  takenBack: ClaimKeyRow[];
  /** What a decision to back off began. */
  backOff: BackOff | null;
}

/** What this run knows of an edition. */
interface EditionKnowledge {
  /** Whether anyone has got it; false if that is not known. */
  isAnyAccepted: boolean;
  /** Whether there may be refusals in a row. */
  hasRefusalsInARow: boolean;
  /** Domains that may have refusals. */
  refusingDomains: Set<string>;
}

const NOTHING: BreakerResult = { decision: 'continue', paused: null, takenBack: [], backOff: null };

/** For one run. */
export class CircuitBreaker {
  readonly #store: Pick<Store, 'db' | 'reports'>;
  readonly #clock: Clock;
  readonly #backOff: BackOffState;
  readonly #onPause: OnPause | undefined;
  readonly #editions = new Map<number, EditionKnowledge>();
  readonly #deciding = new Mutex();

  constructor(store: Pick<Store, 'db' | 'reports'>, clock: Clock, backOff: BackOffState, onPause?: OnPause) {
    this.#store = store;
    this.#clock = clock;
    this.#backOff = backOff;
    this.#onPause = onPause;
  }

  /** Counts a success. @returns what to record with it; undefined if it ends no refusals */
  accepted({ editionId, email }: ClaimedDelivery): RefusalChange | undefined {
    const known = this.#knowledgeOf(editionId);
    known.isAnyAccepted = true;
    if (!known.hasRefusalsInARow && known.refusingDomains.size === 0) return undefined;
    const domain = recipientDomain(email);
    if (!known.refusingDomains.delete(domain) && !known.hasRefusalsInARow) return undefined;
    known.hasRefusalsInARow = false;
    return { kind: 'accepted', domain };
  }

  /** Counts a refusal. @returns what to record with it; call `decide` afterwards */
  refused(delivery: ClaimedDelivery, refusal: RefusalKind): RefusalChange {
    const { editionId, email } = delivery;
    const known = this.#knowledgeOf(editionId);
    const domain = recipientDomain(email);
    known.hasRefusalsInARow = true;
    known.refusingDomains.add(domain);
    // To refuse for good is new of a server that has only deferred this recipient.
    const isRepeated = FINAL_KINDS.includes(refusal) ? delivery.wasRefused : delivery.isRepeated;
    return { kind: 'refused', domain, refusal, isRepeated };
  }

  /**
   * Decides what a recorded refusal means, with those before it.
   * @param words the server's, without addresses
   * @throws if the store fails
   */
  async decide({ editionId, email }: ClaimedDelivery, words: string): Promise<BreakerResult> {
    const domain = recipientDomain(email);
    const release = await this.#deciding.acquire();
    try {
      const result = await this.#judge(editionId, domain, words);
      if (result.decision !== 'continue') return result;
      // Afterwards: another process may have paused the edition and taken back all refusals but this one meanwhile.
      return { ...NOTHING, takenBack: await this.#takeBackLate(editionId, domain) };
    } finally {
      release();
    }
  }

  #knowledgeOf(editionId: number): EditionKnowledge {
    const known = this.#editions.get(editionId);
    if (known !== undefined) return known;
    const added = { isAnyAccepted: false, hasRefusalsInARow: false, refusingDomains: new Set<string>() };
    this.#editions.set(editionId, added);
    return added;
  }

  async #judge(editionId: number, domain: string, words: string): Promise<BreakerResult> {
    if (await this.#isEditionSuspect(editionId)) return this.#judgeEdition(editionId, words);
    if (await this.#isDomainSuspect(editionId, domain)) return this.#judgeDomain(editionId, domain, words);
    return NOTHING;
  }

  /** Takes back refusals of submissions that had begun before a pause or a back-off. */
  async #takeBackLate(editionId: number, domain: string): Promise<ClaimKeyRow[]> {
    const { db } = this.#store;
    const edition = await db
      .selectFrom('editions')
      .leftJoin('paused_domains', (join) =>
        join.onRef('paused_domains.edition_id', '=', 'editions.id').on('paused_domains.domain', '=', domain),
      )
      .select(['editions.delivery_state', 'editions.delivery_reason', 'paused_domains.domain'])
      .where('editions.id', '=', editionId)
      .executeTakeFirstOrThrow();
    const takeBack = (which: { domain?: string; kinds?: readonly RefusalKind[] }, reason: string) =>
      inTransaction(db, (tx) => takeBackRefusals(tx, { editionId, ...which }, reason, this.#clock()));
    if (edition.delivery_state === 'paused') return takeBack({}, edition.delivery_reason ?? 'the edition is paused');
    if (edition.domain !== null) return takeBack({ domain, kinds: FINAL_KINDS }, waitingReason(domain));
    const backOff = await this.#backOff.current();
    return backOff === null ? [] : takeBack({ kinds: PASSING_KINDS }, backOff.reason);
  }

  /** Whether the refusals of an edition reach a limit, unless another process has had a success since. */
  async #isEditionSuspect(editionId: number): Promise<boolean> {
    const { groups } = await readRefusalsInARow(this.#store.db, editionId);
    return this.#isSuspect(editionId, groups, (facts) => decideEdition(groups, facts));
  }

  async #isDomainSuspect(editionId: number, domain: string): Promise<boolean> {
    const { groups } = await readRefusalsOfDomain(this.#store.db, editionId, domain);
    const decide = (facts: EditionFacts) => decideDomain(groups, { ...facts, isDomainAccepted: false });
    if (!(await this.#isSuspect(editionId, groups, decide))) return false;
    const isDomainAccepted = await isAnySubmitted(this.#store.reports, editionId, domain);
    const facts = await this.#factsOf(this.#store.db, editionId);
    return decideDomain(groups, { ...facts, isDomainAccepted }) !== 'continue';
  }

  /** Asks for the facts only if they matter: with an edition that nobody has got, and few recipients. */
  async #isSuspect(
    editionId: number,
    groups: RefusalGroup[],
    decide: (facts: EditionFacts) => RefusalDecision,
  ): Promise<boolean> {
    const known = this.#knowledgeOf(editionId);
    if (!known.isAnyAccepted) {
      if (decide({ isAnyAccepted: false, recipients: 0 }) === 'continue') return false;
      const recipients = await countUnsuppressedDeliveries(this.#store.db, editionId);
      if (decide({ isAnyAccepted: false, recipients }) === 'continue') return false;
      // Reads the whole edition if nobody has got it, and then it is paused.
      if (await isAnySubmitted(this.#store.reports, editionId)) known.isAnyAccepted = true;
    }
    return groups.length > 0 && decide(await this.#factsOf(this.#store.db, editionId)) !== 'continue';
  }

  async #factsOf(db: Db, editionId: number): Promise<EditionFacts> {
    const { isAnyAccepted } = this.#knowledgeOf(editionId);
    const recipients = isAnyAccepted ? FIRST_LIMIT : await countUnsuppressedDeliveries(db, editionId);
    return { isAnyAccepted, recipients };
  }

  /** Pauses the edition or backs off, unless the ledger has a success since the refusals began. */
  #judgeEdition(editionId: number, words: string): Promise<BreakerResult> {
    const known = this.#knowledgeOf(editionId);
    return inTransaction(this.#store.db, async (tx) => {
      const now = this.#clock();
      const last = await findLastSubmission(tx, editionId);
      if (last !== null) {
        known.isAnyAccepted = true;
        await endRefusalsBefore(tx, editionId, last);
      }
      const { groups } = await readRefusalsInARow(tx, editionId);
      const decision = decideEdition(groups, await this.#factsOf(tx, editionId));
      const reason = `the server refuses every recipient: ${words}`;
      if (decision === 'continue') return NOTHING;
      if (decision === 'back-off') {
        const takenBack = await takeBackRefusals(tx, { editionId, kinds: PASSING_KINDS }, reason, now);
        const backOff = await this.#backOff.fail({ cause: 'temporary', reason }, tx);
        return { decision, paused: null, takenBack, backOff };
      }
      const state = await pauseOpenEdition(tx, editionId, reason);
      if (state === 'over') return NOTHING;
      const takenBack = await takeBackRefusals(tx, { editionId }, reason, now);
      const paused = state === 'paused' ? { editionId, reason } : null;
      if (paused !== null) await this.#onPause?.(tx, paused);
      return { decision, paused, takenBack, backOff: null };
    });
  }

  #judgeDomain(editionId: number, domain: string, words: string): Promise<BreakerResult> {
    return inTransaction(this.#store.db, async (tx) => {
      const now = this.#clock();
      const last = await findLastSubmission(tx, editionId, domain);
      if (last !== null) await endRefusalsBefore(tx, editionId, last, domain);
      const { groups } = await readRefusalsOfDomain(tx, editionId, domain);
      const facts = await this.#factsOf(tx, editionId);
      if (decideDomain(groups, { ...facts, isDomainAccepted: last !== null }) === 'continue') return NOTHING;
      const paused = { editionId, domain, reason: `${domain} refuses every recipient: ${words}` };
      const isNew = await pauseDomain(tx, { ...paused, since: now });
      const which = { editionId, domain, kinds: FINAL_KINDS };
      const takenBack = await takeBackRefusals(tx, which, waitingReason(domain), now);
      if (isNew) await this.#onPause?.(tx, paused);
      return { decision: 'pause', paused: isNew ? paused : null, takenBack, backOff: null };
    });
  }
}

/**
 * Pauses an edition. One that is done, too: another process may have seen its last delivery fail a moment ago.
 * @returns `over` if it was cancelled
 */
async function pauseOpenEdition(
  tx: Tx,
  editionId: number,
  reason: string,
): Promise<'paused' | 'paused before' | 'over'> {
  const { numUpdatedRows } = await tx
    .updateTable('editions')
    .set({ delivery_state: 'paused', delivery_reason: reason })
    .where('id', '=', editionId)
    .where('delivery_state', 'in', ['delivering', 'done'])
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return 'paused';
  const edition = await tx
    .selectFrom('editions')
    .select('delivery_state')
    .where('id', '=', editionId)
    .executeTakeFirst();
  return edition?.delivery_state === 'paused' ? 'paused before' : 'over';
}
