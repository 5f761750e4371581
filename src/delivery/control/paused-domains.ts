/**
 * Domains that refuse every recipient of an edition, or whose recipients complain or cannot be reached too often. Their
 * deliveries of that edition wait until an operator resumes the domain, or until they expire; all others continue.
 */
import { domainToASCII } from 'node:url';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { type Db, inTransaction, type Tx } from '../../core/store/store.ts';
import type { EditionDeliveryState } from '../../core/store/tables.ts';

export interface PausedDomain {
  editionId: number;
  /** In lower case. */
  domain: string;
  /** The server's words, without addresses, or the rate. */
  reason: string;
  /** Epoch milliseconds. */
  since: number;
}

/** The paused domains of editions, by edition and name. */
export async function listPausedDomains(db: Db, editionIds: readonly number[]): Promise<PausedDomain[]> {
  if (editionIds.length === 0) return [];
  return db
    .selectFrom('paused_domains')
    .select(['edition_id as editionId', 'domain', 'reason', 'paused_at as since'])
    .where('edition_id', 'in', editionIds)
    .orderBy('edition_id')
    .orderBy('domain')
    .execute();
}

interface PausedDomainOfEdition extends Pick<PausedDomain, 'editionId' | 'domain'> {
  newsletter: string;
  slot: string;
  deliveryState: EditionDeliveryState;
}

/** The paused domains of the editions whose delivery is not over, by edition and name. */
export function listPausedDomainsOfUnfinished(db: Db): Promise<PausedDomainOfEdition[]> {
  return db
    .selectFrom('paused_domains')
    .innerJoin('editions', 'editions.id', 'paused_domains.edition_id')
    .select(['editions.id as editionId', 'editions.newsletter', 'editions.slot', 'paused_domains.domain'])
    .select('editions.delivery_state as deliveryState')
    .where('editions.delivery_state', 'in', ['delivering', 'paused'])
    .orderBy('editions.id')
    .orderBy('paused_domains.domain')
    .execute();
}

/** Pauses a domain. Claims then postpone its deliveries. @returns false if it was paused before */
export async function pauseDomain(tx: Tx, { editionId, domain, reason, since }: PausedDomain): Promise<boolean> {
  const added = await tx
    .insertInto('paused_domains')
    .values({ edition_id: editionId, domain, reason, paused_at: since })
    .onConflict((conflict) => conflict.columns(['edition_id', 'domain']).doNothing())
    .returning('domain')
    .executeTakeFirst();
  return added !== undefined;
}

/**
 * Resumes a domain of an edition, or all of them: the deliveries that wait for it are due now.
 * @param domain in lower case and A-labels; default: all that are paused
 * @returns the domains that were paused, as they are stored, in order
 */
export async function resumeDomains(db: Db, editionId: number, now: number, domain?: string): Promise<string[]> {
  return inTransaction(db, async (tx) => {
    const paused = (await listPausedDomains(tx, [editionId])).map((row) => row.domain);
    const domains = paused.filter((name) => domain === undefined || domainToASCII(name) === domain).sort();
    if (domains.length === 0) return [];
    await tx.deleteFrom('paused_domains').where('edition_id', '=', editionId).where('domain', 'in', domains).execute();
    await tx
      .updateTable('deliveries')
      .set({ due_at: now, reason: null, changed_at: now })
      .where('edition_id', '=', editionId)
      .where(isInOpenState('deliveries'))
      .where('state', '=', 'pending')
      .where('reason', 'in', domains.map(waitingReason))
      .execute();
    return domains;
  });
}

/** The reason of a delivery that waits because its domain is paused. */
export function waitingReason(domain: string): string {
  return `waits for the operator: ${domain} is paused for this edition`;
}
