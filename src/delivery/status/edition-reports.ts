/** What was reported of an edition's messages, as an operator sees it. */
import { mailboxProviderById } from '../../audience/mailbox-providers.ts';
import type { Db } from '../../core/store/store.ts';
import { rfc3339 } from '../../lib/time.ts';
import { isAtProvider, providerTitle } from '../holds/provider-holds.ts';
import { countSubmittedTo } from '../queue/queries.ts';
import { countRates, type ReportedEvent, readReported } from '../rates/count-rates.ts';
import { percentOf } from '../rates/judge-rates.ts';
import { listNotices } from '../rates/rate-alerts.ts';

export interface EditionReports {
  /** What the mail provider has reported as delivered; null if it reports nothing. */
  delivered: number | null;
  complaints: number;
  /** Complaints per hundred delivered messages, or submitted ones if no deliveries are reported. */
  complaintPercent: number;
  /** Hard bounces, with those that were rejected during the submission. */
  bounces: number;
  /** Bounces per hundred submitted and rejected messages. */
  bouncePercent: number;
  rejected: number;
  softBounces: number;
}

/** The reports of editions, by id. @param db `store.reports` */
export async function readEditionReports(db: Db, editionIds: number[]): Promise<Map<number, EditionReports>> {
  const rates = await countRates(db, editionIds);
  return new Map(
    [...rates].map(([id, { delivered, complaint, bounce, rejected, soft }]) => [
      id,
      {
        delivered,
        complaints: complaint.events,
        complaintPercent: percentOf(complaint),
        bounces: bounce.events,
        bouncePercent: percentOf(bounce),
        rejected,
        softBounces: soft,
      },
    ]),
  );
}

/** Reports of one mailbox provider, or domain, whose users complained or could not be reached. */
export interface ProviderReports {
  mailboxProvider: string;
  /** See `providerOf`. */
  id: string;
  submitted: number;
  complaints: number;
  /** Hard bounces. */
  bounces: number;
  softBounces: number;
  /** Bounces and refusals that are about the sender. */
  senderBounces: number;
  /** Subscribers who wait with a hard bounce. */
  waiting: number;
}

/** Of a domain that is no mailbox provider's, so many events are shown: each costs reading the edition. */
const SHOWN_DOMAIN = 3;

/** By number of submitted messages. Counts all of them: pass `store.reports`. */
export async function readProviderReports(db: Db, editionId: number): Promise<ProviderReports[]> {
  const reports: ProviderReports[] = [];
  for (const [id, events] of await readReported(db, editionId)) {
    if (mailboxProviderById(id) === null && events.length < SHOWN_DOMAIN) continue;
    const countOf = (kind: ReportedEvent['kind']): number => events.filter((one) => one.kind === kind).length;
    reports.push({
      ...{ mailboxProvider: providerTitle(id), id },
      submitted: await countSubmittedTo(db, editionId, isAtProvider(id), Number.MAX_SAFE_INTEGER),
      ...{ complaints: countOf('complaint'), bounces: countOf('hard'), softBounces: countOf('soft') },
      ...{ senderBounces: countOf('sender'), waiting: events.filter(({ waits }) => waits).length },
    });
  }
  return reports.sort((a, b) => b.submitted - a.submitted || (a.mailboxProvider < b.mailboxProvider ? -1 : 1));
}

/** A level that was reached. */
export interface RateLevelReached {
  kind: 'complaint' | 'bounce';
  /** Null: all recipients. */
  mailboxProvider: string | null;
  level: 'alert' | 'pause';
  percent: number;
  messages: number;
  /** RFC 3339, UTC. */
  noticed: string;
}

/** The levels that an edition has reached, in the order in which they were noticed. */
export async function readLevels(db: Db, editionId: number): Promise<RateLevelReached[]> {
  const notices = await listNotices(db, editionId);
  return notices.map(({ kind, scope, level, percent, messages, at }) => ({
    kind,
    mailboxProvider: scope === '' ? null : (mailboxProviderById(scope)?.name ?? scope),
    level,
    percent,
    messages,
    noticed: rfc3339(at),
  }));
}
