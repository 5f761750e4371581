import { describe, expect, it } from 'vitest';
import { dkimRecord } from '../../../src/delivery/sending-domain/dkim.ts';
import { judgeSetup, type SendingSetup, sendingSetup } from '../../../src/delivery/sending-domain/judge-setup.ts';
import type { Judgement } from '../../../src/delivery/sending-domain/judgement.ts';
import { MAIL_PROVIDERS } from '../../../src/delivery/sending-domain/mail-provider-dns.ts';
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
  feedbackExchange: 'feedback-smtp.eu-west-1.amazonses.com',
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
      'spf-lookups bounces.example.com pass',
      'spf-senders bounces.example.com pass',
      'dkim example.com pass',
      'dkim example.com pass',
      'dmarc news.example.com pass',
      'alignment news.example.com pass',
      'mx bounces.example.com pass',
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
    expect(of('bounces.example.com').map(([id]) => id)).toEqual(['spf', 'spf-lookups', 'spf-senders', 'mx']);
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
    found: [id: string, verdict: Judgement['verdict'], message: RegExp];
  }

  const SPF_ROWS: Row[] = [
    {
      is: 'without an SPF record',
      zone: { 'bounces.example.com': bounces },
      found: ['spf', 'fail', /has no SPF record: publish "v=spf1 ip4:192\.0\.2\.10 ip6:2001:db8::10 ~all" as TXT$/],
    },
    {
      is: 'without an SPF record and without known addresses',
      zone: { 'bounces.example.com': bounces },
      setup: { addresses: [] },
      found: ['spf', 'fail', /name the IP addresses .* in delivery\.addresses/],
    },
    {
      is: 'whose SPF record cannot be looked up',
      zone: { 'bounces.example.com': 'SERVFAIL' },
      found: ['spf', 'unknown', /could not be looked up: no name server answered/],
    },
    {
      is: 'with two SPF records',
      zone: spf('v=spf1 a -all', 'v=spf1 mx ~all'),
      found: [
        'spf',
        'fail',
        /has 2 SPF records, so receivers use none .*: make "v=spf1 a -all", "v=spf1 mx ~all" one$/,
      ],
    },
    {
      is: 'with an SPF record that is not valid',
      zone: spf('v=spf1 ipv4:192.0.2.10 -all'),
      found: ['spf', 'fail', /is not valid: "ipv4:192\.0\.2\.10" is no term of SPF; it is "v=spf1/],
    },
    {
      is: 'whose SPF record has an address as the name of a host',
      zone: spf('v=spf1 a:192.0.2.10 -all'),
      found: ['spf', 'fail', /"a:192\.0\.2\.10" must name a domain/],
    },
    {
      is: 'whose SPF record has no address where it needs one',
      zone: spf('v=spf1 ip4:2001:db8::1 -all'),
      found: ['spf', 'fail', /"ip4:2001:db8::1" has no address of its family/],
    },
    {
      is: 'whose SPF record includes a domain without one',
      zone: { '_spf.example.com': { TXT: ['other'] } },
      found: ['spf', 'fail', /it includes _spf\.example\.com, which has no SPF records/],
    },
    {
      is: 'whose SPF record includes itself',
      zone: { '_spf.example.com': { TXT: ['v=spf1 include:bounces.example.com ~all'] } },
      found: ['spf-lookups', 'fail', /costs 20 or more look-ups/],
    },
    {
      is: 'whose SPF record costs eleven look-ups',
      zone: { '_spf.example.com': { TXT: [`v=spf1 ${hosts(10)} ~all`] } },
      found: ['spf-lookups', 'fail', /costs 11 look-ups with all that it includes; beyond 10 receivers/],
    },
    {
      is: 'whose SPF record lets everyone send',
      zone: spf('v=spf1 include:_spf.example.com +all'),
      found: ['spf', 'fail', /lets everyone send its mail: end it with ~all or -all/],
    },
    {
      is: 'that includes a record which lets everyone send',
      zone: { '_spf.example.com': { TXT: ['v=spf1 a:mail.example.com ip4:0.0.0.0/0 -all'] } },
      found: ['spf', 'fail', /lets everyone send its mail/],
    },
    {
      is: 'whose SPF record does not authorise an address',
      zone: { '_spf.example.com': { TXT: ['v=spf1 ip4:192.0.2.99 ~all'] } },
      found: ['spf-senders', 'fail', /does not authorise 192\.0\.2\.10: add ip4:192\.0\.2\.10$/],
    },
    {
      is: 'whose SPF record only refuses an address, and includes its network without authorising it',
      zone: { ...spf('v=spf1 ?include:_spf.example.com ip6:2001:db8::/64 -ip4:192.0.2.10 -all') },
      found: ['spf-senders', 'fail', /does not authorise 192\.0\.2\.10/],
    },
    {
      is: 'whose SPF record authorises networks of hosts, by its MX and by another record',
      zone: {
        ...spf('v=spf1 mx:example.com/24 redirect=_spf.example.com'),
        'example.com': { MX: ['10 other.example.com'] },
        'other.example.com': { A: ['192.0.2.99'] },
        '_spf.example.com': { TXT: ['v=spf1 a:six.example.com//64 -all'] },
        'six.example.com': { AAAA: ['2001:db8::99'] },
      },
      found: ['spf-senders', 'pass', /it authorises 192\.0\.2\.10, 2001:db8::10/],
    },
    {
      is: 'whose SPF record depends on the message',
      zone: { '_spf.example.com': { TXT: ['v=spf1 exists:%{i}.spf.example.com ~all'] } },
      found: ['spf-senders', 'unknown', /192\.0\.2\.10 is not known, because of "exists:%\{i\}\.spf\.example\.com"/],
    },
    {
      is: 'whose SPF record includes one that cannot be looked up',
      zone: { '_spf.example.com': 'SERVFAIL' },
      found: ['spf-senders', 'unknown', /because of _spf\.example\.com, which could not be looked up/],
    },
  ];

  const DKIM_ROWS: Row[] = [
    {
      is: 'without a DKIM key',
      zone: { 'rsa._domainkey.example.com': null },
      found: [
        'dkim',
        'fail',
        /^rsa\._domainkey\.example\.com has no DKIM key.*: v=DKIM1; k=rsa; p=MII[A-Za-z0-9+/]+=*$/,
      ],
    },
    {
      is: 'with the DKIM key of somebody else',
      zone: { 'rsa._domainkey.example.com': { TXT: [dkimRecord(edKey)] } },
      found: ['dkim', 'fail', /has another key than the one that daywire signs with/],
    },
    {
      is: 'with a revoked DKIM key',
      zone: { 'rsa._domainkey.example.com': { TXT: ['v=DKIM1; k=rsa; p='] } },
      found: ['dkim', 'fail', /its key is revoked \(an empty p=\)/],
    },
    {
      is: 'with a DKIM key in test mode behind an alias',
      zone: { 'ed.keys.example.net': { TXT: [`${dkimRecord(edKey)}; t=s:y`] } },
      found: ['dkim', 'fail', /^ed\._domainkey\.example\.com is marked as a test/],
    },
    {
      is: 'with two DKIM keys of one name',
      zone: { 'rsa._domainkey.example.com': { TXT: [splitText(dkimRecord(rsaKey)), dkimRecord(edKey)] } },
      found: ['dkim', 'fail', /has 2 DKIM keys; a name may have one/],
    },
    {
      is: 'with a DKIM key that is cut off',
      zone: { 'rsa._domainkey.example.com': { TXT: [dkimRecord(rsaKey).slice(0, 255)] } },
      found: ['dkim', 'fail', /is not valid: its k= and p= are no RSA or Ed25519 key; it is "v=DKIM1/],
    },
    {
      is: 'with a DKIM key that does not allow our signatures',
      zone: { 'rsa._domainkey.example.com': { TXT: [`h=sha1; ${dkimRecord(rsaKey).slice(9)}`] } },
      found: ['dkim', 'fail', /its h= does not allow sha256/],
    },
    {
      is: 'whose DKIM key cannot be looked up',
      zone: { 'rsa._domainkey.example.com': 'SERVFAIL' },
      found: ['dkim', 'unknown', /rsa\._domainkey\.example\.com could not be looked up/],
    },
    {
      is: 'for which Amazon SES signs with a key of its account',
      setup: SES,
      found: ['dkim', 'unknown', /no key of delivery\.dkim signs for news\.example\.com, so Amazon SES must/],
    },
    {
      is: 'for which Mailchimp signs, beside Mailgun',
      zone: {
        'k1._domainkey.news.example.com': { CNAME: ['dkim.mcsv.net'] },
        'dkim.mcsv.net': { TXT: [splitText(dkimRecord(rsaKey))] },
      },
      setup: { ...SES, provider: MAIL_PROVIDERS.mailgun },
      found: ['dkim', 'unknown', /so Mailgun must: whether its key is in the DNS is not known/],
    },
    {
      is: 'for which SendGrid signs',
      zone: {
        's1._domainkey.news.example.com': { CNAME: ['s1.domainkey.u1.wl.sendgrid.net'] },
        's1.domainkey.u1.wl.sendgrid.net': { TXT: [splitText(dkimRecord(rsaKey))] },
      },
      setup: { ...SES, provider: MAIL_PROVIDERS.sendgrid },
      found: ['dkim', 'pass', /s1\._domainkey\.news\.example\.com has a key of SendGrid/],
    },
  ];

  const DMARC_ROWS: Row[] = [
    {
      is: 'without a DMARC policy',
      zone: { '_dmarc.example.com': null },
      found: ['dmarc', 'fail', /^news\.example\.com has no DMARC policy.*publish "v=DMARC1; p=none"/],
    },
    {
      is: 'without a DMARC policy, which others sign for',
      zone: { '_dmarc.example.com': null },
      found: ['alignment', 'unknown', /whether DKIM of example\.com and SPF of bounces\.example\.com would align/],
    },
    {
      is: 'with two DMARC records',
      zone: { '_dmarc.news.example.com': { TXT: ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] } },
      found: ['dmarc', 'fail', /it has 2 DMARC records, so receivers use none: keep one of "v=DMARC1; p=reject", /],
    },
    {
      is: 'whose DMARC record is not valid',
      zone: { '_dmarc.news.example.com': dmarc('p=maybe') },
      found: ['dmarc', 'fail', /p= and sp= must be one of none, quarantine, reject; it is "v=DMARC1; p=maybe"/],
    },
    {
      is: 'whose DMARC record has a tag twice',
      zone: { '_dmarc.news.example.com': dmarc('p=none; p=reject') },
      found: ['dmarc', 'fail', /the tag p= is there twice/],
    },
    {
      is: 'whose DMARC record asks for reports only',
      zone: { '_dmarc.news.example.com': dmarc('rua=mailto:dmarc@example.com') },
      found: ['dmarc', 'pass', /^the policy is none: forged mail is only reported$/],
    },
    {
      is: 'with a policy of its own and one above it',
      zone: { '_dmarc.news.example.com': dmarc('p=reject') },
      found: ['dmarc', 'pass', /^the policy is reject; nobody gets reports \(rua=\)$/],
    },
    {
      is: 'with a policy between it and its organization',
      zone: { '_dmarc.b.example.com': dmarc('p=reject') },
      setup: { senders: ['a.b.example.com'] },
      found: ['dmarc', 'pass', /^the policy is quarantine \(from _dmarc\.example\.com\)$/],
    },
    {
      is: 'whose organization ends between it and the top',
      zone: { '_dmarc.b.example.com': dmarc('p=reject; psd=n; rua=mailto:a@b.example') },
      setup: { senders: ['a.b.example.com'] },
      found: ['dmarc', 'pass', /^the policy is reject \(from _dmarc\.b\.example\.com\)$/],
    },
    {
      is: 'with a public suffix above it, which has the policy',
      zone: { '_dmarc.example.com': null, '_dmarc.com': dmarc('p=reject; psd=y') },
      found: ['dmarc', 'pass', /the policy is reject \(from _dmarc\.com\)/],
    },
    {
      is: 'with a public suffix above it',
      zone: { '_dmarc.example.com': dmarc('p=reject; psd=y') },
      found: ['alignment', 'fail', /neither DKIM nor SPF would pass and align/],
    },
    {
      is: 'for whose policy a step cannot be looked up',
      zone: { '_dmarc.com': 'SERVFAIL' },
      found: ['dmarc', 'unknown', /^_dmarc\.com could not be looked up/],
    },
    {
      is: 'that demands strict alignment',
      zone: { '_dmarc.news.example.com': dmarc('p=none; adkim=s; aspf=s') },
      found: ['alignment', 'fail', /not DKIM of example\.com \(strict\) nor SPF of bounces\.example\.com \(strict\)/],
    },
    {
      is: 'whose organization ends below it',
      zone: { '_dmarc.news.example.com': dmarc('p=none; psd=n') },
      found: ['alignment', 'fail', /neither DKIM nor SPF would pass and align/],
    },
    {
      is: 'for which neither DKIM nor SPF passes',
      zone: { 'bounces.example.com': bounces, 'rsa._domainkey.example.com': null, 'ed.keys.example.net': null },
      found: ['alignment', 'fail', /neither DKIM nor SPF would pass and align/],
    },
  ];

  const HOST_ROWS: Row[] = [
    {
      is: 'whose bounces go nowhere',
      zone: { 'bounces.example.com': { TXT: ['v=spf1 -all'] } },
      found: ['mx', 'fail', /has no MX, so bounces do not come back$/],
    },
    {
      is: 'whose MX cannot be looked up',
      zone: { 'bounces.example.com': 'SERVFAIL' },
      found: ['mx', 'unknown', /the MX of bounces\.example\.com could not be looked up/],
    },
    {
      is: 'without an MX, but with an address',
      zone: { 'bounces.example.com': { A: ['192.0.2.25'] } },
      found: ['mx', 'pass', /no MX, so mail goes to bounces\.example\.com itself/],
    },
    {
      is: 'with a null MX',
      zone: { 'bounces.example.com': { MX: ['0 '] } },
      found: ['mx', 'fail', /accepts no mail \(a null MX, RFC 7505\)/],
    },
    {
      is: 'with an MX that is an IP address, and one without an address',
      zone: { 'bounces.example.com': { MX: ['10 192.0.2.10', '20 gone.example.com', '30 mx.example.com'] } },
      found: ['mx', 'fail', /the MX 192\.0\.2\.10, gone\.example\.com must be the name of a host with an address/],
    },
    {
      is: 'that sends from an address without a name',
      zone: { '10.2.0.192.in-addr.arpa': null },
      found: ['ptr', 'fail', /^192\.0\.2\.10 has no name \(PTR\), so .*: ask the provider of the address/],
    },
    {
      is: 'that sends from an address whose name has another address',
      zone: { '10.2.0.192.in-addr.arpa': { PTR: ['news.example.com'] } },
      found: ['ptr', 'fail', /is named news\.example\.com \(PTR\), which has another address/],
    },
    {
      is: 'that sends from an address whose name cannot be looked up',
      zone: { '10.2.0.192.in-addr.arpa': { PTR: ['out.example.com'] }, 'out.example.com': 'SERVFAIL' },
      found: ['ptr', 'unknown', /^the address of out\.example\.com could not be looked up/],
    },
    {
      is: 'that does not exist',
      zone: { 'news.example.com': null },
      found: ['sender', 'fail', /neither MX nor address/],
    },
    {
      is: 'that accepts no mail',
      zone: { 'news.example.com': { MX: ['0 '] } },
      found: ['sender', 'fail', /receivers may refuse mail from it \(RFC 7505 §4\.2\)/],
    },
    {
      is: 'of a mailbox provider',
      setup: { senders: ['gmail.com'] },
      found: ['sender', 'fail', /From is an address at gmail\.com, a mailbox provider for everyone/],
    },
    {
      is: 'whose pages have no https',
      setup: { publicUrl: 'http://news.example.com' },
      found: ['one-click', 'fail', /one-click unsubscribe \(RFC 8058\) needs https/],
    },
  ];

  const PROVIDER_ROWS: Row[] = [
    {
      is: 'that lets Amazon SES set a return path without records',
      setup: SES,
      found: ['mx', 'fail', /has no MX, so bounces .*: publish the MX 10 feedback-smtp\.eu-west-1\.amazonses\.com$/],
    },
    {
      is: 'whose return path at Amazon SES receives the mail of people',
      zone: { 'mail.news.example.com': bounces },
      setup: SES,
      found: ['mx', 'fail', /the mail provider does not see bounces.* must receive no other mail$/],
    },
    {
      is: 'whose return path does not include Amazon SES',
      zone: { 'mail.news.example.com': { TXT: ['v=spf1 include:_spf.example.com ~all'] } },
      setup: SES,
      found: ['spf-senders', 'fail', /does not authorise Amazon SES: the return path needs include:amazonses\.com/],
    },
    {
      is: 'whose return path is an alias of a name of Postmark',
      zone: {
        'mail.news.example.com': { CNAME: ['pm.mtasv.net'] },
        'pm.mtasv.net': { TXT: ['v=spf1 ip4:198.51.100.0/24 ~all'] },
      },
      setup: { ...SES, provider: MAIL_PROVIDERS.postmark },
      found: ['spf-senders', 'pass', /it authorises Postmark/],
    },
    {
      is: 'whose return path at Postmark does not exist',
      setup: { ...SES, provider: MAIL_PROVIDERS.postmark },
      found: [
        'spf',
        'fail',
        /set up what Postmark shows .* \(an alias \(CNAME\) of pm\.mtasv\.net and no other record\)/,
      ],
    },
    {
      is: 'that leaves the return path to its mail provider',
      setup: { ...SES, returnPathDomain: null },
      found: ['spf', 'unknown', /Amazon SES sets the return path to a domain of its own.*delivery\.returnPathDomain/],
    },
  ];

  it.each([...SPF_ROWS, ...DKIM_ROWS, ...DMARC_ROWS, ...HOST_ROWS, ...PROVIDER_ROWS])(
    '$is: $found.0 is $found.1',
    async ({ zone = {}, setup, found: [id, verdict, message] }) => {
      const changed = Object.entries({ ...RIGHT_ZONE, ...zone }).filter((entry) => entry[1] !== null);
      const found = await judgements(Object.fromEntries(changed) as Zone, setup);
      const judged = found.find((one) => one.id === id && message.test(one.message));
      expect(judged, JSON.stringify(found.filter((one) => one.id === id))).toMatchObject({ verdict });
    },
  );

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
  const setupOf = (edit: (yaml: string) => string, env: NodeJS.ProcessEnv = {}) =>
    sendingSetup(
      sampleConfig((yaml) => edit(yaml.replace('transport: file', 'transport: smtp')), { env }),
      [],
    );

  it('names the domain of each sender once, in lower case', () => {
    const setup = setupOf((yaml) => yaml.replace('weekly@example.com', 'weekly@News.Example.com'));
    expect(setup.senders).toEqual(['example.com', 'news.example.com']);
  });

  it.each([
    ['smtps://user:secret@email-smtp.eu-west-1.amazonaws.com:465', 'feedback-smtp.eu-west-1.amazonses.com'],
    ['smtp://email-smtp-fips.us-east-1.amazonaws.com', 'feedback-smtp.us-east-1.amazonses.com'],
    ['smtp://mail.example.com', null],
  ])('finds the region of Amazon SES by its SMTP server: %s', (url, exchange) => {
    expect(setupOf((yaml) => yaml, { DAYWIRE_SMTP_URL: url }).feedbackExchange).toBe(exchange);
  });
});

function messageOf(found: Judgement[], wanted: string): string | undefined {
  return found.find(({ id }) => id === wanted)?.message;
}
