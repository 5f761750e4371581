import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dkimRecord } from '../../../src/delivery/sending-domain/dkim-record.ts';
import { judgeSetup } from '../../../src/delivery/sending-domain/judge-setup.ts';
import type { Judgement } from '../../../src/delivery/sending-domain/judgement.ts';
import { MAIL_PROVIDERS } from '../../../src/delivery/sending-domain/mail-provider-dns.ts';
import { openTlsProbe } from '../../../src/delivery/sending-domain/mx/probe-tls.ts';
import { openNodeResolver } from '../../../src/delivery/sending-domain/node-resolver.ts';
import type { SendingSetup } from '../../../src/delivery/sending-domain/sending-setup.ts';
import { zoneLine } from '../../../src/delivery/sending-domain/zone-record.ts';
import { startNameServer, type Zone } from '../../support/name-server.ts';
import { closeServers, startServer } from '../servers.ts';
import { makeCertificate } from '../transport/certificate.ts';
import { edKey, OWN_SERVER, RIGHT_ZONE, rsaKey, splitText } from './sending-zone.ts';

const certificate = makeCertificate(Date.now() + 20 * 86_400_000, 'mx.example.com');
const trusted = tls.getCACertificates('default');
const otherName = makeCertificate(Date.now(), 'other.example.com');
const expired = makeCertificate(Date.now() - 7_200_000, 'mx.example.com');
const ours = [certificate, otherName, expired].map(({ cert }) => cert);
beforeAll(() => tls.setDefaultCACertificates([...trusted, ...ours]));
afterAll(() => tls.setDefaultCACertificates(trusted));
afterEach(closeServers);

/** Judges through a real name server and the resolver of Node. Nothing listens on the port of mail exchanges. */
async function judgements(zone: Zone, setup: Partial<SendingSetup> = {}, port = 1): Promise<Judgement[]> {
  const server = await startNameServer(zone);
  try {
    // Not longer than a test takes, where a name server is silent.
    const perTry = Object.values(zone).includes('silent') ? 40 : 5_000;
    const dns = openNodeResolver(server.address, { perTry, total: 10_000 });
    const report = await judgeSetup({ ...OWN_SERVER, ...setup }, { dns, tls: openTlsProbe(port, 1_000) }, Date.now());
    return report.judgements;
  } finally {
    await server.close();
  }
}

const SES_EXCHANGE: Zone = { 'feedback-smtp.us-east-1.amazonses.com': { A: ['198.51.100.25'] } };

const SES: Partial<SendingSetup> = {
  provider: MAIL_PROVIDERS.ses,
  returnPathDomain: 'mail.news.example.com',
  addresses: [],
  signers: [],
  mailServer: 'email-smtp.eu-west-1.amazonaws.com',
};

