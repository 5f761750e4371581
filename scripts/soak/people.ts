/**
 * People who subscribe through the pages, with the link of the message that they received, and of whom some leave.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/lib/time.ts';
import type { AcceptedMessage } from '../counting-sink.ts';

/** Longer than the lease of a message that a process had claimed when it was killed. */
const MAIL_TIMEOUT = 150 * SECOND;

export interface Person {
  email: string;
  /** Instants of the last response before the change and of the one that confirmed it, epoch milliseconds. */
  confirmed: { after: number; by: number } | null;
  left: { after: number; by: number } | null;
}

/** What the mail server received: confirmation links and copies of editions. */
export class Mailbox {
  readonly #links = new Map<string, string>();
  /** The Message-IDs of editions by recipient, in order of arrival. */
  readonly editions = new Map<string, string[]>();
  readonly unsubscribeLinks = new Map<string, string>();

  receive({ recipient, messageId, text }: AcceptedMessage): void {
    const unsubscribe = /^List-Unsubscribe:[^<]*<(http[^>]+)>/m.exec(text.replace(/\r\n[ \t]/g, ''))?.[1];
    if (unsubscribe !== undefined) {
      this.unsubscribeLinks.set(recipient, unsubscribe);
      this.editions.set(recipient, [...(this.editions.get(recipient) ?? []), messageId]);
      return;
    }
    const link = /http:\/\/\S+\/confirm\/[\w.~-]+/.exec(decodeQuotedPrintable(text))?.[0];
    if (link !== undefined) this.#links.set(recipient, link);
  }

  /** Waits for the newest link to confirm. @returns null where none arrives in time */
  async linkFor(recipient: string): Promise<string | null> {
    for (const end = performance.now() + MAIL_TIMEOUT; performance.now() < end; await sleep(100)) {
      const link = this.#links.get(recipient);
      if (link !== undefined) return link;
    }
    return null;
  }
}

/** Signs up one person. A step that fails, because the process was killed, is tried again as a person would. */
export async function signUp(url: string, mailbox: Mailbox, number: number): Promise<Person> {
  const person: Person = { email: `person${number}@domain${number}.example`, confirmed: null, left: null };
  // From the networks for benchmarks (RFC 2544), because one network may sign up only so many people an hour.
  const address = `198.${18 + (Math.floor(number / 256) % 2)}.${number % 256}.7`;
  const headers = { 'X-Forwarded-For': address, Origin: url };
  const page = await untilResponse(() => fetch(`${url}/newsletters`));
  const newsletter = /name="newsletter" value="([^"]+)"/.exec(page.text)?.[1];
  if (newsletter === undefined) throw new Error('the page of newsletters has no form');
  const body = new URLSearchParams({ email: person.email, newsletter });
  const requested = await untilResponse(() => fetch(`${url}/subscribe`, { method: 'POST', body, headers }));
  if (requested.status !== 200) throw new Error(`/subscribe responded with ${requested.status} to ${person.email}`);
  const link = await mailbox.linkFor(person.email);
  if (link === null) return person;
  await untilResponse(() => fetch(link));
  const after = Date.now();
  const confirmed = await untilResponse(() => fetch(link, { method: 'POST', headers: { Origin: url } }));
  if (confirmed.status !== 200) throw new Error(`${link} responded with ${confirmed.status}`);
  person.confirmed = { after, by: Date.now() };
  return person;
}

/** Unsubscribes by the link of the last edition, as a mail program does. */
export async function leave(mailbox: Mailbox, person: Person): Promise<void> {
  const link = mailbox.unsubscribeLinks.get(person.email);
  if (link === undefined || person.left !== null) return;
  const after = Date.now();
  person.left = { after, by: Number.POSITIVE_INFINITY };
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
  const { status } = await untilResponse(() => fetch(link, { method: 'POST', body }));
  if (status !== 200) throw new Error(`the unsubscribe link of ${person.email} responded with ${status}`);
  person.left.by = Date.now();
}

/** Tries again after a broken connection: the process was killed. @throws after a minute */
export async function untilResponse(request: () => Promise<Response>): Promise<{ status: number; text: string }> {
  for (const end = performance.now() + 60 * SECOND; ; await sleep(200)) {
    try {
      const response = await request();
      return { status: response.status, text: await response.text() };
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

function decodeQuotedPrintable(text: string): string {
  return text.replaceAll('=\r\n', '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}
