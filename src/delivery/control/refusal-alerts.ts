/**
 * Alerts about a server that puts off, or refuses, what nobody would notice: each message is tried again by itself, and
 * the alerts end when the messages are accepted.
 */
import { sql } from 'kysely';
import { type RaisedAlert, syncAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import type { Db } from '../../core/store/store.ts';
import { domainOf } from '../../lib/address.ts';
import { deferralAlert, SERVICE_MESSAGES_REFUSED } from '../alerts.ts';
import { MAY_HAVE_ARRIVED } from '../queue/delivery-outcome.ts';
import { countDeliveries, listDelivering } from '../queue/queries.ts';
import { editionName } from '../status/edition-status.ts';
import { redactAddresses } from '../transport/redact-addresses.ts';

/** After so many attempts, a delivery has waited for a quarter of an hour. */
const ATTEMPTS = 3;
/** Share of the recipients that raises an alert: a few full mailboxes are no trouble. */
const SHARE = 0.1;
const AT_LEAST = 3;
const REFUSED_RECIPIENTS = 5;

export async function updateRefusalAlerts({ store, clock }: AppContext): Promise<void> {
  const deferred: RaisedAlert[] = [];
  for (const id of await listDelivering(store.db)) {
    const alert = await findDeferred(store.reports, id, clock());
    if (alert !== null) deferred.push(alert);
  }
  await syncAlerts(store.db, 'deferred', deferred, clock());
  const refused = await findRefusedServiceMessages(store.reports);
  const { kind } = SERVICE_MESSAGES_REFUSED;
  const isSame = (subject: RaisedAlert['subject']): boolean => subject.template === undefined;
  await syncAlerts(store.db, kind, refused === null ? [] : [refused], clock(), isSame);
}

async function findDeferred(db: Db, editionId: number, now: number): Promise<RaisedAlert | null> {
  const counts = (await countDeliveries(db, [editionId])).get(editionId);
  if (counts === undefined) return null;
  const { pending, submitting, submitted, failed } = counts;
  const all = pending + submitting + submitted + failed;
  // Those that wait for their next attempt, by the index of open deliveries: few, unless the server defers many.
  const { rows } = await sql<{ count: number; reason: string | null }>`
    select count(*) as count, max(reason) as reason from deliveries
    where edition_id = ${editionId} and ${isInOpenState('deliveries')} and due_at > ${now}
      and attempts >= ${ATTEMPTS}`.execute(db);
  const { count, reason } = rows[0] as { count: number; reason: string | null };
  if (count < Math.max(AT_LEAST, SHARE * all)) return null;
  const message =
    `The mail server has put off ${count} of ${all} deliveries of ${await editionName(db, editionId)} several times: ` +
    `${redactAddresses(reason ?? '')}. They are tried again by themselves until they expire.`;
  return { ...deferralAlert(editionId), message };
}

/**
 * Whether service messages are refused to everyone: to several recipients of two domains since the last success. Or
 * whether one was given up since, with two copies that may have arrived: nobody else would notice.
 */
async function findRefusedServiceMessages(db: Db): Promise<RaisedAlert | null> {
  const last = db
    .selectFrom('service_messages')
    .select((e) => e.fn.coalesce(e.fn.max('changed_at'), sql<number>`0`).as('at'))
    .where('state', '=', 'submitted');
  const rows = await db
    .selectFrom('service_messages')
    .innerJoin('subscribers', 'subscribers.id', 'service_messages.subscriber_id')
    .select(['subscribers.email', 'service_messages.state', 'service_messages.reply', 'service_messages.reason'])
    .where('service_messages.state', 'in', ['pending', 'failed'])
    .where((e) => e.or([e('reply', 'like', '5%'), e('reason', 'like', `%${MAY_HAVE_ARRIVED}%`)]))
    .where('service_messages.changed_at', '>', last)
    .execute();
  const refused = rows.filter(({ reply }) => reply?.startsWith('5'));
  const recipients = new Map(refused.map(({ email, reply }) => [email, reply ?? '']));
  const domains = new Set([...recipients.keys()].map(domainOf));
  const givenUp = rows.filter(({ state, reason }) => state === 'failed' && reason?.includes(MAY_HAVE_ARRIVED));
  if (givenUp.length > 0) {
    const count = givenUp.length === 1 ? '1 service message' : `${givenUp.length} service messages`;
    const message =
      `The mail server broke the connection twice for ${count}, such as confirmations, and has accepted none since: ` +
      `${redactAddresses(givenUp.at(-1)?.reason ?? '')}. They are not tried again. Look at the log of the server.`;
    return { ...SERVICE_MESSAGES_REFUSED, message };
  }
  if (recipients.size < REFUSED_RECIPIENTS || domains.size < 2) return null;
  const words = redactAddresses([...recipients.values()].at(-1) ?? '');
  const message =
    `The mail server refuses service messages, such as confirmations, to ${recipients.size} recipients, and none was ` +
    `accepted since: ${words}. Each is tried for two hours.`;
  return { ...SERVICE_MESSAGES_REFUSED, message };
}