describe('a sending domain', () => {
  it('passes everything in a zone that is right', async () => {
    const found = await judgements(RIGHT_ZONE);
    const verdicts = found.map(({ id, domain, verdict }) => `${id} ${domain} ${verdict}`);
    expect(verdicts).toEqual([
      'sender news.example.com pass',
      'spf bounces.example.com pass',
      'spf-lookups bounces.example.com pass',
      'spf-all bounces.example.com pass',
      'spf-senders bounces.example.com pass',
      'dkim example.com pass',
      'dkim example.com pass',
      'dmarc news.example.com pass',
      'alignment news.example.com pass',
      'mx bounces.example.com pass',
      // Port 1 is closed.
      'mx-tls mx.example.com unknown',
      'ptr 192.0.2.10 pass',
      'ptr 2001:db8::10 pass',
      'one-click news.example.com pass',
    ]);
    expect(messageOf(found, 'dmarc')).toBe('the policy is quarantine (from _dmarc.example.com)');
    expect(messageOf(found, 'alignment')).toBe(
      'DKIM of example.com and SPF of bounces.example.com would align with From',
    );
  });

  it('judges what senders share once, and each sender by itself', async () => {
    const zone = { ...RIGHT_ZONE, 'other.example': { A: ['192.0.2.81'] } };
    const found = await judgements(zone, { senders: ['news.example.com', 'other.example'] });
    const of = (domain: string) => found.filter((one) => one.domain === domain).map(({ id, verdict }) => [id, verdict]);
    expect(of('bounces.example.com').map(([id]) => id)).toEqual([
      ...['spf', 'spf-lookups', 'spf-all', 'spf-senders', 'mx'],
    ]);
    // Neither a key nor the return path belongs to its organization.
    expect(of('other.example')).toEqual([
      ['sender', 'pass'],
      ['dkim', 'unknown'],
      ['dmarc', 'fail'],
      ['alignment', 'unknown'],
    ]);
  });

  interface Row {
    is: string;
    /** Nodes that replace those of the right zone; null removes one. */
    zone?: Record<string, Zone[string] | null>;
    setup?: Partial<SendingSetup>;
    id: string;
    verdict: Judgement['verdict'];
    message: RegExp;
    /** Lines of the record, those to delete first. Empty: none is suggested. */
    record?: string[];
  }

  const bounces = { MX: ['10 mx.example.com'] };
  const ROWS: Row[] = [
    {
      is: 'without an SPF record',
      zone: { 'bounces.example.com': bounces },
      id: 'spf',
      verdict: 'fail',
      message: /^bounces\.example\.com has no SPF record/,
      record: ['bounces.example.com. 3600 IN TXT "v=spf1 ip4:192.0.2.10 ip6:2001:db8::10 ~all"'],
    },
    {
      is: 'without an SPF record and without known addresses',
      zone: { 'bounces.example.com': bounces },
      setup: { addresses: [] },
      id: 'spf',
      verdict: 'fail',
      message: /name the IP addresses .* in delivery\.addresses, or the mail provider in delivery\.provider/,
    },
    {
      is: 'whose SPF record cannot be looked up',
      zone: { 'bounces.example.com': 'SERVFAIL' },
      id: 'spf',
      verdict: 'unknown',
      message: /could not be looked up: the name server reports a failure/,
    },
    {
      is: 'whose name server is silent',
      zone: { 'bounces.example.com': 'silent' },
      id: 'mx',
      verdict: 'unknown',
      message: /the MX of bounces\.example\.com could not be looked up: no name server answered in time/,
    },
    {
      is: 'with two SPF records',
      zone: {
        'bounces.example.com': {
          ...bounces,
          TXT: ['v=spf1 ip4:192.0.2.10 a -all', 'v=spf1 include:_spf.example.com ip4:192.0.2.10 ~all'],
        },
      },
      id: 'spf',
      verdict: 'fail',
      message: /has 2 SPF records, so receivers use none/,
      record: [
        'bounces.example.com. 3600 IN TXT "v=spf1 ip4:192.0.2.10 a -all"',
        'bounces.example.com. 3600 IN TXT "v=spf1 include:_spf.example.com ip4:192.0.2.10 ~all"',
        'bounces.example.com. 3600 IN TXT "v=spf1 ip4:192.0.2.10 a include:_spf.example.com ip6:2001:db8::10 ~all"',
      ],
    },
    {
      is: 'with two SPF records, of which one is not valid',
      zone: { 'bounces.example.com': { ...bounces, TXT: ['v=spf1 a -all', 'v=spf1 ipv4:192.0.2.10 -all'] } },
      id: 'spf',
      verdict: 'fail',
      message: /: make them one, and correct what is not valid: "ipv4:192\.0\.2\.10": there is no such mechanism/,
      record: [],
    },
    {
      is: 'whose SPF record has an address as the name of a host',
      zone: { 'bounces.example.com': { ...bounces, TXT: ['v=spf1 a:192.0.2.10 -all'] } },
      id: 'spf',
      verdict: 'fail',
      message: /"a:192\.0\.2\.10": it must name a domain; an IP address is written as ip4: or ip6:/,
      record: [],
    },
    ...['spf-all', 'spf-senders'].map(
      (id): Row => ({
        is: 'whose SPF record has two mistakes',
        zone: { 'bounces.example.com': { ...bounces, TXT: ['v=spf1 ip6:2001:db8::/64 ?all'] } },
        id,
        verdict: 'fail',
        message: /does not authorise 192\.0\.2\.10|says nothing about other senders/,
        // Each repairs both: pasted one after the other they would be two SPF records.
        record: [
          'bounces.example.com. 3600 IN TXT "v=spf1 ip6:2001:db8::/64 ?all"',
          'bounces.example.com. 3600 IN TXT "v=spf1 ip6:2001:db8::/64 ip4:192.0.2.10 ~all"',
        ],
      }),
    ),
    {
      is: 'with an SPF record that is not valid',
      zone: { 'bounces.example.com': { TXT: ['v=spf1 ipv4:192.0.2.10 -all'] } },
      id: 'spf',
      verdict: 'fail',
      message: /is not valid: "ipv4:192\.0\.2\.10": there is no such mechanism/,
    },
    {
      is: 'whose SPF record includes a domain without one',
      zone: { '_spf.example.com': { TXT: ['other'] } },
      id: 'spf',
      verdict: 'fail',
      message: /includes _spf\.example\.com, which has no SPF record/,
    },
    {
      is: 'whose SPF record includes itself',
      zone: { '_spf.example.com': { TXT: ['v=spf1 include:bounces.example.com ~all'] } },
      id: 'spf',
      verdict: 'fail',
      message: /cannot be used: bounces\.example\.com includes itself/,
    },
    {
      is: 'whose SPF record costs eleven look-ups',
      zone: {
        '_spf.example.com': {
          TXT: [`v=spf1 ${Array.from({ length: 10 }, () => 'a:mail.example.com').join(' ')} ~all`],
        },
      },
      id: 'spf-lookups',
      verdict: 'fail',
      message: /costs 11 look-ups .*\(include:_spf\.example\.com 11\)/,
    },
    {
      is: 'whose SPF record names three hosts that do not exist',
      zone: {
        '_spf.example.com': {
          TXT: ['v=spf1 a:a.example.com a:b.example.com mx:c.example.com a:mail.example.com ~all'],
        },
      },
      id: 'spf-lookups',
      verdict: 'fail',
      message: /3 terms .* name nothing that exists; .*: a:a\.example\.com, a:b\.example\.com, mx:c\.example\.com/,
    },
    {
      is: 'whose SPF record lets everyone send',
      zone: { 'bounces.example.com': { TXT: ['v=spf1 include:_spf.example.com +all'] } },
      id: 'spf-all',
      verdict: 'fail',
      message: /ends with \+all: everyone may send its mail/,
      record: [
        'bounces.example.com. 3600 IN TXT "v=spf1 include:_spf.example.com +all"',
        'bounces.example.com. 3600 IN TXT "v=spf1 include:_spf.example.com ~all"',
      ],
    },
    {
      is: 'that includes a record which lets everyone send',
      zone: { '_spf.example.com': { TXT: ['v=spf1 a:mail.example.com ip4:0.0.0.0/0 -all'] } },
      id: 'spf-all',
      verdict: 'fail',
      message: /lets everyone send its mail, itself or by what it includes/,
    },
    {
      is: 'whose SPF record does not authorise an address',
      zone: { '_spf.example.com': { TXT: ['v=spf1 ip4:192.0.2.99 ~all'] } },
      id: 'spf-senders',
      verdict: 'fail',
      message: /does not authorise 192\.0\.2\.10 \(fail\)/,
      record: [
        'bounces.example.com. 3600 IN TXT "v=spf1 include:_spf.example.com ip6:2001:db8::/64 -all"',
        'bounces.example.com. 3600 IN TXT "v=spf1 include:_spf.example.com ip6:2001:db8::/64 ip4:192.0.2.10 -all"',
      ],
    },
    {
      is: 'whose SPF record depends on the message',
      zone: { '_spf.example.com': { TXT: ['v=spf1 exists:%{i}.spf.example.com ~all'] } },
      id: 'spf-senders',
      verdict: 'unknown',
      message: /192\.0\.2\.10 is not known: "include:_spf\.example\.com" is evaluated only for a message/,
    },
    {
      is: 'without a DKIM key',
      zone: { 'rsa._domainkey.example.com': null },
      id: 'dkim',
      verdict: 'fail',
      message: /^rsa\._domainkey\.example\.com has no DKIM key/,
      record: [
        `rsa._domainkey.example.com. 3600 IN TXT "${dkimRecord(rsaKey).slice(0, 255)}" "${dkimRecord(rsaKey).slice(255)}"`,
      ],
    },
    {
      is: 'with the DKIM key of somebody else',
      zone: { 'rsa._domainkey.example.com': { TXT: [dkimRecord(edKey)] } },
      id: 'dkim',
      verdict: 'fail',
      message: /has another key than the one that daywire signs with/,
    },
    {
      is: 'with a revoked DKIM key',
      zone: { 'rsa._domainkey.example.com': { TXT: ['v=DKIM1; k=rsa; p='] } },
      id: 'dkim',
      verdict: 'fail',
      message: /is revoked \(an empty p=\)/,
    },
    {
      is: 'with a DKIM key in test mode behind an alias',
      zone: { 'ed.keys.example.net': { TXT: [`${dkimRecord(edKey)}; t=s:y`] } },
      id: 'dkim',
      verdict: 'fail',
      message: /marked as a test .*\(ed\._domainkey\.example\.com is an alias of ed\.keys\.example\.net\)/,
    },
    {
      is: 'with two DKIM keys of one name',
      zone: { 'rsa._domainkey.example.com': { TXT: [splitText(dkimRecord(rsaKey)), dkimRecord(edKey)] } },
      id: 'dkim',
      verdict: 'fail',
      message: /has 2 DKIM keys; a name may have one/,
    },
    {
      is: 'with a DKIM key that is cut off',
      zone: { 'rsa._domainkey.example.com': { TXT: [dkimRecord(rsaKey).slice(0, 255)] } },
      id: 'dkim',
      verdict: 'fail',
      message: /is not valid: its p= is no RSA key; it is "v=DKIM1/,
    },
    {
      is: 'whose DKIM key cannot be looked up',
      zone: { 'rsa._domainkey.example.com': 'SERVFAIL' },
      id: 'dkim',
      verdict: 'unknown',
      message: /rsa\._domainkey\.example\.com could not be looked up/,
    },
    {
      is: 'without a DMARC policy',
      zone: { '_dmarc.example.com': null },
      id: 'dmarc',
      verdict: 'fail',
      message: /^news\.example\.com has no DMARC policy/,
      // Where DKIM signs for both. A policy of news.example.com alone would separate the two.
      record: ['_dmarc.example.com. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:desk@news.example.com"'],
    },
    {
      is: 'without a DMARC policy, signed for by a key of its own',
      zone: { '_dmarc.example.com': null },
      setup: { signers: [], contact: 'desk@example.com' },
      id: 'dmarc',
      verdict: 'fail',
      message: /p=none changes nothing$/,
      record: ['_dmarc.news.example.com. 3600 IN TXT "v=DMARC1; p=none"'],
    },
    {
      is: 'without a DMARC policy, which others sign for',
      zone: { '_dmarc.example.com': null },
      id: 'alignment',
      verdict: 'unknown',
      message: /whether DKIM of example\.com and .* is not known: no DMARC record says that it belongs to the organiz/,
    },
    {
      is: 'whose DMARC policy is an alias that leads to none',
      zone: { '_dmarc.example.com': { CNAME: ['_dmarc.reports.example'] } },
      id: 'dmarc',
      verdict: 'fail',
      message: /has no DMARC policy: .*\(_dmarc\.example\.com is an alias of _dmarc\.reports\.example\)$/,
      record: [],
    },
    {
      is: 'with two DMARC records',
      zone: { '_dmarc.news.example.com': { TXT: ['v=DMARC1; p=reject', 'v=DMARC1; p=none', 'v=DMARC1; p=all'] } },
      id: 'dmarc',
      verdict: 'fail',
      message: /has 3 DMARC records, so receivers use none .*: keep one/,
      record: [
        '_dmarc.news.example.com. 3600 IN TXT "v=DMARC1; p=reject"',
        '_dmarc.news.example.com. 3600 IN TXT "v=DMARC1; p=none"',
        '_dmarc.news.example.com. 3600 IN TXT "v=DMARC1; p=all"',
        '_dmarc.news.example.com. 3600 IN TXT "v=DMARC1; p=none"',
      ],
    },
    {
      is: 'whose DMARC record is not valid',
      zone: { '_dmarc.news.example.com': { TXT: ['v=DMARC1; p=maybe'] } },
      id: 'dmarc',
      verdict: 'fail',
      message: /is not valid: p= must be one of none, quarantine, reject; it is "v=DMARC1; p=maybe"/,
    },
    {
      is: 'whose reports go to another organization, which has not agreed',
      zone: {
        '_dmarc.example.com': { TXT: ['v=DMARC1; p=none; rua=mailto:a@example.com,mailto:b@reports.example!9m'] },
      },
      id: 'dmarc-reports',
      verdict: 'fail',
      message: /^reports\.example gets no reports about example\.com, since it has not agreed/,
      record: ['example.com._report._dmarc.reports.example. 3600 IN TXT "v=DMARC1"'],
    },
    {
      is: 'whose reports go to a domain of which nothing can be looked up',
      zone: {
        '_dmarc.example.com': { TXT: ['v=DMARC1; p=none; rua=mailto:b@reports.example'] },
        '_dmarc.reports.example': 'SERVFAIL',
      },
      id: 'dmarc-reports',
      verdict: 'unknown',
      message: /^_dmarc\.reports\.example could not be looked up/,
    },
    {
      is: 'whose reports go to another organization, which has agreed',
      zone: {
        '_dmarc.example.com': { TXT: ['v=DMARC1; p=none; rua=mailto:b@reports.example'] },
        'example.com._report._dmarc.reports.example': { TXT: ['v=DMARC1'] },
      },
      id: 'dmarc-reports',
      verdict: 'pass',
      message: /^reports\.example accepts reports about example\.com/,
    },
    {
      is: 'with a public suffix above it, which has the policy',
      zone: { '_dmarc.example.com': null, '_dmarc.com': { TXT: ['v=DMARC1; p=reject; psd=y'] } },
      id: 'dmarc',
      verdict: 'pass',
      message: /the policy is reject \(from _dmarc\.com\)/,
    },
    {
      is: 'that demands strict alignment',
      zone: { '_dmarc.news.example.com': { TXT: ['v=DMARC1; p=none; adkim=s; aspf=s'] } },
      id: 'alignment',
      verdict: 'fail',
      message: /neither DKIM nor SPF would pass and align .*not DKIM of example\.com \(strict\) nor/,
    },
    {
      is: 'whose organization ends below it',
      zone: { '_dmarc.news.example.com': { TXT: ['v=DMARC1; p=none; psd=n'] } },
      id: 'alignment',
      verdict: 'fail',
      message: /neither DKIM nor SPF would pass and align/,
    },
    {
      is: 'whose bounces go nowhere',
      zone: { 'bounces.example.com': { TXT: ['v=spf1 -all'] } },
      id: 'mx',
      verdict: 'fail',
      message: /has no MX: bounces do not come back/,
    },
    {
      is: 'without an MX, but with an address',
      zone: { 'bounces.example.com': { A: ['127.0.0.1'] } },
      id: 'mx',
      verdict: 'pass',
      message: /no MX, so mail goes to bounces\.example\.com itself/,
    },
    {
      is: 'with a null MX',
      zone: { 'bounces.example.com': { MX: ['0 '] } },
      id: 'mx',
      verdict: 'fail',
      message: /accepts no mail \(a null MX, RFC 7505\)/,
    },
    {
      is: 'with an MX that is an IP address',
      zone: { 'bounces.example.com': { MX: ['10 192.0.2.10'] } },
      id: 'mx',
      verdict: 'fail',
      message: /the MX 192\.0\.2\.10 is an IP address; it must be a name: no mail to it arrives/,
    },
    {
      is: 'with an MX that is an alias',
      zone: { 'mx.example.com': { CNAME: ['real.example.com'] }, 'real.example.com': { A: ['127.0.0.1'] } },
      id: 'mx',
      verdict: 'fail',
      message: /the MX mx\.example\.com is an alias of real\.example\.com/,
    },
    {
      is: 'with an MX without an address',
      zone: { 'mx.example.com': null },
      id: 'mx',
      verdict: 'fail',
      message: /the MX mx\.example\.com has no address: no mail to it arrives/,
    },
    {
      is: 'that sends from an address without a name',
      zone: { '10.2.0.192.in-addr.arpa': null },
      id: 'ptr',
      verdict: 'fail',
      message: /^192\.0\.2\.10 has no name \(PTR\)/,
      record: ['10.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.com.'],
    },
    {
      is: 'that sends from an address whose name does not exist',
      zone: { '10.2.0.192.in-addr.arpa': { PTR: ['out.example.com'] } },
      id: 'ptr',
      verdict: 'fail',
      message: /is named out\.example\.com \(PTR\), which does not have this address$/,
      record: ['out.example.com. 3600 IN A 192.0.2.10'],
    },
    {
      is: 'that sends from an address whose name is that of the web server',
      zone: { '10.2.0.192.in-addr.arpa': { PTR: ['news.example.com'] } },
      id: 'ptr',
      verdict: 'fail',
      message: /does not have this address: ask the provider of the address to set one that has this/,
      record: [
        '10.2.0.192.in-addr.arpa. 3600 IN PTR news.example.com.',
        '10.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.com.',
      ],
    },
    {
      is: 'that sends from an address with a name of the hosting company',
      zone: { '10.2.0.192.in-addr.arpa': { PTR: ['static-10.hosting.example'] } },
      setup: { mailServer: null },
      id: 'ptr',
      verdict: 'fail',
      message: /does not have this address: ask the provider of the address to set one that has this/,
      record: [],
    },
    {
      is: 'that does not say from where it sends',
      setup: { addresses: [] },
      id: 'ptr',
      verdict: 'unknown',
      message: /name them in delivery\.addresses/,
    },
    {
      is: 'that does not exist',
      zone: { 'news.example.com': null },
      id: 'sender',
      verdict: 'fail',
      message: /has neither MX nor address/,
    },
    {
      is: 'that accepts no mail',
      zone: { 'news.example.com': { MX: ['0 '] } },
      id: 'sender',
      verdict: 'fail',
      message: /receivers may refuse mail from it \(RFC 7505 §4\.2\), and replies are lost/,
    },
    {
      is: 'of a mailbox provider',
      setup: { senders: ['gmail.com'] },
      id: 'sender',
      verdict: 'fail',
      message: /From is an address at gmail\.com, a mailbox provider for everyone/,
    },
    {
      is: 'whose pages have no https',
      setup: { publicUrl: 'http://news.example.com' },
      id: 'one-click',
      verdict: 'fail',
      message: /one-click unsubscribe \(RFC 8058\) needs https/,
    },
    {
      is: 'that lets Amazon SES set a return path without records',
      setup: SES,
      id: 'mx',
      verdict: 'fail',
      message: /mail\.news\.example\.com has no MX/,
      record: ['mail.news.example.com. 3600 IN MX 10 feedback-smtp.eu-west-1.amazonses.com.'],
    },
    {
      is: 'whose return path has the MX of another region of Amazon SES',
      zone: { 'mail.news.example.com': { MX: ['10 feedback-smtp.us-east-1.amazonses.com'] }, ...SES_EXCHANGE },
      setup: SES,
      id: 'mx',
      verdict: 'fail',
      message: /the mail provider does not see bounces$/,
      record: [
        'mail.news.example.com. 3600 IN MX 10 feedback-smtp.us-east-1.amazonses.com.',
        'mail.news.example.com. 3600 IN MX 10 feedback-smtp.eu-west-1.amazonses.com.',
      ],
    },
    {
      is: 'whose return path at Amazon SES receives the mail of people',
      zone: { 'mail.news.example.com': bounces },
      setup: SES,
      id: 'mx',
      verdict: 'fail',
      message: /does not see bounces; choose a domain for the return path that receives no other mail/,
      record: [],
    },
    {
      is: 'whose return path does not include Amazon SES',
      zone: { 'mail.news.example.com': { TXT: ['v=spf1 include:_spf.example.com redirect=_spf.example.com'] } },
      setup: SES,
      id: 'spf-senders',
      verdict: 'fail',
      message: /does not include amazonses\.com: Amazon SES may not send its mail/,
      record: [
        'mail.news.example.com. 3600 IN TXT "v=spf1 include:_spf.example.com redirect=_spf.example.com"',
        'mail.news.example.com. 3600 IN TXT "v=spf1 include:_spf.example.com include:amazonses.com ' +
          'redirect=_spf.example.com"',
      ],
    },
    {
      is: 'whose return path has no room for its mail provider',
      zone: {
        'mail.news.example.com': {
          TXT: [`v=spf1 ${Array.from({ length: 10 }, () => 'a:mail.example.com').join(' ')} ~all`],
        },
      },
      setup: SES,
      id: 'spf-senders',
      verdict: 'fail',
      message: /may not send its mail\. It already costs 10 look-ups or more: remove a term for it/,
    },
    {
      is: 'whose return path is an alias of a name of Postmark',
      zone: {
        'mail.news.example.com': { CNAME: ['pm.mtasv.net'] },
        'pm.mtasv.net': { TXT: ['v=spf1 ip4:198.51.100.0/24 ~all'] },
      },
      setup: { ...SES, provider: MAIL_PROVIDERS.postmark },
      id: 'spf-senders',
      verdict: 'pass',
      message: /it authorises Postmark/,
    },
    {
      is: 'whose return path at Postmark does not exist',
      setup: { ...SES, provider: MAIL_PROVIDERS.postmark },
      id: 'spf',
      verdict: 'fail',
      message:
        /Postmark needs a return path of its own, which is an alias \(CNAME\) of pm\.mtasv\.net and has no other/,
      record: ['mail.news.example.com. 3600 IN CNAME pm.mtasv.net.'],
    },
    {
      is: 'whose return path at Postmark has other records',
      zone: { 'mail.news.example.com': { A: ['192.0.2.80'] } },
      setup: { ...SES, provider: MAIL_PROVIDERS.postmark },
      id: 'spf',
      verdict: 'fail',
      message: /an alias \(CNAME\) of pm\.mtasv\.net and has no other record/,
      record: [],
    },
    {
      is: 'whose return path at Postmark has an SPF record',
      zone: { 'mail.news.example.com': { TXT: ['v=spf1 a:mail.example.com -all'] } },
      setup: { ...SES, provider: MAIL_PROVIDERS.postmark },
      id: 'spf-senders',
      verdict: 'fail',
      message: /an alias \(CNAME\) of pm\.mtasv\.net and has no other record/,
      record: [],
    },
    {
      is: 'whose return path at SendGrid does not exist',
      setup: { ...SES, provider: MAIL_PROVIDERS.sendgrid },
      id: 'spf',
      verdict: 'fail',
      message: /which is the alias \(CNAME\) that SendGrid shows for it/,
      record: [],
    },
    {
      is: 'that leaves the return path to its mail provider',
      setup: { ...SES, returnPathDomain: null },
      id: 'spf',
      verdict: 'unknown',
      message: /Amazon SES sets the return path to a domain of its own.*delivery\.returnPathDomain/,
    },
    {
      is: 'for which Amazon SES signs with a key of its account',
      setup: SES,
      id: 'dkim',
      verdict: 'unknown',
      message: /no key of delivery\.dkim signs for news\.example\.com, so Amazon SES must/,
    },
    {
      is: 'for which Mailchimp signs, beside Mailgun',
      zone: {
        'k1._domainkey.news.example.com': { CNAME: ['dkim.mcsv.net'] },
        'dkim.mcsv.net': { TXT: [splitText(dkimRecord(rsaKey))] },
      },
      setup: { ...SES, provider: MAIL_PROVIDERS.mailgun },
      id: 'dkim',
      verdict: 'unknown',
      message: /k1\._domainkey\.news\.example\.com has a key, which may be that of Mailgun or of somebody else/,
    },
    {
      is: 'for which SendGrid signs',
      zone: {
        's1._domainkey.news.example.com': { CNAME: ['s1.domainkey.u1.wl.sendgrid.net'] },
        's1.domainkey.u1.wl.sendgrid.net': { TXT: [splitText(dkimRecord(rsaKey))] },
      },
      setup: { ...SES, provider: MAIL_PROVIDERS.sendgrid },
      id: 'dkim',
      verdict: 'pass',
      message: /s1\._domainkey\.news\.example\.com has a key of SendGrid/,
    },
  ];

  it.each(ROWS)('$is: $id is $verdict', async ({ zone = {}, setup, id, verdict, message, record }) => {
    const changed = Object.entries({ ...RIGHT_ZONE, ...zone }).filter((entry) => entry[1] !== null);
    const found = await judgements(Object.fromEntries(changed) as Zone, setup);
    const judged = found.find((one) => one.id === id && message.test(one.message));
    expect(judged, JSON.stringify(found.filter((one) => one.id === id))).toMatchObject({ verdict });
    if (record !== undefined) {
      const suggested = judged?.record;
      const old = suggested?.replaces.map((value) => zoneLine({ ...suggested, value })) ?? [];
      expect([...old, ...(suggested === undefined ? [] : [zoneLine(suggested)])]).toEqual(record);
    }
  });

  it.each([
    ['has a valid certificate', certificate, 'pass', /offers TLSv1\.3 with a valid/],
    ['offers no TLS', {}, 'fail', /offers no STARTTLS/],
    ['has the certificate of another host', otherName, 'fail', /is not valid: it has another name/],
    ['has a certificate that has expired', expired, 'fail', /is not valid: it has expired/],
    [
      'has a certificate that nobody trusts',
      makeCertificate(Date.now(), 'mx.example.com'),
      'fail',
      /the certificate of mx\.example\.com is not valid: it is self-signed/,
    ],
  ])('tells that its mail exchange %s', async (_, options, verdict, message) => {
    const disabledCommands = 'cert' in options ? ['AUTH'] : ['AUTH', 'STARTTLS'];
    const { port } = await startServer({ ...options, disabledCommands });
    const found = await judgements(RIGHT_ZONE, {}, port);
    expect(found.find(({ id }) => id === 'mx-tls')).toMatchObject({
      domain: 'mx.example.com',
      verdict,
      message: expect.stringMatching(message),
    });
  });
});

function messageOf(found: Judgement[], wanted: string): string | undefined {
  return found.find(({ id }) => id === wanted)?.message;
}
