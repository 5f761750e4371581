/** Everything that is known about the sending domain: judgements, and the rules of the large mailbox providers. */
import { existsSync } from 'node:fs';
import type { Config } from '../../core/config/config.ts';
import { readDeliveryCounts } from '../../core/store/counts.ts';
import { schemaState } from '../../core/store/schema.ts';
import { type Db, openStore } from '../../core/store/store.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { DAY } from '../../lib/time.ts';
import { loadSigners } from '../message/dkim.ts';
import { type BulkRule, bulkRules, type ComplaintCounts, type ComplaintsKnown } from './bulk-rules.ts';
import type { DnsResolver } from './dns-resolver.ts';
import { judgeSetup, sendingSetup } from './judge-setup.ts';
import type { Judgement } from './judgement.ts';

export interface SendingDomain {
  /** Domains of From, each once. */
  senders: string[];
  judgements: Judgement[];
  rules: BulkRule[];
}

/** Complaints are counted over the editions of so many days. */
const COMPLAINT_DAYS = 30;

/**
 * @param now epoch milliseconds
 * @throws TransportError if a DKIM key cannot be read
 */
export async function readSendingDomain(config: Config, dns: DnsResolver, now: number): Promise<SendingDomain> {
  const setup = sendingSetup(config, loadSigners(config));
  const [judgements, counts] = await Promise.all([judgeSetup(setup, dns), readCounts(config, now)]);
  return { senders: setup.senders, judgements, rules: bulkRules(judgements, setup, counts) };
}

/** A store that cannot be read hides only the complaints: the DNS is judged all the same. */
async function readCounts(config: Config, now: number): Promise<ComplaintsKnown> {
  try {
    return await countInStore(config, now);
  } catch (error) {
    return { problem: errorLine(error) };
  }
}

/** Null without a store: the domain is set up before anything is sent. No store is created. */
async function countInStore({ secrets, paths }: Config, now: number): Promise<ComplaintCounts | null> {
  const { databaseUrl } = secrets;
  if (databaseUrl === undefined && !existsSync(paths.store)) return null;
  const store = await openStore({ databaseUrl, path: paths.store });
  try {
    if ((await schemaState(store)).kind !== 'current') return null;
    return await countComplaints(store.db, now - COMPLAINT_DAYS * DAY);
  } finally {
    await store.close();
  }
}

/** Counts over all editions that closed since an instant. Messages that the server accepted count as delivered. */
export async function countComplaints(db: Db, since: number): Promise<ComplaintCounts> {
  const editions = await db.selectFrom('editions').select('id').where('closed_at', '>=', since).execute();
  const ids = editions.map(({ id }) => id);
  if (ids.length === 0) return { delivered: 0, complaints: 0 };
  const counts = await readDeliveryCounts(db, ids);
  const { complaints } = await db
    .selectFrom('bounces')
    .select(({ fn }) => fn.countAll<number | string>().as('complaints'))
    .where('kind', '=', 'complaint')
    .where('edition_id', 'in', ids)
    .executeTakeFirstOrThrow();
  const submitted = counts.filter(({ state }) => state === 'submitted');
  return {
    delivered: submitted.reduce((sum, { count }) => sum + count, 0),
    complaints: Number(complaints),
  };
}
