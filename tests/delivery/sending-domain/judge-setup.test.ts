import { describe, expect, it } from 'vitest';
import { dkimRecord } from '../../../src/delivery/sending-domain/dkim.ts';
import { judgeSetup, type SendingSetup, sendingSetup } from '../../../src/delivery/sending-domain/judge-setup.ts';
import type { Judgement } from '../../../src/delivery/sending-domain/judgement.ts';
import { MAIL_PROVIDERS } from '../../../src/delivery/sending-domain/mail-provider-dns.ts';
import { expectGolden } from '../../support/golden.ts';
import type { Zone } from '../../support/name-server.ts';
import { sampleConfig } from '../../support/sample.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';
import { edKey, OWN_SERVER, RIGHT_ZONE, rsaKey, splitText } from './sending-zone.ts';

function judgements(zone: Zone, setup: Partial<SendingSetup> = {}): Promise<Judgement[]> {
  return judgeSetup({ ...OWN_SERVER, ...setup }, zoneResolver(zone));
}

const SES: Partial<SendingSetup> = {
  provider: MAIL_PROVIDERS.ses,
  returnPathDomain: 'mail.news.example.com',
  addresses: [],
  signers: [],
};

const bounces = { MX: ['10 mx.example.com'] };
const spf = (...texts: string[]) => ({ 'bounces.example.com': { ...bounces, TXT: texts } });
const dmarc = (tags: string) => ({ TXT: [`v=DMARC1; ${tags}`] });
/** As many terms, each of which costs a look-up. */
const hosts = (count: number) => Array.from({ length: count }, () => 'a:mail.example.com').join(' ');

