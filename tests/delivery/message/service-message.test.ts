import fc from 'fast-check';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';
import { type ParsedMail, simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { NOW } from '../../../scripts/test-edition.ts';
import { readMailboxToken, readMessageToken, readPreferencesToken } from '../../../src/audience/tokens.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Signer } from '../../../src/core/keys.ts';
import { prepareServiceMessage, type ServiceMessage } from '../../../src/delivery/message/service-message.ts';
import type { OutgoingMessage } from '../../../src/delivery/transport/connection.ts';
import { BUILT_IN_TEMPLATES, openTemplates, type Templates } from '../../../src/lib/templates.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { expectGolden } from '../../support/golden.ts';
import { runs } from '../../support/run-scope.ts';
import { SECRETS } from '../../support/sample.ts';
import { testConfig } from '../fixture.ts';

const english = openTemplates(BUILT_IN_TEMPLATES, 'Asia/Shanghai');

function make(
  changes: Partial<ServiceMessage> = {},
  options: { config?: Config; signers?: Signer[]; templates?: Templates } = {},
): Promise<OutgoingMessage> {
  const message: ServiceMessage = {
    id: 3,
    kind: 'confirm',
    subscriberId: 7,
    email: 'Ada@bücher.example',
    tokenVersion: 2,
    newsletters: ['daily-roundup'],
    createdAt: NOW,
    expiresAt: NOW + 72 * HOUR,
    consent: null,
    ...changes,
  };
  const { config = testConfig(), signers = [], templates = english } = options;
  return prepareServiceMessage(message, { config, templates, secrets: SECRETS, signers });
}

const rawOf = ({ chunks }: OutgoingMessage): Buffer => Buffer.concat(chunks);
const parse = async (...args: Parameters<typeof make>): Promise<ParsedMail> => simpleParser(rawOf(await make(...args)));

const KINDS = ['confirm', 'already', 'preferences', 'export', 'erase'] as const;

describe.each(KINDS)('the service message %s', (kind) => {
  it('has the same bytes for each attempt, and those of the golden file', async () => {
    const message = await make({ kind });
    expect(rawOf(await make({ kind }))).toEqual(rawOf(message));
    expect(message).toMatchObject({ newsletter: 'service', slot: '2026-11-24-3', from: 'roundup@example.com' });
    expect(message.to).toBe('Ada@xn--bcher-kva.example');
    expectGolden(`delivery/service-${kind}.eml`, rawOf(message).toString('latin1'));
  });

  it('is valid for html-validate and loads no resources', async () => {
    const { html } = await parse({ kind });
    const loader = new StaticConfigLoader({ root: true, extends: ['html-validate:a11y'], elements: ['html5'] });
    const report = await new HtmlValidate(loader).validateString(html || '');
    expect(report.results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => [ruleId, message]))).toEqual(
      [],
    );
    expect(html).not.toMatch(/\ssrc=|url\(|@import|<script|<link|<form|<img/i);
  });
});

