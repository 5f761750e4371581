/** Applies reports that a webhook received: of a mail provider, or of an adapter of one. */
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import type { Db } from '../../core/store/store.ts';
import type { BounceKind } from '../../core/store/tables.ts';
import { parseAddress } from '../../lib/address.ts';
import { type Bounce, type BounceTarget, recordBounce, recordUnsubscribe, submittedDeliveries } from './record.ts';

/** What happened; `unsubscribe`: the recipient left, at the mail provider or by mail. */
export type ReportKind = BounceKind | 'unsubscribe';

/** `ignored`: it changes nothing, because it was recorded before or its subscriber is erased. */
export type ReportEffect = BounceKind | 'unsubscribed' | 'ignored';

/**
 * Applies a report to the subscriber that it is about.
 * @param report.source who reported it, for the consent history
 * @param at when it happened
 */
export async function applyReport(
  db: Db,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  report: { target: BounceTarget; kind: ReportKind; source: string } & Pick<Bounce, 'status' | 'detail'>,
  at: number,
): Promise<ReportEffect> {
  const { target, kind, source, status, detail } = report;
  if (kind === 'unsubscribe') {
    const result = await recordUnsubscribe(db, target, { channel: 'mailto', source }, at);
    return result.kind === 'unsubscribed' ? 'unsubscribed' : 'ignored';
  }
  const bounce = { kind, status, detail };
  const result = await recordBounce(db, config, secrets, { target, bounce, source }, at);
  if (result.kind === 'unsubscribed') return 'unsubscribed';
  return result.kind === 'recorded' ? kind : 'ignored';
}

/**
 * The target of a report that names nothing but an address: the last edition that was submitted to it before, if there
 * is one.
 * @returns null if there is no such subscriber
 */
export async function targetOfAddress(
  db: Db,
  email: string,
  kind: ReportKind,
  at: number,
): Promise<BounceTarget | null> {
  const address = parseAddress(email);
  if (address.kind === 'invalid') return null;
  const subscriber = await db
    .selectFrom('subscribers')
    .select('id')
    .where('email_key', '=', address.key)
    .executeTakeFirst();
  if (subscriber === undefined) return null;
  const target = { subscriberId: subscriber.id, editionId: null, serviceMessageId: null, newsletter: null };
  // An address alone names no newsletter, so all subscriptions end.
  if (kind === 'unsubscribe') return { ...target, isUnsubscribe: true };
  const last = await submittedDeliveries(db, subscriber.id)
    .select('edition_id')
    .where('changed_at', '<=', at)
    .orderBy('changed_at', 'desc')
    .orderBy('edition_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { ...target, editionId: last?.edition_id ?? null, isUnsubscribe: false };
}
