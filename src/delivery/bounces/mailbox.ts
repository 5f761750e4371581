/**
 * Looks through an IMAP mailbox for what came back. A message is moved only after it was acted on, and acting twice changes nothing
 * more: a crash in between costs nothing.
 */
import type { ImapFlow } from 'imapflow';
import type { Config } from '../../config/config.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import type { SigningSecrets } from '../../subscribers/tokens/secret.ts';
import { handleIncomingMail, INCOMING_LIMIT, type MailOutcome } from './mail.ts';

/** How many messages were taken in, and what came of them. */
export type MailPollReport = Record<'messages' | MailOutcome['kind'], number>;

/** Why a mailbox cannot be looked through, said for an operator. Never holds its password. */
class MailboxError extends Error {
  override name = 'MailboxError';
}

/** Where what was acted on goes. */
const DONE_FOLDER = 'daywire-processed';
/** Where what a person should look at goes. */
const UNCLEAR_FOLDER = 'daywire-unknown';

const CONNECT_WITHIN = 30 * SECOND;
const ANSWER_WITHIN = 60 * SECOND;

/**
 * Acts on all unread messages of the mailbox of DAYWIRE_IMAP_URL, then marks them as read and moves them to one of two folders
 * beside it. Where no mailbox is set it does nothing.
 * @param options.signal ends it between two messages
 * @throws MailboxError where the server cannot be reached, or refuses; and where the store fails
 */
export async function pollMailbox(
  store: Store,
  config: Pick<Config, 'bounces' | 'secrets'>,
  secrets: SigningSecrets,
  options: { clock: Clock; signal?: AbortSignal | undefined },
): Promise<MailPollReport> {
  const report: MailPollReport = { messages: 0, bounced: 0, unsubscribed: 0, ignored: 0, forged: 0, unclear: 0 };
  const { imapUrl } = config.secrets;
  const { clock, signal } = options;
  if (imapUrl === undefined || signal?.aborted) return report;
  const url = new URL(imapUrl);
  await withMailbox(url, signal, async (mailbox) => {
    for (const uid of await unread(mailbox)) {
      if (signal?.aborted) return;
      const raw = await readMessage(mailbox, uid);
      // Another process may have taken it meanwhile.
      if (raw === null) continue;
      const outcome = await handleIncomingMail(store, config, secrets, raw, {}, clock());
      report.messages += 1;
      report[outcome.kind] += 1;
      await putAway(mailbox, uid, outcome);
    }
  });
  return report;
}

/** Logs in and opens the mailbox, and changes nothing. @throws MailboxError where it cannot be looked through */
export function verifyMailbox(imapUrl: string): Promise<void> {
  return withMailbox(new URL(imapUrl), undefined, async () => {});
}

interface Mailbox {
  client: ImapFlow;
  /** Waits for a command of the client. @throws MailboxError where it fails */
  ask<T>(command: Promise<T>): Promise<T>;
}

async function withMailbox(
  url: URL,
  signal: AbortSignal | undefined,
  body: (mailbox: Mailbox) => Promise<void>,
): Promise<void> {
  const client = await openClient(url);
  if (signal?.aborted) return;
  // Each command reports its own error; without a listener this event would end the process.
  client.on('error', () => {});
  const stop = (): void => client.close();
  signal?.addEventListener('abort', stop);
  const ask = <T>(command: Promise<T>): Promise<T> =>
    command.catch((error: unknown) => {
      throw new MailboxError(`the mailbox at ${url.protocol}//${url.host} cannot be read: ${wordsOf(error)}`);
    });
  try {
    await ask(client.connect());
    await ask(client.mailboxOpen(decodeURIComponent(url.pathname.slice(1)) || 'INBOX'));
    await body({ client, ask });
    await ask(client.logout());
  } catch (error) {
    // Stopped while it waited for the server: what was not put away is looked at again.
    if (!(signal?.aborted && error instanceof MailboxError)) throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    client.close();
  }
}

async function openClient(url: URL): Promise<ImapFlow> {
  // Loading it takes a sixth of a second, which every command but two would wait for in vain.
  const { ImapFlow } = await import('imapflow');
  const secure = url.protocol === 'imaps:';
  // As with SMTP: a password goes in clear to this machine alone.
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return new ImapFlow({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 993 : 143) : Number(url.port),
    secure,
    ...(!secure && { doSTARTTLS: !local }),
    auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: CONNECT_WITHIN,
    greetingTimeout: CONNECT_WITHIN,
    socketTimeout: ANSWER_WITHIN,
    maxLiteralSize: 2 * INCOMING_LIMIT,
    maxResponseSize: 4 * INCOMING_LIMIT,
  });
}

function wordsOf(error: unknown): string {
  const { responseText, code, message } = error as { responseText?: string; code?: string; message?: string };
  return responseText || [message, code].filter(Boolean).join(', ');
}

// What a person has read there is left alone.
async function unread({ client, ask }: Mailbox): Promise<number[]> {
  const found = await ask(client.search({ seen: false }, { uid: true }));
  return (found || []).sort((a, b) => a - b);
}

/** The head of a message, up to a limit, without marking it as read; null where it is gone. */
async function readMessage({ client, ask }: Mailbox, uid: number): Promise<Buffer | null> {
  const source = { start: 0, maxLength: INCOMING_LIMIT };
  const found = await ask(client.fetchOne(String(uid), { source }, { uid: true }));
  return found === false ? null : (found.source ?? null);
}

/** Read it is in any case: where no folder can be made, it stays where it is and is not looked at again. */
async function putAway({ client, ask }: Mailbox, uid: number, outcome: MailOutcome): Promise<void> {
  await ask(client.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true }));
  const folder = outcome.kind === 'unclear' || outcome.kind === 'forged' ? UNCLEAR_FOLDER : DONE_FOLDER;
  try {
    await ask(client.mailboxCreate(folder));
    await ask(client.messageMove(String(uid), folder, { uid: true }));
  } catch (error) {
    if (!client.usable) throw error;
  }
}
