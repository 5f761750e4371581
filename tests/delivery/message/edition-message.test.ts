import { describe, expect, it } from 'vitest';
import { ed25519Signer, rsaSigner, verify } from '../../../scripts/dkim-verifier.ts';
import { NOW, testEdition } from '../../../scripts/test-edition.ts';
import {
  newsletterTag,
  readMailboxToken,
  readPreferencesToken,
  readUnsubscribeAddressToken,
  readUnsubscribeToken,
} from '../../../src/audience/tokens.ts';
import { filledSize } from '../../../src/editions/rendering/size-limit.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { expectGolden } from '../../support/golden.ts';
import { SECRETS } from '../../support/sample.ts';
import { testConfig } from '../fixture.ts';
import { ADA, type Changes, headersOf, makerOf, NONCE, parsed, rawMessage, rawOf, withBothLinks } from './messages.ts';

describe('the copy of an edition', () => {
  it('has the same bytes for each attempt, and those of the golden file', async () => {
    const changes = { bounces: 'bounces@example.com', replyTo: 'desk@example.com', edition: withBothLinks() };
    const message = await makerOf(changes)(ADA);
    const raw = rawOf(message);
    expect(message.size).toBe(raw.length);
    expect(await rawMessage(changes)).toEqual(raw);
    expectGolden('delivery/message.eml', raw.toString('latin1'));
  });

  it('contains the recipient’s links in its text and its HTML', async () => {
    const mail = await parsed({ edition: withBothLinks() });
    for (const part of [mail.text ?? '', mail.html || '']) {
      const [, unsubscribe = ''] = /https:\/\/news\.example\/unsubscribe\/(\S+?)(?=["\s])/.exec(part) ?? [];
      const [, preferences = ''] = /https:\/\/news\.example\/preferences\/(\S+?)(?=["\s])/.exec(part) ?? [];
      expect(readUnsubscribeToken(SECRETS, unsubscribe)).toEqual({ subscriberId: 7, newsletter: 'daily-roundup' });
      expect(readPreferencesToken(SECRETS, preferences)).toEqual({
        subscriberId: 7,
        version: 3,
        expiresAt: testEdition().closedAt + 30 * DAY,
      });
    }
  });

  it('has the date when it was due, which may be after the close, and a signature of the close', async () => {
    const expiresAt = NOW + 33 * HOUR;
    const recipient = { ...ADA, expiresAt };
    expect((await parsed({}, recipient)).date?.getTime()).toBe(
      expiresAt - testConfig().newsletters[0]!.expireAfterHours * HOUR,
    );
    const signed = (await rawMessage({ signers: [ed25519Signer()] }, recipient)).toString();
    expect(signed).toContain(` t=${NOW / 1_000};`);
    // Not in the future, also if expireAfterHours was lowered after it was queued.
    expect((await parsed({}, { ...recipient, now: NOW + HOUR })).date?.getTime()).toBe(NOW + HOUR);
    // Never before the close, even if expireAfterHours was raised after it was queued.
    expect((await parsed({}, { ...ADA, expiresAt: NOW })).date?.getTime()).toBe(NOW);
  });

  it('has a Feedback-ID of edition, newsletter and a sender of 5 to 15 characters', async () => {
    const feedback = async (changes: Changes = {}): Promise<string | undefined> =>
      headersOf(await rawMessage(changes)).find((line) => line.startsWith('Feedback-ID: '));
    expect(await feedback()).toBe('Feedback-ID: daily-roundup-2026-11-24:daily-roundup:daywire:example.com');
    expect(await feedback({ edition: { revision: 2 } })).toBe(
      'Feedback-ID: daily-roundup-2026-11-24-r2:daily-roundup:daywire:example.com',
    );
    expect(await feedback({ from: 'wire@news.long-name.example' })).toMatch(/:daywire:[0-9a-f]{15}$/);
    expect(await feedback({ from: 'wire@news.long-name.example' })).not.toBe(
      await feedback({ from: 'wire@news.other-name.example' }),
    );
  });

  it('offers one-click unsubscribing only over https (RFC 8058)', async () => {
    expect(headersOf(await rawMessage())).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    const plain = headersOf(await rawMessage({ url: 'http://127.0.0.1:8080' }));
    expect(plain.join('\n')).not.toContain('List-Unsubscribe-Post');
    expect(plain.join('\n')).toMatch(/^List-Unsubscribe: <http:\/\/127\.0\.0\.1:8080\/unsubscribe\/v2\.[^>]+>$/m);
  });

  it('has its own return path and mailto: unsubscribe address if a bounce mailbox is configured', async () => {
    const message = await makerOf({ bounces: `${'b'.repeat(23)}@bücher.example` })(ADA);
    const [local = '', domain] = message.from.split('@');
    expect(domain).toBe('xn--bcher-kva.example');
    expect(local.length).toBe(64);
    const token = local.slice(local.lastIndexOf('+') + 1);
    expect(readMailboxToken(SECRETS, token)).toEqual({ purpose: 'bounce', editionId: 1, subscriberId: 7 });
    const list = headersOf(rawOf(message)).find((line) => line.startsWith('List-Unsubscribe: ')) ?? '';
    const mailto = /, <mailto:b+\+(\w+)@xn--bcher-kva\.example\?subject=unsubscribe>$/.exec(list)?.[1] ?? '';
    expect(readUnsubscribeAddressToken(SECRETS, mailto)).toEqual({
      subscriberId: 7,
      newsletterTag: newsletterTag('daily-roundup'),
    });
  });

  it('has the sender’s address as return path if no bounce mailbox is configured', async () => {
    const message = await makerOf()(ADA);
    expect([message.from, message.to]).toEqual(['roundup@example.com', 'Ada@xn--bcher-kva.example']);
    expect(rawOf(message).toString()).not.toContain('mailto:');
  });

  it('has a Message-ID that is unique for recipient and edition and reveals neither', async () => {
    const ids = await Promise.all([
      parsed(),
      parsed({}, { ...ADA, subscriberId: 8 }),
      parsed({ edition: { slot: '2026-11-25' } }),
    ]);
    expect(new Set(ids.map((mail) => mail.messageId)).size).toBe(3);
    for (const { messageId } of ids) expect(messageId).toMatch(/^<[0-9a-f]{40}@example\.com>$/);
  });

  it('names the revision from revision 2 on, in the Message-ID and the name of its file', async () => {
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map(async (revision) => (await parsed({ edition: { revision } })).messageId as string),
    );
    // As before there were revisions: a delivery that is retried after an update must have the same one.
    expect(first).toBe('<6c094eb1fbbca0eb929529661ee6bf58944dce0b@example.com>');
    expect(second).toBe(first?.replace('@', '.r2@'));
    expect(third).toBe(first?.replace('@', '.r3@'));
    const slots = [1, 2].map(async (revision) => (await makerOf({ edition: { revision } })(ADA)).slot);
    expect(await Promise.all(slots)).toEqual(['2026-11-24', '2026-11-24-r2']);
  });

  it('cannot be made without the unsubscribe link', async () => {
    await expect(rawMessage({ edition: { html: '<p>No way out</p>' } })).rejects.toThrow('unsubscribe');
    await expect(rawMessage({ edition: { text: 'No way out' } })).rejects.toThrow('unsubscribe');
  });

  it('cannot be made for an invalid address', async () => {
    for (const email of [
      '',
      'eve',
      'a@b.example\r\nBcc: eve@example.com',
      'a b@example.com',
      'a@example.com, eve@example.com',
    ]) {
      await expect(rawMessage({}, { ...ADA, email })).rejects.toThrow('address');
    }
  });

  it('has at most the size of HTML that the edition was measured with, for any publication URL', async () => {
    const edition = { ...withBothLinks(), newsletter: 'n'.repeat(64) };
    for (const url of ['https://news.example', `https://bücher.example/${'übersicht'.repeat(40)}`]) {
      const { html } = await parsed({ edition, url }, { ...ADA, subscriberId: 2 ** 48 - 1 });
      const measured = filledSize(edition.html, NONCE, url);
      expect(Buffer.byteLength(html || '')).toBeLessThanOrEqual(measured);
    }
  });
});

describe('a signed copy', () => {
  it('is verified by another implementation for both kinds of keys, with all fields covered', async () => {
    const message = await makerOf({
      bounces: 'bounces@example.com',
      replyTo: 'desk@example.com',
      edition: { ...withBothLinks(), subject: `A “long” subject: ${'三星 Battery '.repeat(20)}` },
      signers: [rsaSigner(), ed25519Signer()],
    })(ADA);
    const signatures = await verify(message);
    expect(signatures.map(({ algorithm, result, aligned }) => [algorithm, result, aligned])).toEqual([
      ['rsa-sha256', 'pass', true],
      ['ed25519-sha256', 'pass', true],
    ]);
    const names = headersOf(rawOf(message)).map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
    const others = names.filter((name) => name !== 'dkim-signature');
    for (const { covers } of signatures) expect(covers).toEqual(expect.arrayContaining(others));
  });
});
