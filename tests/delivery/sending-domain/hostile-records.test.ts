import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeSetup } from '../../../src/delivery/sending-domain/judge-setup.ts';
import { MAIL_PROVIDERS } from '../../../src/delivery/sending-domain/mail-provider-dns.ts';
import { anyText } from '../../support/any-text.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';
import { OWN_SERVER } from './sending-zone.ts';

/** Texts that are almost SPF, DKIM and DMARC. */
const term = fc.constantFrom(
  ...[
    'include:bounces.example.com',
    'include:b.example.com',
    'redirect=b.example.com',
    'a',
    'mx//64',
    'a:/0',
    'ip4:1/2',
  ],
  ...['exists:%{i}._x.example.com', '-all', '+all', 'all:x', 'ptr', '=', 'exp=', ':', 'ip6:::/129', 'v=spf1', 'p=none'],
);
const terms = fc.array(fc.oneof(term, anyText(10)), { maxLength: 12 });
const text = fc.oneof(
  anyText(200),
  terms.map((words) => ['v=spf1', ...words].join(' ')),
  terms.map((words) => ['v=DMARC1', ...words].join(';')),
  terms.map((words) => ['v=DKIM1', 'p=MIIB', ...words].join('; ')),
);

const ALL_NAMES = [
  ...['bounces.example.com', 'b.example.com', 'news.example.com', '_dmarc.news.example.com', '_dmarc.example.com'],
  ...['rsa._domainkey.example.com', 'ed._domainkey.example.com', 's1._domainkey.news.example.com'],
];

describe('records of the sending domain that are no records', () => {
  it('never make the judgement throw, and every message is one line', async () => {
    const setups = [OWN_SERVER, { ...OWN_SERVER, provider: MAIL_PROVIDERS.sendgrid, signers: [] }];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(text, { maxLength: 3 }), { minLength: ALL_NAMES.length, maxLength: ALL_NAMES.length }),
        fc.constantFrom(...setups),
        async (texts, setup) => {
          const zone = Object.fromEntries(ALL_NAMES.map((name, index) => [name, { TXT: texts[index] ?? [] }]));
          const judgements = await judgeSetup(setup, zoneResolver(zone));
          expect(judgements.length).toBeGreaterThan(5);
          for (const { message } of judgements) expect(message).toMatch(/^[^\u0000-\u001f\u007f-\u009f]{1,1500}$/);
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each([
    ['SPF', 'bounces.example.com', `v=spf1 ${'a '.repeat(30_000)}`],
    ['SPF with a long term', 'bounces.example.com', `v=spf1 a:${'a.'.repeat(30_000)}`],
    ['DKIM', 'rsa._domainkey.example.com', `v=DKIM1; p=${'A'.repeat(60_000)}`],
    ['DKIM with many tags', 'rsa._domainkey.example.com', `v=DKIM1; p=;${'a=;'.repeat(20_000)}`],
    ['DMARC', '_dmarc.news.example.com', `v=DMARC1; p=none; rua=${'mailto:a@b.example,'.repeat(3_000)}`],
    ['DMARC of spaces', '_dmarc.news.example.com', `v${' '.repeat(60_000)}=DMARC1`],
  ])('are judged when they are as long as the DNS allows: %s', async (_, name, record) => {
    const judgements = await judgeSetup(OWN_SERVER, zoneResolver({ [name]: { TXT: [record] } }));
    expect(judgements.some(({ verdict }) => verdict === 'fail')).toBe(true);
  });

  it('cost a bounded number of look-ups, also when every record includes many others', async () => {
    let asked = 0;
    const many = Array.from({ length: 30 }, (_, index) => `include:${index}.example.com`).join(' ');
    const dns = zoneResolver({});
    const txt = async (name: string) => {
      asked += 1;
      const records = [`v=spf1 ${many.replaceAll('.example', `.${name.split('.')[0]}.example`)}`];
      return { kind: 'found' as const, records };
    };
    const judgements = await judgeSetup({ ...OWN_SERVER, addresses: [], signers: [] }, { ...dns, txt });
    expect(asked).toBeLessThan(60);
    expect(judgements.find(({ id }) => id === 'spf')?.verdict).toBe('fail');
  });
});
