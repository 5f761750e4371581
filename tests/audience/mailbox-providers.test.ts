import { expect, it } from 'vitest';
import {
  isLargeProvider,
  MAILBOX_PROVIDERS,
  mailboxProviderById,
  mailboxProviderOf,
} from '../../src/audience/mailbox-providers.ts';

it('knows who runs the mailboxes of a domain', () => {
  const of = (domain: string) => mailboxProviderOf(domain)?.id ?? null;
  expect(
    ['gmail.com', 'googlemail.com', 'aol.com', 'hotmail.co.uk', 'web.de', 'foxmail.com', '126.com'].map(of),
  ).toEqual([...['gmail', 'gmail', 'yahoo', 'microsoft', 'gmx', 'qq', 'netease']]);
  // Run by another company.
  expect(of('yahoo.co.jp')).toBe('yahoo-japan');
  expect(['example.com', 'mail.gmail.com', '', 'constructor'].map(of)).toEqual([null, null, null, null]);
  expect(mailboxProviderById('apple')?.domains).toContain('me.com');
  expect(mailboxProviderById('toString')).toBeNull();
});

it('names each domain and each mailbox provider once, in the form in which addresses are compared', () => {
  const domains = MAILBOX_PROVIDERS.flatMap((one) => one.domains);
  expect(domains.length).toBeGreaterThan(100);
  expect(new Set(domains).size).toBe(domains.length);
  expect(domains.filter((domain) => !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain))).toEqual([]);
  const ids = MAILBOX_PROVIDERS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z-]+$/.test(id))).toEqual([]);
});

it('counts all of their domains, and some more, as large ones', () => {
  expect(MAILBOX_PROVIDERS.every((one) => one.domains.every(isLargeProvider))).toBe(true);
  expect([isLargeProvider('posteo.de'), isLargeProvider('example.com')]).toEqual([true, false]);
});
