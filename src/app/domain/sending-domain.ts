/**
 * Everything that is known about the sending domain: judgements, and the rules of Gmail and Yahoo.
 */
import { existsSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import {
  type BulkRule,
  bulkRules,
  type ComplaintCounts,
  type ComplaintsKnown,
} from '../../delivery/domain/bulk-rules.ts';
import { countComplaints } from '../../delivery/domain/complaint-counts.ts';
import { judgeSetup, type SendingProbes } from '../../delivery/domain/judge-setup.ts';
import type { Judgement } from '../../delivery/domain/judgement.ts';
import { type SendingSetup, sendingSetup } from '../../delivery/domain/sending-setup.ts';
import { loadSigners } from '../../delivery/message/dkim.ts';
import { errorLine } from '../../lib/clean-text.ts';
import { DAY } from '../../lib/time.ts';
import { schemaState } from '../../store/schema.ts';
import { openStore } from '../../store/store.ts';

export interface SendingDomain {
  /** Of From, each once. */
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
export async function readSendingDomain(config: Config, probes: SendingProbes, now: number): Promise<SendingDomain> {
  const setup: SendingSetup = sendingSetup(config, loadSigners(config));
  const [report, counts] = await Promise.all([judgeSetup(setup, probes, now), readCounts(config, now)]);
  return { senders: setup.senders, judgements: report.judgements, rules: bulkRules(report, setup, counts) };
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
