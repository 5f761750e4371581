/** Holds mailbox providers by the bounces of editions, and goes on with holds about which nobody decides. */
import { sql } from 'kysely';
import { lockSubscriber } from '../../audience/consent/changes.ts';
import { liftSuppression, suppressAddress } from '../../audience/suppression.ts';
import { raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { type Db, inTransaction } from '../../core/store/store.ts';
import type { BounceKind, DeliveryState } from '../../core/store/tables.ts';
import { boundedLine } from '../../lib/text/clean-text.ts';
import { DAY } from '../../lib/time.ts';
import { classifyRefusal, isAboutSender } from '../bounces/classify.ts';
import { countSubmittedTo } from '../queue/queries.ts';
import { isBounceReason, type ReportedEvent } from '../rates/count-rates.ts';
import { redactAddresses } from '../transport/redact-addresses.ts';
import { closeHold, holdAlert, tryHold } from './control-holds.ts';
import { isAtProvider, isHeld, listHolds, type ProviderHold, providerTitle, setHeldBy } from './provider-holds.ts';

/** In percent: 2 % of dead addresses are ordinary. */
const UNKNOWN_RECIPIENTS = 20;
const FEWEST = 10;
/** Of an edition with fewer messages to a mailbox provider, half of them must bounce, and so many at least. */
const SMALL_LIST = 100;
const FEWEST_OF_SMALL = 3;

/**
 * Whether so many bounces at a mailbox provider hold it. Pure.
 * @param percent from which they do, in a list that is not small
 */
export function holdsProvider(bounces: number, messages: number, isSmall: boolean, percent: number): boolean {
  if (isSmall) return bounces >= FEWEST_OF_SMALL && 2 * bounces >= messages;
  return bounces >= FEWEST && bounces * 100 >= percent * messages - 1e-6;
}

/** Mailbox providers that are judged: to count the messages to one may read the whole edition. */
const MOST_JUDGED = 20;

/** Holds the mailbox providers of which an edition's bounces reach a limit. @param reported its bounces */
export async function holdProviders(
  app: AppContext,
  editionId: number,
  reported: ReadonlyMap<string, ReportedEvent[]>,
): Promise<void> {
  const holds = new Map((await listHolds(app.store.db)).map((hold) => [hold.provider, hold]));
  const most = [...reported].toSorted(([, a], [, b]) => b.length - a.length).slice(0, MOST_JUDGED);
  for (const [provider, all] of most) {
    const hold = holds.get(provider);
    // Of messages that were submitted before the last decision, nothing is new.
    const since = hold?.closed_at ?? 0;
    const events = all.filter(({ kind, messageAt }) => kind !== 'complaint' && messageAt >= since);
    const isOfHold = hold?.closed_at === null && hold.edition_id === editionId;
    if (!isOfHold && !(await holdIfReached(app, editionId, provider, events))) continue;
    await holdSuppressed(app, provider, events);
  }
}

/** @returns whether the mailbox provider is held now */
async function holdIfReached(
  { store, config, clock, log }: AppContext,
  editionId: number,
  provider: string,
  events: readonly ReportedEvent[],
): Promise<boolean> {
  const { alert } = config.delivery.bounceRate;
  const sender = events.filter(({ kind }) => kind === 'sender');
  const dead = events.filter(({ kind, hasSuppressed }) => kind === 'hard' || hasSuppressed);
  const most = Math.max(sender.length, dead.length);
  if (most < FEWEST_OF_SMALL) return false;
  const isThere = isAtProvider(provider);
  const isSent = sql`deliveries.state <> 'suppressed'`;
  const isSmall = (await countSubmittedTo(store.reports, editionId, isThere, SMALL_LIST, isSent)) < SMALL_LIST;
  const submitted = await countSubmittedTo(store.reports, editionId, isThere, Math.ceil((most * 100) / alert) + 1);
  const messages = submitted + events.filter(({ isRefused }) => isRefused).length;
  const isOfSender = holdsProvider(sender.length, messages, isSmall, alert);
  if (!isOfSender && !holdsProvider(dead.length, messages, isSmall, UNKNOWN_RECIPIENTS)) return false;
  const counted = isOfSender ? sender : dead;
  const why = isOfSender ? 'because of the sender' : 'because of the recipients';
  const statuses = [...Map.groupBy(counted, ({ status }) => status ?? 'no status')].map(
    ([s, { length }]) => `${length} × ${s}`,
  );
  const reason =
    `${counted.length} of ${messages} messages to ${providerTitle(provider)} bounced ${why} ` +
    `(${statuses.slice(0, 3).join(', ')}), such as "${boundedLine(redactAddresses(counted[0]?.detail ?? ''), 200)}"`;
  const now = clock();
  const row = { edition_id: editionId, reason, opened_at: now, try_at: now + 7 * DAY, ...NOT_TRIED, closed_at: null };
  await inTransaction(store.db, async (tx) => {
    const { numInsertedOrUpdatedRows = 0n } = await tx
      .insertInto('provider_holds')
      .values({ provider, ...row })
      .onConflict((conflict) =>
        conflict.column('provider').doUpdateSet(row).where('provider_holds.closed_at', 'is not', null),
      )
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 0n) return;
    await raiseAlert(tx, await holdAlert(tx, { provider, ...row }), now);
    log.warn({ provider }, reason);
  });
  return true;
}

