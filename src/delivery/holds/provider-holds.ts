/**
 * Holds of mailbox providers. When the bounces of an edition at one suggest a mistake, ours or theirs, nothing more is
 * submitted there and no bounce suppresses anybody there until the hold is closed. Queued deliveries are put off within
 * their expiry, and subscribers whose address bounced for good wait (`held_by`).
 */
import { type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely';
import { mailboxProviderById, mailboxProviderOf } from '../../audience/mailbox-providers.ts';
import { type Db, dialectOf, type Tx } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import { domainOf } from '../../lib/address.ts';

export type ProviderHold = Selectable<Tables['provider_holds']>;

/** The mailbox provider of an address: its id, otherwise the domain. */
export function providerOf(email: string): string {
  const domain = domainOf(email).toLowerCase();
  return mailboxProviderOf(domain)?.id ?? domain;
}

/** What an operator calls a mailbox provider, as `providerOf` has it: by its id or any of its domains. */
export function providerNamed(text: string): string {
  return mailboxProviderById(text)?.id ?? providerOf(`@${text}`);
}

export function providerTitle(provider: string): string {
  return mailboxProviderById(provider)?.name ?? provider;
}

/** Condition on subscribers: the address is at a mailbox provider. @param provider see `providerOf` */
export function isAtProvider(provider: string): RawBuilder<SqlBool> {
  const domains = mailboxProviderById(provider)?.domains ?? [provider];
  // In both dialects of SQL; a pattern for each of forty domains would take several times as long.
  const sameLength = [...Map.groupBy(domains, ({ length }) => length)];
  const isAtAny = sameLength.map(([length, names]) => {
    const suffix = sql`substr(subscribers.email_key, length(subscribers.email_key) - ${sql.lit(length)})`;
    return sql`${suffix} in (${sql.join(names.map((name) => `@${name}`))})`;
  });
  return sql<SqlBool>`(${sql.join(isAtAny, sql` or `)})`;
}

/** All holds, or the open ones. */
export function listHolds(db: Db, { isOpen = false } = {}): Promise<ProviderHold[]> {
  const holds = db.selectFrom('provider_holds').selectAll().orderBy('opened_at').orderBy('provider');
  return (isOpen ? holds.where('closed_at', 'is', null) : holds).execute();
}

/** The prefix of the reason of a delivery that waits. */
export const PUT_OFF = 'waits for a decision about its mailbox provider';

/** Whether a delivery waits for its mailbox provider. The one that is tried does not. */
export function isPutOff(
  holds: readonly ProviderHold[],
  delivery: { editionId: number; subscriberId: number; email: string | null },
): boolean {
  const { editionId, subscriberId, email } = delivery;
  if (holds.length === 0 || email === null) return false;
  const hold = holds.find(({ provider }) => provider === providerOf(email));
  return hold !== undefined && (hold.tried_edition_id !== editionId || hold.tried_subscriber_id !== subscriberId);
}

/** Whether a mailbox provider is held, until the transaction ends. */
export async function isHeld(tx: Tx, provider: string): Promise<boolean> {
  const hold = tx.selectFrom('provider_holds').select('edition_id').where('provider', '=', provider);
  const open = hold.where('closed_at', 'is', null).$if(dialectOf(tx) === 'postgres', (q) => q.forShare());
  return (await open.executeTakeFirst()) !== undefined;
}

/** Lets a subscriber wait, if the mailbox provider is held. @returns whether it is */
export async function holdSubscriber(
  tx: Tx,
  subscriber: Pick<Selectable<Tables['subscribers']>, 'id' | 'email_key' | 'suppressed_reason'>,
): Promise<boolean> {
  const provider = providerOf(subscriber.email_key);
  const held = await isHeld(tx, provider);
  if (held && subscriber.suppressed_reason === null) await setHeldBy(tx, subscriber.id, provider);
  return held;
}

export async function setHeldBy(tx: Tx, subscriberId: number, provider: string | null): Promise<void> {
  await tx.updateTable('subscribers').set({ held_by: provider }).where('id', '=', subscriberId).execute();
}