describe('a sending domain', () => {
  it('passes everything in a zone that is right', async () => {
    const found = await judgements(RIGHT_ZONE);
    expect(found.map(({ id, domain, verdict }) => `${id} ${domain} ${verdict}`)).toEqual([
      'sender news.example.com pass',
      'spf bounces.example.com pass',
      'spf-senders bounces.example.com pass',
      'dkim example.com pass',
      'dkim example.com pass',
      'dmarc news.example.com pass',
      'alignment news.example.com pass',
      'mx bounces.example.com pass',
      'ptr 192.0.2.10 pass',
      'ptr 2001:db8::10 pass',
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
    expect(of('bounces.example.com').map(([id]) => id)).toEqual(['spf', 'spf-senders', 'mx']);
    // Neither a key nor the return path belongs to its organization.
    expect(of('other.example')).toEqual([
      ['sender', 'pass'],
      ['dkim', 'unknown'],
      ['dmarc', 'fail'],
      ['alignment', 'unknown'],
    ]);
  });

  /** Nodes that replace those of the right zone, where null removes one, and changes of the setup. */
  const CASES: [is: string, nodes: Record<string, Zone[string] | null>, setup?: Partial<SendingSetup>][] = [
    ['without an SPF record', { 'bounces.example.com': bounces }],
    ['without an SPF record and without known addresses', { 'bounces.example.com': bounces }, { addresses: [] }],
    ['whose SPF record cannot be looked up', { 'bounces.example.com': 'SERVFAIL' }],
    ['with two SPF records', spf('v=spf1 a -all', 'v=spf1 mx ~all')],
    ['with an SPF record that is not valid', spf('v=spf1 ipv4:192.0.2.10 -all')],
    ['whose SPF record has an address as the name of a host', spf('v=spf1 a:192.0.2.10 -all')],
    ['whose SPF record has no address where it needs one', spf('v=spf1 ip4:2001:db8::1 -all')],
    ['whose SPF record includes a domain without one', { '_spf.example.com': { TXT: ['other'] } }],
    ['whose SPF record includes itself', { '_spf.example.com': { TXT: ['v=spf1 include:bounces.example.com ~all'] } }],
    ['whose SPF record costs eleven look-ups', { '_spf.example.com': { TXT: [`v=spf1 ${hosts(10)} ~all`] } }],
    ['whose SPF record lets everyone send', spf('v=spf1 include:_spf.example.com +all')],
    [
      'that includes a record which lets everyone send',
      { '_spf.example.com': { TXT: ['v=spf1 a:mail.example.com ip4:0.0.0.0/0 -all'] } },
    ],
    ['whose SPF record does not authorise an address', { '_spf.example.com': { TXT: ['v=spf1 ip4:192.0.2.99 ~all'] } }],
    [
      'whose SPF record only refuses an address, and includes its network without authorising it',
      { ...spf('v=spf1 ?include:_spf.example.com ip6:2001:db8::/64 -ip4:192.0.2.10 -all') },
    ],
    [
      'whose SPF record authorises networks of hosts, by its MX and by another record',
      {
        ...spf('v=spf1 mx:example.com/24 redirect=_spf.example.com'),
        'example.com': { MX: ['10 other.example.com'] },
        'other.example.com': { A: ['192.0.2.99'] },
        '_spf.example.com': { TXT: ['v=spf1 a:six.example.com//64 -all'] },
        'six.example.com': { AAAA: ['2001:db8::99'] },
      },
    ],
    [
      'whose SPF record depends on the message',
      { '_spf.example.com': { TXT: ['v=spf1 exists:%{i}.spf.example.com ~all'] } },
    ],
    ['whose SPF record includes one that cannot be looked up', { '_spf.example.com': 'SERVFAIL' }],
    ['without a DKIM key', { 'rsa._domainkey.example.com': null }],
    ['with the DKIM key of somebody else', { 'rsa._domainkey.example.com': { TXT: [dkimRecord(edKey)] } }],
    ['with a revoked DKIM key', { 'rsa._domainkey.example.com': { TXT: ['v=DKIM1; k=rsa; p='] } }],
    [
      'with two DKIM keys of one name',
      { 'rsa._domainkey.example.com': { TXT: [splitText(dkimRecord(rsaKey)), dkimRecord(edKey)] } },
    ],
    ['with a DKIM key that is cut off', { 'rsa._domainkey.example.com': { TXT: [dkimRecord(rsaKey).slice(0, 255)] } }],
    ['with a DKIM key that has a tag twice', { 'ed.keys.example.net': { TXT: [`${dkimRecord(edKey)}; p=`] } }],
    ['whose DKIM key cannot be looked up', { 'rsa._domainkey.example.com': 'SERVFAIL' }],
    ['without a DMARC policy', { '_dmarc.example.com': null }],
    ['with two DMARC records', { '_dmarc.news.example.com': { TXT: ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] } }],
    ['whose DMARC record is not valid', { '_dmarc.news.example.com': dmarc('p=maybe') }],
    ['whose DMARC record has a tag twice', { '_dmarc.news.example.com': dmarc('p=none; p=reject') }],
    ['whose DMARC record asks for reports only', { '_dmarc.news.example.com': dmarc('rua=mailto:dmarc@example.com') }],
    ['with a policy of its own and one above it', { '_dmarc.news.example.com': dmarc('p=reject') }],
    [
      'with a policy between it and its organization',
      { '_dmarc.b.example.com': dmarc('p=reject') },
      { senders: ['a.b.example.com'] },
    ],
    [
      'whose organization ends between it and the top',
      { '_dmarc.b.example.com': dmarc('p=reject; psd=n; rua=mailto:a@b.example') },
      { senders: ['a.b.example.com'] },
    ],
    [
      'with a public suffix above it, which has the policy',
      { '_dmarc.example.com': null, '_dmarc.com': dmarc('p=reject; psd=y') },
    ],
    ['with a public suffix above it', { '_dmarc.example.com': dmarc('p=reject; psd=y') }],
    ['for whose policy a step cannot be looked up', { '_dmarc.com': 'SERVFAIL' }],
    ['that demands strict alignment', { '_dmarc.news.example.com': dmarc('p=none; adkim=s; aspf=s') }],
    ['whose organization ends below it', { '_dmarc.news.example.com': dmarc('p=none; psd=n') }],
    [
      'for which neither DKIM nor SPF passes',
      { 'bounces.example.com': bounces, 'rsa._domainkey.example.com': null, 'ed.keys.example.net': null },
    ],
    ['whose bounces go nowhere', { 'bounces.example.com': { TXT: ['v=spf1 -all'] } }],
    ['without an MX, but with an address', { 'bounces.example.com': { A: ['192.0.2.25'] } }],
    ['with a null MX', { 'bounces.example.com': { MX: ['0 '] } }],
    [
      'with an MX that is an IP address, and one without an address',
      { 'bounces.example.com': { MX: ['10 192.0.2.10', '20 gone.example.com', '30 mx.example.com'] } },
    ],
    ['that sends from an address without a name', { '10.2.0.192.in-addr.arpa': null }],
    [
      'that sends from an address whose name has another address',
      { '10.2.0.192.in-addr.arpa': { PTR: ['news.example.com'] } },
    ],
    [
      'that sends from an address whose name cannot be looked up',
      { '10.2.0.192.in-addr.arpa': { PTR: ['out.example.com'] }, 'out.example.com': 'SERVFAIL' },
    ],
    ['that does not exist', { 'news.example.com': null }],
    ['that accepts no mail', { 'news.example.com': { MX: ['0 '] } }],
    ['of a mailbox provider', {}, { senders: ['gmail.com'] }],
    ['that lets Amazon SES set a return path without records', {}, SES],
    [
      'whose return path does not include Amazon SES',
      { 'mail.news.example.com': { TXT: ['v=spf1 include:_spf.example.com ~all'] } },
      SES,
    ],
    [
      'whose return path is an alias of a name of Postmark',
      {
        'mail.news.example.com': { CNAME: ['pm.mtasv.net'] },
        'pm.mtasv.net': { TXT: ['v=spf1 ip4:198.51.100.0/24 ~all'] },
      },
      { ...SES, provider: MAIL_PROVIDERS.postmark },
    ],
    ['whose return path at Postmark does not exist', {}, { ...SES, provider: MAIL_PROVIDERS.postmark }],
    ['that leaves the return path to its mail provider', {}, { ...SES, returnPathDomain: null }],
  ];

  it('is judged by its records and its setup, in the words of the golden file', async () => {
    const linesOf = (found: Judgement[]): string[] =>
      found.map(({ id, domain, verdict, message }) => `  ${verdict} ${id} ${domain}: ${message}\n`);
    const right = new Set(linesOf(await judgements(RIGHT_ZONE)));
    let golden = '';
    for (const [is, nodes, setup] of CASES) {
      const zone = Object.entries({ ...RIGHT_ZONE, ...nodes }).filter((entry) => entry[1] !== null);
      const lines = linesOf(await judgements(Object.fromEntries(zone) as Zone, setup));
      // What is as in the right zone is left out.
      golden += `${is}\n${lines.filter((line) => !right.has(line)).join('')}\n`;
    }
    expectGolden('delivery/judge-setup.txt', golden.replace(/p=[\w+/]{40,}=*/g, 'p=KEY'));
  });

  it('looks up at most eight steps for the policy of a long name (RFC 9989 §4.10)', async () => {
    const asked: string[] = [];
    const dns = zoneResolver({});
    const txt = (name: string) => {
      asked.push(name);
      return dns.txt(name);
    };
    await judgeSetup({ ...OWN_SERVER, senders: ['a.b.c.d.e.f.g.h.example.com'], signers: [] }, { ...dns, txt });
    expect(new Set(asked.filter((name) => /^_dmarc\.(.*\.)?h\.example/.test(name)))).toEqual(
      new Set([
        '_dmarc.a.b.c.d.e.f.g.h.example.com',
        '_dmarc.d.e.f.g.h.example.com',
        ...['_dmarc.e.f.g.h.example.com', '_dmarc.f.g.h.example.com', '_dmarc.g.h.example.com', '_dmarc.h.example.com'],
      ]),
    );
  });
});

describe('the setup of sending', () => {
  it('names the domain of each sender once, in lower case', () => {
    const config = sampleConfig((yaml) => yaml.replace('weekly@example.com', 'weekly@News.Example.com'));
    const setup = sendingSetup(config, []);
    expect(setup.senders).toEqual(['example.com', 'news.example.com']);
  });
});

function messageOf(found: Judgement[], wanted: string): string | undefined {
  return found.find(({ id }) => id === wanted)?.message;
}
