import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { ed25519Signer, rsaSigner, verify } from '../../../scripts/dkim-verifier.ts';
import { testEdition } from '../../../scripts/test-edition.ts';
import { prepareTestCopy } from '../../../src/delivery/message/test-copy.ts';
import { placeholder } from '../../../src/editions/rendering/placeholders.ts';
import { testConfig } from '../fixture.ts';

const config = testConfig();
const newsletter = config.newsletters[0]!;

function make(nonce = '0123456789abcdef', to = 'me@example.com', settings = config) {
  const links = ['preferences', 'unsubscribe'].map((name) => placeholder(nonce, name));
  const html = `<p>Battery makers <a href="${links[0]}">Preferences</a> <a href="${links[1]}">Unsubscribe</a></p>`;
  const composed = { ...testEdition(), nonce, html, text: `Battery makers\n${links.join('\n')}\n` };
  return prepareTestCopy(composed, newsletter, settings, [rsaSigner(), ed25519Signer()], {
    to,
    at: Date.UTC(2026, 10, 24),
  });
}

describe('a test copy', () => {
  it('is marked, looks like the edition, and its personal links lead to the page of newsletters', async () => {
    const message = await make();
    const mail = await simpleParser(Buffer.concat(message.chunks));
    expect(mail.subject).toBe('[Test] Tech Roundup: Battery Makers Cut Prices, Chips Go East');
    const url = 'https://news.example/newsletters';
    expect(mail.html).toBe(`<p>Battery makers <a href="${url}">Preferences</a> <a href="${url}">Unsubscribe</a></p>`);
    expect(mail.text).toBe(`Battery makers\n${url}\n${url}\n`);
    expect(message).toMatchObject({ to: 'me@example.com', from: 'roundup@example.com' });
  });

  it('has no List-Unsubscribe and no Feedback-ID field', async () => {
    const [head = ''] = Buffer.concat((await make()).chunks)
      .toString('latin1')
      .split('\r\n\r\n', 1);
    expect(head).not.toMatch(/^(List-Unsubscribe|Feedback-ID)/m);
    expect(head).toMatch(/^List-ID: /m);
  });

  it('is not tracked by a mail provider, and has no token', async () => {
    const { chunks } = await make(undefined, undefined, testConfig({ delivery: { provider: 'sendgrid' } }));
    const raw = Buffer.concat(chunks).toString();
    expect(raw).toContain('clicktrack');
    expect(raw).not.toContain('unique_args');
  });

  it('is signed like the edition', async () => {
    expect((await verify(await make())).map(({ result }) => result)).toEqual(['pass', 'pass']);
  });

  it('has a different Message-ID each time', async () => {
    const copies = await Promise.all([make(), make('fedcba9876543210'), make(undefined, 'you@example.com')]);
    const ids = copies.map(({ chunks }) => /^Message-ID: (\S+)/m.exec(Buffer.concat(chunks).toString())?.[1]);
    expect(new Set(ids).size).toBe(3);
  });

  it('rejects an invalid address', async () => {
    expect(() => make(undefined, 'nobody')).toThrow(/the address "nobody" is invalid: it has no @/);
  });
});
