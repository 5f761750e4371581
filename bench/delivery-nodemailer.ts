/**
 * The comparison: nodemailer's pooled and signed transport.
 */
import { readFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import type { Config } from '../src/core/config/config.ts';
import type { Store } from '../src/core/store/store.ts';
import { type Edition, findEditionById } from '../src/editions/queries.ts';
import { keyFile, newsletterOf, SELECTOR } from './delivery-config.ts';

interface Sending {
  folder: string;
  smtpUrl: string;
  connections: number;
  warmUp: number;
  messages: number;
}

/**
 * Sends the store's edition with nodemailer alone: pooled, signed, with HTML and text filled in for each recipient.
 * @returns messages per second after the warm-up
 */
export async function sendByNodemailer(
  store: Store,
  config: Config,
  { warmUp, messages, folder, smtpUrl, connections }: Sending,
): Promise<number> {
  const edition = await theEdition(store);
  const newsletter = newsletterOf(config);
  const { address: from, domain } = senderOf(newsletter.from.email);
  const { hostname, port } = new URL(smtpUrl);
  const transport = createTransport({
    host: hostname,
    port: Number(port),
    pool: true,
    maxConnections: connections,
    maxMessages: Number.POSITIVE_INFINITY,
    dkim: { domainName: domain, keySelector: SELECTOR, privateKey: readFileSync(keyFile(folder), 'utf8') },
  });
  const send = (n: number): Promise<unknown> => {
    const links = {
      unsubscribe: `https://news.example.com/unsubscribe/${n}`,
      preferences: `https://news.example.com/p/${n}`,
    };
    const fill = (text: string): string =>
      Object.entries(links).reduce((left, [slot, url]) => left.replaceAll(`%%${edition.nonce}:${slot}%%`, url), text);
    return transport.sendMail({
      from: { name: newsletter.from.name, address: from },
      to: `subscriber${n}@domain${n % 100}.example.com`,
      envelope: { from: `bounces+${n}@${domain}`, to: `subscriber${n}@domain${n % 100}.example.com` },
      subject: edition.subject,
      html: fill(edition.html),
      text: fill(edition.text),
      headers: {
        'List-ID': `${newsletter.title} <${newsletter.id}.${domain}>`,
        'List-Unsubscribe': `<${links.unsubscribe}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        'Feedback-ID': `${edition.slot}:${newsletter.id}:daywire:${domain}`,
        'Auto-Submitted': 'auto-generated',
        Precedence: 'bulk',
      },
    });
  };
  let next = 0;
  const sendUpTo = (last: number): Promise<unknown> =>
    // Twice as many concurrent messages as connections, so that no connection waits for one.
    Promise.all(
      Array.from({ length: 2 * connections }, async () => {
        while (next < last) await send(next++);
      }),
    );
  await sendUpTo(warmUp);
  const start = performance.now();
  await sendUpTo(warmUp + messages);
  const perSecond = messages / ((performance.now() - start) / 1_000);
  transport.close();
  return perSecond;
}

function senderOf(address: string): { address: string; domain: string } {
  return { address, domain: address.slice(address.lastIndexOf('@') + 1) };
}

async function theEdition(store: Store): Promise<Edition> {
  const { id } = await store.db.selectFrom('editions').select('id').orderBy('id').executeTakeFirstOrThrow();
  const edition = await findEditionById(store.db, id);
  if (edition === null) throw new Error('no edition has been closed');
  return edition;
}
