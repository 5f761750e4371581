/** What was reported of an edition's messages, as an operator sees it. */
import { mailboxProviderById } from '../../audience/mailbox-providers.ts';
import type { Db } from '../../core/store/store.ts';
import { rfc3339 } from '../../lib/time.ts';
import { countSubmittedTo } from '../queue/queries.ts';
import { countByMailboxProvider, countRates } from '../rates/count-rates.ts';
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

/** Reports of one mailbox provider whose users complained or could not be reached. */
export interface ProviderReports {
  mailboxProvider: string;
  submitted: number;
  complaints: number;
  bounces: number;
}

/** By number of submitted messages. Counts all of them: pass `store.reports`. */
export async function readProviderReports(db: Db, editionId: number): Promise<ProviderReports[]> {
  const complaints = await countByMailboxProvider(db, editionId, 'complaint');
  const bounces = await countByMailboxProvider(db, editionId, 'bounce');
  const providers = new Map([...complaints, ...bounces].map(({ provider }) => [provider.id, provider]));
  const reports: ProviderReports[] = [];
  for (const { id, name, domains } of providers.values()) {
    const eventsOf = (all: typeof complaints): number => all.find(({ provider }) => provider.id === id)?.events ?? 0;
    reports.push({
      mailboxProvider: name,
      submitted: await countSubmittedTo(db, editionId, domains, Number.MAX_SAFE_INTEGER),
      complaints: eventsOf(complaints),
      bounces: eventsOf(bounces),
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