const NOT_TRIED = { tried_edition_id: null, tried_subscriber_id: null };

/** Lets those wait whom these bounces have suppressed. Meanwhile one may have complained, or the hold was closed. */
async function holdSuppressed(
  { store, keys, clock }: AppContext,
  provider: string,
  events: readonly ReportedEvent[],
): Promise<void> {
  const via = { channel: 'bounce', source: `${providerTitle(provider)} is held` } as const;
  const secrets = await keys.signingSecrets();
  for (const { subscriberId, hasSuppressed } of events) {
    if (!hasSuppressed) continue;
    await inTransaction(store.db, async (tx) => {
      const subscriber = await lockSubscriber(tx, subscriberId);
      if (!isBounceReason(subscriber?.suppressed_reason) || !(await isHeld(tx, provider))) return;
      await liftSuppression(tx, secrets, subscriberId, via, clock());
      await setHeldBy(tx, subscriberId, provider);
    });
  }
}

export interface TriedDelivery {
  state: DeliveryState;
  reply: string | null;
  changedAt: number;
  /** Null without one. */
  bounce: BounceKind | null;
  status: string | null;
  detail: string | null;
}

/** What follows from a message that was tried. `next`: it says nothing about the mailbox provider. Pure. */
export function trialStep(
  tried: TriedDelivery | undefined,
  now: number,
): 'wait' | 'release' | 'refused' | 'suppress' | 'next' {
  if (tried === undefined) return 'next';
  const { state, reply, changedAt, bounce, status, detail } = tried;
  if (bounce !== null || (state === 'failed' && reply?.startsWith('5'))) {
    const refusal = bounce === null ? { status: null, text: reply ?? '' } : { status, text: detail ?? '' };
    if (isAboutSender(refusal)) return 'refused';
    return (bounce ?? classifyRefusal(refusal)) === 'hard' ? 'suppress' : 'next';
  }
  if (state === 'pending' || state === 'submitting') return 'wait';
  if (state !== 'submitted') return 'next';
  // A report of a failure comes within a day.
  return now >= changedAt + DAY ? 'release' : 'wait';
}

/** Does what is due about the open holds: tries a message, and concludes from it. */
export async function continueHolds(app: AppContext): Promise<void> {
  const { store, keys, clock } = app;
  for (const hold of await listHolds(store.db, { isOpen: true })) {
    const { provider, tried_subscriber_id: tried } = hold;
    if (tried === null && (clock() < hold.try_at || (await tryHold(app, { provider })) !== null)) continue;
    const step = tried === null ? 'release' : trialStep(await readTried(store.db, hold), clock());
    if (step === 'release') await closeHold(app, 'release', { provider });
    if (step === 'release' || step === 'wait') continue;
    const secrets = await keys.signingSecrets();
    const now = clock();
    await inTransaction(store.db, async (tx) => {
      const via = { channel: 'bounce', source: null } as const;
      if (step === 'suppress' && tried !== null) await suppressAddress(tx, secrets, tried, 'hard-bounce', via, now);
      const next = { ...NOT_TRIED, try_at: now + (step === 'refused' ? 7 : 1) * DAY };
      await tx.updateTable('provider_holds').set(next).where('provider', '=', provider).execute();
      if (step !== 'refused') return;
      const alert = await holdAlert(tx, hold);
      await resolveAlerts(tx, [alert], now);
      await raiseAlert(tx, alert, now);
    });
  }
}

async function readTried(db: Db, hold: ProviderHold): Promise<TriedDelivery | undefined> {
  const { rows } = await sql<TriedDelivery>`
    select deliveries.state, reply, changed_at as "changedAt", bounces.kind as bounce, bounces.status, bounces.detail
    from deliveries left join bounces on bounces.edition_id = deliveries.edition_id
      and bounces.subscriber_id = deliveries.subscriber_id and bounces.kind <> 'complaint'
    where deliveries.edition_id = ${hold.tried_edition_id} and deliveries.subscriber_id = ${hold.tried_subscriber_id}
    order by bounces.id`.execute(db);
  return rows[0];
}
