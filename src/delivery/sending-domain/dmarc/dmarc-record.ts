/**
 * DMARC records (RFC 7489 §6.3, RFC 9989 §4.7).
 */
import { parseTagList } from '../tag-list.ts';

/** The most lenient first. */
export const DMARC_POLICIES = ['none', 'quarantine', 'reject'] as const;
type DmarcPolicy = (typeof DMARC_POLICIES)[number];

export interface DmarcRecord {
  /** Of the domain, and of the domains below it. */
  policy: DmarcPolicy;
  subdomainPolicy: DmarcPolicy;
  /** Whether DKIM's and SPF's domain must be equal to the sender's (`s`), or belong to the same organization (`r`). */
  dkimAlignment: 'r' | 's';
  spfAlignment: 'r' | 's';
  /** Addresses for aggregate reports. */
  reports: string[];
  /** Whether the domain is a public suffix (RFC 9989 §4.7, `psd`). */
  publicSuffix: 'y' | 'n' | null;
  /** Whether the policy is applied to a part of the mail only (`pct` below 100, or `t=y`). */
  isPartial: boolean;
}

export type ParsedDmarc = { kind: 'valid'; record: DmarcRecord } | { kind: 'invalid'; problem: string };

/** Whether a TXT record at `_dmarc` is meant as DMARC. */
export function isDmarc(text: string): boolean {
  return /^\s*v\s*=\s*DMARC1\s*(;|$)/.test(text);
}

const MOST_REPORT_ADDRESSES = 20;

/** Parses a record for which `isDmarc` is true. */
export function parseDmarc(text: string): ParsedDmarc {
  const { tags, problem } = parseTagList(text);
  if (problem !== null) return { kind: 'invalid', problem };
  const reports = (tags.get('rua') ?? '')
    .split(',', MOST_REPORT_ADDRESSES)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const policy = policyOf(tags.get('p'));
  // RFC 9989 §4.7: without p= the policy is none. Receivers by RFC 7489 §6.6.3 agree only if reports are asked for.
  if (policy === null && (tags.has('p') || reports.length === 0)) {
    return { kind: 'invalid', problem: `p= must be one of ${DMARC_POLICIES.join(', ')}` };
  }
  const given = tags.get('sp');
  const subdomainPolicy = policyOf(given);
  if (given !== undefined && subdomainPolicy === null) {
    return { kind: 'invalid', problem: `sp= must be one of ${DMARC_POLICIES.join(', ')}` };
  }
  const own = policy ?? 'none';
  return {
    kind: 'valid',
    record: {
      policy: own,
      subdomainPolicy: subdomainPolicy ?? own,
      dkimAlignment: modeOf(tags.get('adkim')),
      spfAlignment: modeOf(tags.get('aspf')),
      reports,
      publicSuffix: flagOf(tags.get('psd')),
      isPartial: Number(tags.get('pct') ?? 100) < 100 || tags.get('t')?.toLowerCase() === 'y',
    },
  };
}

function policyOf(text: string | undefined): DmarcPolicy | null {
  return DMARC_POLICIES.find((one) => one === text?.toLowerCase()) ?? null;
}

function modeOf(text: string | undefined): 'r' | 's' {
  return text?.toLowerCase() === 's' ? 's' : 'r';
}

function flagOf(text: string | undefined): 'y' | 'n' | null {
  const flag = text?.toLowerCase();
  return flag === 'y' || flag === 'n' ? flag : null;
}
