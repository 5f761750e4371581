/** What an operator does about a held mailbox provider: tries one message, or closes the hold. */
import { sql } from 'kysely';
import { suppressAddress } from '../../audience/suppression.ts';
import { type RaisedAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { type Db, type InTransaction, inTransaction } from '../../core/store/store.ts';
import { editionAction } from '../../editions/edition-action.ts';
import { HOUR } from '../../lib/time.ts';
import { DeliveryControlError } from '../control/edition-control.ts';
import { reopen } from '../control/reopen.ts';
import { editionName } from '../status/edition-status.ts';
import { isAtProvider, listHolds, type ProviderHold, PUT_OFF, providerTitle, setHeldBy } from './provider-holds.ts';

interface HoldAct {
  provider: string;
  /** Changes nothing. */
  isDryRun?: boolean;
  /** Called in the transaction of the change. */
  onCommit?: InTransaction | undefined;
}

export interface HoldStatus extends Pick<ProviderHold, 'provider' | 'edition_id' | 'reason' | 'opened_at'> {
  /** Deliveries that wait. */
  waiting: number;
  /** Subscribers who wait with a hard bounce. */
  bounced: number;
}

export async function readHolds({ db, reports }: AppContext['store']): Promise<HoldStatus[]> {
  const read = async (hold: ProviderHold): Promise<HoldStatus> => {
    const { rows } = await sql<{ waiting: number; bounced: number }>`select
      (select count(*) from deliveries join subscribers on subscribers.id = deliveries.subscriber_id
        where deliveries.edition_id in (select id from editions where delivery_state = 'delivering')
          and ${isInOpenState('deliveries')} and ${isAtProvider(hold.provider)}) as waiting,
      (select count(*) from subscribers where held_by = ${hold.provider}) as bounced`.execute(reports);
    return { ...hold, waiting: 0, bounced: 0, ...rows[0] };
  };
  return Promise.all((await listHolds(db, { isOpen: true })).map(read));
}

interface TriedMessage {
  editionId: number;
  subscriberId: number;
  email: string;
}

/**
 * Submits one message to a held mailbox provider: the newest that waits or bounced, for one of those whose address
 * bounced. Those who wait with a hard bounce come first.
 * @returns null if nobody is left whose message could be tried
 * @throws DeliveryControlError if it is not held
 */
export async function tryHold(app: AppContext, act: HoldAct): Promise<TriedMessage | null> {
  const { store, config, clock } = app;
  const { provider, isDryRun, onCommit } = act;
  const first = (await requireHold(store, provider)).edition_id;
  const { rows } = await sql<TriedMessage & { newsletter: string }>`
    select editions.id as "editionId", subscribers.id as "subscriberId", subscribers.email, editions.newsletter
    from (
      select id from subscribers where held_by = ${provider}
      union select subscriber_id from bounces where edition_id = ${first}
      union select subscriber_id from deliveries where edition_id = ${first} and state = 'failed'
    ) as bounced
    join subscribers on subscribers.id = bounced.id
    join editions on editions.id >= ${first} and editions.delivery_state in ('delivering', 'done')
      and editions.superseded_by is null
    join deliveries on deliveries.edition_id = editions.id and deliveries.subscriber_id = subscribers.id
    join subscriptions on subscriptions.subscriber_id = subscribers.id
      and subscriptions.newsletter = editions.newsletter and subscriptions.state = 'confirmed'
    where ${isAtProvider(provider)} and subscribers.suppressed_reason is null
      and coalesce(subscribers.paused_until, 0) <= ${clock()}
      and (deliveries.state in ('pending', 'failed') or deliveries.state = 'submitted' and exists (
        select 1 from bounces where bounces.edition_id = editions.id and bounces.subscriber_id = subscribers.id
          and bounces.kind <> 'complaint'))
    order by case when subscribers.held_by is null then 1 else 0 end, subscribers.id, editions.id desc
    limit 1`.execute(store.reports);
  const [found] = rows;
  if (found === undefined || isDryRun) return found ?? null;
  const { editionId, subscriberId, newsletter } = found;
  const hours = config.newsletters.find(({ id }) => id === newsletter)?.expireAfterHours ?? 1;
  await inTransaction(store.db, async (tx) => {
    const request = { kinds: ['bounced'] as const, expiresAt: clock() + hours * HOUR };
    await reopen(tx, editionId, [subscriberId], request, clock(), onCommit);
    await setHeldBy(tx, subscriberId, null);
    const tried = { tried_edition_id: editionId, tried_subscriber_id: subscriberId };
    await tx.updateTable('provider_holds').set(tried).where('provider', '=', provider).execute();
  });
  return found;
}

export const NOBODY_TO_TRY = 'nobody is left whose message could be tried';

const BATCH = 5_000;

/**
 * Closes a hold: what waits for the mailbox provider is submitted.
 * @param as what becomes of the subscribers who wait with a hard bounce: mailed again, or suppressed
 * @returns what waited
 * @throws DeliveryControlError if it is not held
 */
export async function closeHold(
  { store, keys, clock }: AppContext,
  as: 'release' | 'suppress',
  { provider, isDryRun, onCommit }: HoldAct,
): Promise<HoldStatus> {
  const hold = await requireHold(store, provider);
  if (isDryRun) return hold;
  const held = store.db.selectFrom('subscribers').select('id').where('held_by', '=', provider).orderBy('id');
  const secrets = await keys.signingSecrets();
  for (const { id } of as === 'suppress' ? await held.execute() : []) {
    await suppressAddress(store.db, secrets, id, 'hard-bounce', { channel: 'operator', source: null }, clock());
  }
  await inTransaction(store.db, async (tx) => {
    const close = tx.updateTable('provider_holds').set({ closed_at: clock() });
    await close.where('provider', '=', provider).execute();
    await tx.updateTable('subscribers').set({ held_by: null }).where('held_by', '=', provider).execute();
    await resolveAlerts(tx, [holdAlertId(hold)], clock());
    await onCommit?.(tx);
  });
  for (;;) {
    const { numAffectedRows = 0n } = await sql`update deliveries set due_at = cast(${clock()} as bigint)
      where (edition_id, subscriber_id) in (
        select edition_id, subscriber_id from deliveries join subscribers on subscribers.id = deliveries.subscriber_id
        where edition_id in (select id from editions where delivery_state in ('delivering', 'paused'))
          and ${isInOpenState('deliveries')} and due_at > ${clock()} and reason like ${`${PUT_OFF}%`}
          and ${isAtProvider(provider)}
        limit ${BATCH})`.execute(store.db);
    if (numAffectedRows === 0n) return hold;
  }
}

async function requireHold(store: AppContext['store'], provider: string): Promise<HoldStatus> {
  const holds = await readHolds(store);
  const hold = holds.find((one) => one.provider === provider);
  if (hold !== undefined) return hold;
  const others = holds.map((one) => one.provider).join(', ') || 'none';
  throw new DeliveryControlError(
    `messages to ${providerTitle(provider)} do not wait for a decision; those that do: ${others}`,
  );
}

type NamedHold = Pick<ProviderHold, 'provider' | 'edition_id' | 'reason'>;

function holdAlertId({ provider, edition_id: edition }: NamedHold) {
  return { kind: 'provider-held', subject: { provider, edition } };
}

/** Says what bounced, what waits, and what can be done. */
export async function holdAlert(db: Db, hold: NamedHold): Promise<RaisedAlert> {
  const name = await editionName(db, hold.edition_id);
  const act = (verb: string, to: string, label: string) => {
    return { to, command: `queue ${verb} ${hold.provider}`, desk: `“${label}” under Deliveries` };
  };
  const message =
    `${name}: ${hold.reason}. Nothing more is submitted there, and no bounce suppresses anybody there, until you ` +
    'decide. After seven days one message is tried.';
  const actions = [
    { to: 'look at your own records', command: 'domain', desk: null },
    act('try', 'try one message', 'Try one message'),
    act('release', 'submit what waits', 'Release'),
    act('suppress', 'suppress those who wait with a hard bounce and submit the rest', 'Suppress and release'),
    editionAction('retry', 'send it again to those whose copy bounced', name, {
      ...{ options: `--provider ${hold.provider}`, desk: '“Send again” on the page of its deliveries' },
    }),
  ];
  return { ...holdAlertId(hold), message, actions };
}
