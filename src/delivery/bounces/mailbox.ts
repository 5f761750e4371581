/**
 * Polls an IMAP mailbox for bounces, complaints and unsubscribe requests. A message is moved only after it was handled,
 * and handling it again changes nothing, so a crash in between does no harm.
 */
import type { ImapFlow } from 'imapflow';
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import type { Store } from '../../core/store/store.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import { tlsFailure } from '../transport/tls-failure.ts';
import { handleIncomingMail, INCOMING_LIMIT, type MailOutcome } from './mail.ts';

/** Number of messages, in total and by outcome. */
export type MailboxResult = Record<'messages' | MailOutcome['kind'], number>;

/** Why a mailbox cannot be read, for the operator. Never contains its password. */
class MailboxError extends Error {
  override name = 'MailboxError';
}

/** Receives messages that were handled. */
const PROCESSED_FOLDER = 'daywire-processed';
/** Receives messages that an operator should read. */
const UNKNOWN_FOLDER = 'daywire-unknown';

const CONNECT_TIMEOUT = 30 * SECOND;
const RESPONSE_TIMEOUT = 60 * SECOND;

/**
 * Handles all unread messages of the mailbox that DAYWIRE_IMAP_URL names, marks them as read and moves them to one of
 * two folders. Does nothing if no mailbox is set.
 * @param options.signal stops it between two messages
 * @throws MailboxError if the server cannot be reached or refuses a command
 */
export async function pollMailbox(
  store: Store,
  config: Pick<Config, 'bounces' | 'secrets'>,
  secrets: SigningSecrets,
  options: { clock: Clock; signal?: AbortSignal | undefined },
): Promise<MailboxResult> {
  const result: MailboxResult = { messages: 0, bounced: 0, unsubscribed: 0, ignored: 0, forged: 0, unclear: 0 };
  const { imapUrl } = config.secrets;
  const { clock, signal } = options;
  if (imapUrl === undefined || signal?.aborted) return result;
  const url = new URL(imapUrl);
  await withMailbox(url, signal, async (mailbox) => {
    for (const uid of await unreadMessages(mailbox)) {
      if (signal?.aborted) return;
      const raw = await readMessage(mailbox, uid);
      // Another process may have moved it.
      if (raw === null) continue;
      const outcome = await handleIncomingMail(store, config, secrets, raw, {}, clock());
      result.messages += 1;
      result[outcome.kind] += 1;
      await fileMessage(mailbox, uid, outcome);
    }
  });
  return result;
}

/** Logs in and opens the mailbox, without changing anything. @throws MailboxError if that fails */
export function verifyMailbox(imapUrl: string): Promise<void> {
  return withMailbox(new URL(imapUrl), undefined, async () => {});
}

interface Mailbox {
  client: ImapFlow;
  /** Waits for a command of the client. @throws MailboxError if it fails */
  run<T>(command: Promise<T>): Promise<T>;
}

async function withMailbox(
  url: URL,
  signal: AbortSignal | undefined,
  body: (mailbox: Mailbox) => Promise<void>,
): Promise<void> {
  const client = await openClient(url);
  if (signal?.aborted) return;
  // Each command rejects with its error; without a listener this event would also end the process.
  client.on('error', () => {});
  const stop = (): void => client.close();
  signal?.addEventListener('abort', stop);
  const run = <T>(command: Promise<T>): Promise<T> =>
    command.catch((error: unknown) => {
      throw new MailboxError(`the mailbox at ${url.protocol}//${url.host} cannot be read: ${errorText(error)}`);
    });
  try {
    await run(client.connect());
    await run(client.mailboxOpen(decodeURIComponent(url.pathname.slice(1)) || 'INBOX'));
    await body({ client, run });
    await run(client.logout());
  } catch (error) {
    // Stopped while waiting for the server: messages that were not moved are handled again.
    if (!(signal?.aborted && error instanceof MailboxError)) throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    client.close();
  }
}

async function openClient(url: URL): Promise<ImapFlow> {
  // Loading it takes a sixth of a second, which most commands do not need.
  const { ImapFlow } = await import('imapflow');
  const secure = url.protocol === 'imaps:';
  // As with SMTP: a password is sent unencrypted to this machine only.
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return new ImapFlow({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 993 : 143) : Number(url.port),
    secure,
    ...(!secure && { doSTARTTLS: !isLocal }),
    auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: CONNECT_TIMEOUT,
    greetingTimeout: CONNECT_TIMEOUT,
    socketTimeout: RESPONSE_TIMEOUT,
    maxLiteralSize: 2 * INCOMING_LIMIT,
    maxResponseSize: 4 * INCOMING_LIMIT,
  });
}

function errorText(error: unknown): string {
  const { responseText, code, message } = error as { responseText?: string; code?: string; message?: string };
  return responseText || [tlsFailure(code), message, code].filter(Boolean).join(', ');
}

// Messages that a person has read are not touched.
async function unreadMessages({ client, run }: Mailbox): Promise<number[]> {
  const found = await run(client.search({ seen: false }, { uid: true }));
  return (found || []).sort((a, b) => a - b);
}

/** A message up to the size limit, without marking it as read; null if it no longer exists. */
async function readMessage({ client, run }: Mailbox, uid: number): Promise<Buffer | null> {
  const source = { start: 0, maxLength: INCOMING_LIMIT };
  const found = await run(client.fetchOne(String(uid), { source }, { uid: true }));
  return found === false ? null : (found.source ?? null);
}

/** Marks a message as read before moving it: if no folder can be created, it stays and is not handled again. */
async function fileMessage({ client, run }: Mailbox, uid: number, outcome: MailOutcome): Promise<void> {
  await run(client.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true }));
  const folder = outcome.kind === 'unclear' || outcome.kind === 'forged' ? UNKNOWN_FOLDER : PROCESSED_FOLDER;
  try {
    await run(client.mailboxCreate(folder));
    await run(client.messageMove(String(uid), folder, { uid: true }));
  } catch (error) {
    if (!client.usable) throw error;
  }
}
