/**
 * Judges the DKIM keys in the DNS: those that the configuration signs with must be there and equal.
 */
import type { Signer } from '../../core/keys.ts';
import { dkimRecord, isDkim, parseDkim, publicPart } from './dkim-record.ts';
import type { DnsResolver } from './dns-resolver.ts';
import { type Judgement, judge, notKnown, quoted } from './judgement.ts';
import { isBelow, type MailProviderDns } from './mail-provider-dns.ts';
import type { ZoneRecord } from './zone-record.ts';

/** Judges the record of one of our keys. */
export async function judgeDkimKey(dns: DnsResolver, { domain, selector, key }: Signer): Promise<Judgement> {
  const name = keyName(selector, domain);
  const about = { id: 'dkim', domain };
  const [found, alias] = await Promise.all([dns.txt(name), dns.cname(name)]);
  if (found.kind === 'failed') return notKnown(about, name, found.reason);
  const texts = found.kind === 'none' ? [] : found.records.filter(isDkim);
  // A CNAME leads to a name of somebody else: there nothing can be pasted.
  const target = alias.kind === 'found' ? alias.records[0] : undefined;
  const value = dkimRecord(key);
  const record: ZoneRecord | undefined =
    target === undefined ? { name, type: 'TXT', value, replaces: texts } : undefined;
  const fail = (message: string): Judgement =>
    judge('fail', about, target === undefined ? message : `${message} (${name} is an alias of ${target})`, record);
  const [text, ...others] = texts;
  if (text === undefined) return fail(`${name} has no DKIM key: receivers cannot verify the signatures`);
  if (others.length > 0) {
    return fail(`${name} has ${texts.length} DKIM keys; a name may have one (RFC 6376 §3.6.2.2)`);
  }
  const parsed = parseDkim(text);
  switch (parsed.kind) {
    case 'invalid':
      return fail(`the DKIM record of ${name} is not valid: ${parsed.problem}; it is ${quoted(text)}`);
    case 'revoked':
      return fail(
        `the key of ${name} is revoked (an empty p=): if someone else may know it, make a new key with a new selector`,
      );
    case 'key':
      break;
  }
  if (!parsed.key.equals(publicPart(key))) {
    return fail(`${name} has another key than the one that daywire signs with: all its signatures fail`);
  }
  if (parsed.isTesting) {
    return fail(`${name} is marked as a test (t=y): receivers treat signed mail as unsigned (RFC 6376 §3.6.1)`);
  }
  return judge('pass', about, `${name} has the key that daywire signs with`);
}

/** Looks for the key with which a mail provider signs for the sender's domain. */
export async function judgeProviderDkim(
  dns: DnsResolver,
  domain: string,
  { title, selectors, zones, dkimSetup }: MailProviderDns,
): Promise<Judgement> {
  const about = { id: 'dkim', domain };
  const found = await Promise.all(
    selectors.map(async (selector) => {
      const name = keyName(selector, domain);
      const [keys, alias] = await Promise.all([dns.txt(name), dns.cname(name)]);
      const hasKey =
        keys.kind === 'found' && keys.records.some((text) => isDkim(text) && parseDkim(text).kind === 'key');
      const isItsOwn = alias.kind === 'found' && alias.records.some((target) => isBelow(target, zones));
      return { name, hasKey, isItsOwn };
    }),
  );
  const key = found.find((one) => one.hasKey && one.isItsOwn);
  if (key !== undefined) return judge('pass', about, `${key.name} has a key of ${title}`);
  // Others use the same selectors: Mailchimp k1, and many servers mail.
  const other = found.find((one) => one.hasKey);
  const whose =
    other === undefined ? '' : `. ${other.name} has a key, which may be that of ${title} or of somebody else`;
  return judge(
    'unknown',
    about,
    `no key of delivery.dkim signs for ${domain}, so ${title} must: whether its key is in the DNS is not known, ` +
      `since the selector differs from account to account. It needs ${dkimSetup}${whose}`,
  );
}

function keyName(selector: string, domain: string): string {
  return `${selector}._domainkey.${domain}`.toLowerCase();
}
