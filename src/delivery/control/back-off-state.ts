/**
 * The back-off that all processes share: read before submissions, and changed by failures and by the success that ends
 * it. See back-off.ts for the decisions.
 */
import { sql } from 'kysely';
import { type Db, dialectOf, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import type { BackOffScope, Tables } from '../../core/store/tables.ts';
import { type Clock, MINUTE } from '../../lib/time.ts';
import {
  afterFailure,
  type BackOff,
  type BackOffCause,
  type DeliveryAdmission,
  decideAdmission,
  isAlertDue,
} from './back-off.ts';

/** After that, another process may probe, too: a server may take its time. */
const PROBE_LEASE = 2 * MINUTE;

/** Called once for each back-off that an operator must know of, in the transaction that notes it. */
export type OnTrouble = (tx: Tx, trouble: { scope: BackOffScope; backOff: BackOff }) => Promise<void>;

/** Called in the transaction that ends a back-off. */
export type OnRecovery = (tx: Tx, scope: BackOffScope) => Promise<void>;

/** For one run. */
export class BackOffState {
  readonly #store: Pick<Store, 'db'>;
  readonly #scope: BackOffScope;
  readonly #clock: Clock;
  readonly #onTrouble: OnTrouble | undefined;
  readonly #onRecovery: OnRecovery | undefined;
  #isProbing = false;
  #hasLease = false;
  /** As admitted: it changes when another process has probed. */
  #retryAt = 0;
  #lastAcceptedAt = Number.NEGATIVE_INFINITY;

  constructor(
    store: Pick<Store, 'db'>,
    scope: BackOffScope,
    clock: Clock,
    { onTrouble, onRecovery }: { onTrouble?: OnTrouble | undefined; onRecovery?: OnRecovery | undefined } = {},
  ) {
    this.#store = store;
    this.#scope = scope;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
    this.#onRecovery = onRecovery;
  }

  /** Whether only a message at a time may be submitted, after `claimProbe`. */
  get isProbing(): boolean {
    return this.#isProbing;
  }

  /**
   * Reads whether messages may be submitted.
   * @param options.isForced probes although the time has not come
   */
  async admit(
    options: { isForced?: boolean } = {},
  ): Promise<{ admission: DeliveryAdmission; backOff: BackOff | null }> {
    const now = this.#clock();
    const backOff = await this.current();
    if (this.#hasLease) return { admission: 'wait', backOff };
    let admission = decideAdmission(backOff, now);
    if (admission === 'wait' && backOff !== null && isAlertDue(backOff, now)) await this.#alert(now);
    if (admission === 'wait' && options.isForced) admission = 'probe';
    this.#isProbing = admission === 'probe';
    this.#retryAt = backOff?.retry_at ?? 0;
    return { admission, backOff };
  }

  /** The current back-off; null if messages may be submitted. */
  async current(): Promise<BackOff | null> {
    const backOff = await readBackOff(this.#store.db, this.#scope);
    if (backOff === null || this.#lastAcceptedAt <= backOff.failed_at) return backOff;
    // Another process failed before this one had a message accepted.
    await this.#end();
    return null;
  }

  /** Claims the probe for this process. @returns false if another process probes, or has found out meanwhile */
  async claimProbe(): Promise<boolean> {
    if (this.#hasLease) return true;
    const now = this.#clock();
    const { numUpdatedRows } = await this.#store.db
      .updateTable('back_offs')
      .set({ lease_until: now + PROBE_LEASE })
      .where('scope', '=', this.#scope)
      .where('retry_at', '=', this.#retryAt)
      .where((e) => e.or([e('lease_until', 'is', null), e('lease_until', '<=', now)]))
      .executeTakeFirstOrThrow();
    this.#hasLease = numUpdatedRows > 0n;
    return this.#hasLease;
  }

  /** Releases the probe, if it found out nothing. */
  async release(): Promise<void> {
    if (!this.#hasLease) return;
    this.#hasLease = false;
    await this.#store.db.updateTable('back_offs').set({ lease_until: null }).where('scope', '=', this.#scope).execute();
  }

  /**
   * Notes that the server accepts nothing.
   * @param failure.reason without addresses
   * @param tx where the failure changes more than the back-off
   */
  async fail(failure: { cause: BackOffCause; reason: string }, tx?: Tx): Promise<BackOff> {
    const now = this.#clock();
    const isProbe = this.#hasLease;
    this.#hasLease = false;
    return inTransaction(tx ?? this.#store.db, async (tx) => {
      const after = afterFailure(await readBackOff(tx, this.#scope, { isLocked: true }), failure, now);
      // Also after a probe on request, which does not make the back-off longer: the next probe must not wait for it.
      const next = isProbe ? { ...after, lease_until: null } : after;
      await tx
        .insertInto('back_offs')
        .values({ scope: this.#scope, ...next })
        .onConflict((conflict) => conflict.column('scope').doUpdateSet(next))
        .execute();
      if (isAlertDue(next, now)) await this.#alertIn(tx, now);
      return next;
    });
  }

  /** Notes that the server accepts messages. Costs a statement only if this process probes. */
  accept(): Promise<void> | undefined {
    this.#lastAcceptedAt = this.#clock();
    if (!this.#isProbing) return undefined;
    this.#isProbing = false;
    this.#hasLease = false;
    return this.#end();
  }

  #end(): Promise<void> {
    return inTransaction(this.#store.db, async (tx) => {
      await tx.deleteFrom('back_offs').where('scope', '=', this.#scope).execute();
      await this.#onRecovery?.(tx, this.#scope);
    });
  }

  async #alert(now: number): Promise<void> {
    await inTransaction(this.#store.db, (tx) => this.#alertIn(tx, now));
  }

  /** Once, although several processes may notice at the same time. */
  async #alertIn(tx: Tx, now: number): Promise<void> {
    const backOff = await readBackOff(tx, this.#scope, { isLocked: true });
    if (backOff === null || !isAlertDue(backOff, now)) return;
    await tx.updateTable('back_offs').set({ alerted: 1 }).where('scope', '=', this.#scope).execute();
    await this.#onTrouble?.(tx, { scope: this.#scope, backOff });
  }
}

/** The current back-offs. */
export function listBackOffs(db: Db): Promise<Pick<Tables['back_offs'], 'scope' | 'reason' | 'since' | 'retry_at'>[]> {
  return db.selectFrom('back_offs').select(['scope', 'reason', 'since', 'retry_at']).orderBy('scope').execute();
}

/** The current back-off of a scope; null if there is none. @param options.isLocked until the transaction ends */
async function readBackOff(db: Db, scope: BackOffScope, options: { isLocked?: boolean } = {}): Promise<BackOff | null> {
  const row = await db
    .selectFrom('back_offs')
    .select(['cause', 'reason', 'failures', 'since', 'failed_at', 'retry_at', 'lease_until', 'alerted'])
    .where('scope', '=', scope)
    .$if(options.isLocked === true && dialectOf(db) === 'postgres', (q) => q.modifyEnd(sql`for update`))
    .executeTakeFirst();
  return row ?? null;
}
