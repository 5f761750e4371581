/**
 * What a mail provider's webhook reports, recorded as its mail would be.
 */
import type { Config } from '../../config/config.ts';
import type { Db, Store } from '../../store/store.ts';
import { parseAddress } from '../../subscribers/address.ts';
import type { SigningSecrets } from '../../subscribers/tokens/secret.ts';
import { recordBounce, recordUnsubscribe } from './record.ts';
import { type BounceTarget, findTokens, readTargetToken } from './target.ts';
import type { BounceReport } from './webhook.ts';

/** What came of so many reports. */
export interface BounceReportCounts {
  hard: number;
  soft: number;
  complaint: number;
  unsubscribed: number;
  /** Known before, or of a subscriber who is erased or unknown. */
  ignored: number;
  /** With a token that was not made here. */
  forged: number;
}

/**
 * Records reports, one after the other. Twice is as good as once.
 * @throws where the store fails; those before it stay recorded, and all of them may be told again
 */
export async function recordBounceReports(
  store: Store,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  reports: readonly BounceReport[],
  now: number,
): Promise<BounceReportCounts> {
  const counts: BounceReportCounts = { hard: 0, soft: 0, complaint: 0, unsubscribed: 0, ignored: 0, forged: 0 };
  for (const report of reports) counts[await recordReport(store, config, secrets, report, now)] += 1;
  return counts;
}

const SOURCE = 'webhook';

async function recordReport(
  store: Store,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  report: BounceReport,
  now: number,
): Promise<keyof BounceReportCounts> {
  // No clock of another's may date anything into the future.
  const at = Math.min(now, report.at === undefined ? now : Date.parse(report.at));
  const target =
    report.email === undefined
      ? targetOfToken(secrets, report)
      : await targetOfAddress(store.db, report.email, report.kind, at);
  if (target === null) return report.email === undefined ? 'forged' : 'ignored';
  const { kind, status = null, detail = '' } = report;
  if (kind === 'unsubscribe') {
    const left = await recordUnsubscribe(store.db, target, SOURCE, at);
    return left.kind === 'unsubscribed' ? 'unsubscribed' : 'ignored';
  }
  const bounce = { kind, status, detail };
  const result = await recordBounce(store.db, config, secrets, { target, bounce, source: SOURCE }, at);
  return result.kind === 'recorded' ? kind : 'ignored';
}

function targetOfToken(secrets: SigningSecrets, { returnPath, token }: BounceReport): BounceTarget | null {
  return readTargetToken(secrets, token ?? findTokens(returnPath ?? '')[0] ?? '');
}

/** A report that names an address is about the last message that was submitted to it before, where there is one. */
async function targetOfAddress(
  db: Db,
  email: string,
  kind: BounceReport['kind'],
  at: number,
): Promise<BounceTarget | null> {
  const address = parseAddress(email);
  if (address.kind === 'refused') return null;
  const subscriber = await db
    .selectFrom('subscribers')
    .select('id')
    .where('email_key', '=', address.key)
    .executeTakeFirst();
  if (subscriber === undefined) return null;
  const target = { subscriberId: subscriber.id, editionId: null, serviceMessageId: null, newsletter: null };
  // Who leaves by address leaves everything.
  if (kind === 'unsubscribe') return { ...target, isUnsubscribe: true };
  const last = await db
    .selectFrom('deliveries')
    .select('edition_id')
    // By edition: an index by subscriber would cost every edition more than these few look-ups.
    .where('edition_id', 'in', (e) => e.selectFrom('editions').select('id'))
    .where('subscriber_id', '=', subscriber.id)
    .where('state', '=', 'submitted')
    .where('changed_at', '<=', at)
    .orderBy('changed_at', 'desc')
    .orderBy('edition_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { ...target, editionId: last?.edition_id ?? null, isUnsubscribe: false };
}
