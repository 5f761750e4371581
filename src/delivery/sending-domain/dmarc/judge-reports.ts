/**
 * Judges whether reports about a domain reach addresses elsewhere: their domain must agree (RFC 7489 §7.1).
 */
import type { DnsResolver } from '../dns-resolver.ts';
import { type Judgement, judge, notKnown } from '../judgement.ts';
import { isDmarc } from './dmarc-record.ts';
import { type DmarcWalk, organizationalDomain, policyStep, walkDmarc } from './tree-walk.ts';

const MOST_DOMAINS = 5;
const HOST_NAME = /^(?=.{1,200}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/;

/** One judgement for each domain of another organization to which reports go. */
export async function judgeReports(dns: DnsResolver, walk: DmarcWalk): Promise<Judgement[]> {
  const step = policyStep(walk);
  if (step?.kind !== 'valid') return [];
  const { domain, record } = step;
  const hosts = [...new Set(record.reports.map(hostOf))].filter((host) => HOST_NAME.test(host)).slice(0, MOST_DOMAINS);
  const judged = hosts.map(async (host): Promise<Judgement[]> => {
    const other = await walkDmarc(dns, host);
    const [own, theirs] = [organizationalDomain(walk), organizationalDomain(other)];
    if (own !== null && own === theirs) return [];
    const about = { id: 'dmarc-reports', domain };
    const name = `${domain}._report._dmarc.${host}`;
    const found = await dns.txt(name);
    if (found.kind === 'failed') return [notKnown(about, name, found.reason)];
    if (found.kind === 'found' && found.records.some(isDmarc)) {
      return [judge('pass', about, `${host} accepts reports about ${domain}`)];
    }
    const unread = [...walk, ...other].find(({ kind }) => kind === 'failed');
    if (unread?.kind === 'failed') return [notKnown(about, `_dmarc.${unread.domain}`, unread.reason)];
    const message =
      `${host} gets no reports about ${domain}, since it has not agreed (RFC 7489 §7.1): have this record added ` +
      'there';
    return [judge('fail', about, message, { name, type: 'TXT', value: 'v=DMARC1', replaces: [] })];
  });
  return (await Promise.all(judged)).flat();
}

/** The domain of `mailto:dmarc@example.com!10m`; the limit of the size is obsolete. */
function hostOf(address: string): string {
  const [, host = ''] = /^mailto:[^@]*@([^!?]*)/i.exec(address) ?? [];
  return host.toLowerCase();
}