describe('prepareServiceMessage', () => {
  it('links to the confirmation, in its text and its HTML', async () => {
    const mail = await parse();
    const links = [...`${mail.text}\n${mail.html}`.matchAll(/https:\/\/news\.example\/confirm\/([\w.-]+)/g)].map(
      ([, t]) => t,
    );
    expect(links).toHaveLength(4);
    expect(new Set(links).size).toBe(1);
    expect(readMessageToken(SECRETS, 'confirm', links[0] ?? '')).toEqual({ messageId: 3, subscriberId: 7 });
  });

  it('has sender, postal address and imprint of the newsletter that was requested', async () => {
    const config = testConfig();
    const own = {
      from: { name: 'Weekly', email: 'weekly@example.com' },
      postalAddress: '2 Own Road',
      imprint: '/own.md',
    };
    const newsletters = config.newsletters.map((one) => ({ ...one, ...own }));
    const mail = await parse({}, { config: { ...config, newsletters } });
    expect(mail.from?.text).toBe('"Weekly" <weekly@example.com>');
    for (const part of [mail.text, mail.html]) {
      expect(part).toContain('2 Own Road');
      expect(part).toContain(`https://news.example/imprint/${newsletters[0]?.id}`);
      expect(part).toContain('https://news.example/privacy');
      expect(part).not.toContain(config.publication.postalAddress);
    }
  });

  it('shows the wording that the request was made with, as text, if there is one', async () => {
    const consent = 'I want <b>news</b> & nothing else.';
    const { text, html } = await parse({ consent });
    expect(text).toContain(`With the confirmation you agree to this:\n\n${consent}\n\nTo confirm, open this link`);
    expect(html).toContain('I want &lt;b&gt;news&lt;/b&gt; &amp; nothing else.');
    const without = await parse();
    expect(without.text).toContain('\n\nTo confirm, open this link');
    expect(`${without.text}${without.html}`).not.toContain('you agree');
  });

  it('links to the preferences if the subscription exists already', async () => {
    const mail = await parse({ kind: 'already' });
    const token = /https:\/\/news\.example\/preferences\/([\w.-]+)/.exec(mail.text ?? '')?.[1] ?? '';
    expect(readPreferencesToken(SECRETS, token)).toEqual({ subscriberId: 7, version: 2, expiresAt: NOW + 30 * DAY });
  });

  it.each(['export', 'erase'] as const)('links to nothing but the page for the %s, for an hour', async (act) => {
    const mail = await parse({ kind: act, expiresAt: NOW + HOUR });
    const links = [...`${mail.text}\n${mail.html}`.matchAll(/https:\/\/news\.example\/([^\s"<]*)/g)]
      .map(([, to]) => to)
      .filter((to) => to !== 'imprint' && to !== 'privacy');
    expect(new Set(links).size).toBe(1);
    const token = new RegExp(`^account/${act}/(.+)$`).exec(links[0] ?? '')?.[1] ?? '';
    expect(readMessageToken(SECRETS, act, token)).toEqual({ messageId: 3, subscriberId: 7 });
  });

  it('mails a link to a subscriber none of whose newsletters is configured any more', async () => {
    for (const kind of ['preferences', 'export', 'erase'] as const) {
      expect((await make({ kind, newsletters: ['gone'] })).from).toBe('roundup@example.com');
    }
  });

  it('sets a return path with a token if a bounce mailbox is configured', async () => {
    const config = testConfig();
    const bounces = { ...config.bounces, address: 'bounces@example.com' };
    const { from } = await make({}, { config: { ...config, bounces } });
    const token = /^bounces\+(\w{40})@example\.com$/.exec(from)?.[1] ?? '';
    expect(readMailboxToken(SECRETS, token)).toEqual({ purpose: 'service-bounce', messageId: 3, subscriberId: 7 });
  });

  it('names the newsletters that are still configured, and fails if there are none', async () => {
    expect((await parse({ newsletters: ['gone', 'daily-roundup'] })).text).toContain('The Daily Roundup');
    await expect(make({ newsletters: ['gone'] })).rejects.toThrow('the newsletters gone are no longer configured');
  });

  it('is in the language of the publication, and isolates names and addresses in the other direction', async () => {
    const config = testConfig();
    const ar = {
      'mail.confirm.subject': 'يرجى تأكيد اشتراكك في {publication}',
      'mail.requested': 'طلب اشتراك <strong>{email}</strong> في:',
      'mail.imprint': 'الناشر: {address}',
      'mail.contact': 'للتواصل: {name} (<link>{email}</link>)',
    };
    const publication = { ...config.publication, language: 'ar' };
    const arabic = { ...config, publication, ownMessages: { ar } };
    const own = openTemplates(BUILT_IN_TEMPLATES, 'Asia/Shanghai', arabic.ownMessages);
    const { subject, text, html } = await parse({}, { config: arabic, templates: own });
    expect(subject).toBe('يرجى تأكيد اشتراكك في \u2068The Meridian Wire\u2069');
    expect(text).toContain('طلب اشتراك \u2068Ada@bücher.example\u2069 في:');
    // Programs that find links in plain text take isolates for a part of them.
    expect(text).toContain('الناشر: https://news.example/imprint\n');
    expect(html).toContain('<html lang="ar" dir="rtl">');
    expect(html).toContain('طلب اشتراك <strong><bdi>Ada@bücher.example</bdi></strong> في:');
    expect(html).toContain('<bdi>newsroom@example.com</bdi></a>)');
    expect(html).toContain('align="right"');
    expect(html).not.toContain('letter-spacing');
  });

  it('is in the language of the newsletters that were requested, if they have the same', async () => {
    const config = testConfig();
    const he = { 'mail.confirm.title': 'אשרו את ההרשמה' };
    const [first] = config.newsletters;
    const hebrew = { ...first, language: 'he', title: 'הסיכום' } as Config['newsletters'][number];
    const weekly = { ...hebrew, id: 'weekly', language: 'en', title: 'The Week' };
    const own = openTemplates(BUILT_IN_TEMPLATES, 'Asia/Shanghai', { he });
    const options = { config: { ...config, newsletters: [hebrew, weekly] }, templates: own };
    const one = await parse({ consent: 'I agree.' }, options);
    expect(one.html).toContain('<html lang="he" dir="rtl">');
    expect(one.html).toContain('אשרו את ההרשמה</h1>');
    expect(one.html).toContain('<strong>הסיכום</strong>');
    expect(one.html).toContain('<span lang="en" dir="ltr">I agree.</span>');
    const both = await parse({ newsletters: ['daily-roundup', 'weekly'] }, options);
    expect(both.html).toContain('<html lang="en" dir="ltr">');
    expect(both.html).toContain('<strong><span lang="he" dir="rtl">הסיכום</span></strong>');
    expect(both.html).toContain('<strong>The Week</strong>');
  });

  it('makes one well-formed message, whatever the configured names contain', async () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }),
      fc.constantFrom(
        '"><script>alert(1)</script>',
        'A\r\nBcc: eve@example.com',
        '{{ site.url }}',
        '=?utf-8?Q?a?=',
        '三星'.repeat(40),
        'שלום',
      ),
    );
    const plain = await parse();
    // Names in the other direction are isolated.
    const isolation = /<\/?bdi(?: dir="\w+")?>/g;
    const count = (html: string | false | undefined): number =>
      (html || '').replaceAll(isolation, '').split(/[<>"]/).length;
    await fc.assert(
      fc.asyncProperty(hostile, async (name) => {
        const config = testConfig();
        const { publication, newsletters } = config;
        const changed = {
          ...config,
          publication: { ...publication, name, postalAddress: name },
          newsletters: newsletters.map((one) => ({ ...one, title: name, description: name })),
        };
        const raw = rawOf(await make({}, { config: changed }));
        const mail = await simpleParser(raw);
        expect(count(mail.html)).toBe(count(plain.html));
        expect([...mail.headers.keys()]).toEqual([...plain.headers.keys()]);
        expect(raw.toString('latin1')).not.toMatch(/^\.|[^\t\r\n\u0020-\u007e]/m);
      }),
      { numRuns: runs(60) },
    );
  });
});
