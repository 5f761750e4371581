/**
 * Submits messages over SMTP. Nodemailer's connection class handles TLS, STARTTLS, authentication, pipelining and
 * protocol errors; see smtp-session.ts. NODE_EXTRA_CA_CERTS adds a private certificate authority. Connections are
 * reused. Each takes one message at a time, so that a delivery becomes `submitting` only when its MAIL FROM is next on
 * the wire; nodemailer's own pool would hide that moment.
 */
import type { MailProvider } from '../../core/config/config.ts';
import { smtpSeconds } from '../../core/metrics.ts';
import { SECOND } from '../../lib/time.ts';
import {
  type Connection,
  type OutgoingMessage,
  SUBMISSION_LIMIT,
  type Transport,
  TransportError,
  transportConfigError,
} from './connection.ts';
import { cleanReply, passwordRedactor, readFailure } from './smtp-failure.ts';
import { SmtpSession } from './smtp-session.ts';

/** Milliseconds. */
export interface SmtpLimits {
  /** For connecting, greeting, upgrading to TLS and logging in. */
  connect: number;
  /** For one message. */
  submission: number;
  /** For the reply to QUIT. */
  quit: number;
}

/** For the reply to RSET, in milliseconds. */
const RESET_LIMIT = 10 * SECOND;

const LIMITS: SmtpLimits = {
  connect: 60 * SECOND,
  // Together with RSET, within the limit of a submission.
  submission: SUBMISSION_LIMIT - RESET_LIMIT,
  quit: 5 * SECOND,
};

// Servers close connections after many messages, which may interrupt one. Closing earlier avoids that.
const MESSAGES_PER_CONNECTION = 100;

interface Server {
  host: string;
  port: number;
  /** TLS from the first byte (`smtps:`); otherwise STARTTLS if the server offers it. */
  secure: boolean;
  /** Set if a password would otherwise be sent unencrypted to another machine. */
  requireTLS: boolean;
  auth: { user: string; pass: string } | null;
  /** For messages: `mail.example.com:587`. */
  place: string;
  /** Removes the password from a text, in any encoding. */
  redact(text: string): string;
  provider: MailProvider;
}

/**
 * @param url `smtp://user:password@host:587` or `smtps://…`; the default ports are 587 and 465
 * @param provider the mail provider whose server it is: what its replies mean
 * @throws TransportError if the URL has a path or parameters, or is otherwise invalid
 */
export function openSmtpTransport(
  url: string,
  connections: number,
  limits: SmtpLimits = LIMITS,
  provider: MailProvider = 'none',
): Transport {
  const server = { ...readUrl(url), provider };
  return {
    connections,
    connect: () => openConnection(server, limits),
    verify: async () => (await openConnection(server, limits)).close(),
  };
}

function readUrl(text: string): Omit<Server, 'provider'> {
  const url = new URL(text);
  // Ignoring an option such as ?tls.rejectUnauthorized=false would not do what its author expects.
  if (url.search !== '' || url.hash !== '' || !['', '/'].includes(url.pathname)) {
    throw transportConfigError('the SMTP URL must end after host and port: it takes no path and no parameters');
  }
  if (url.hostname === '') throw transportConfigError('the SMTP URL must name a host');
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (secure ? 465 : 587) : Number(url.port);
  const auth = readCredentials(url);
  return {
    host,
    port,
    secure,
    requireTLS: auth !== null && !isLoopback(host),
    auth,
    place: `${url.hostname}:${port}`,
    redact: passwordRedactor(auth),
  };
}

function readCredentials(url: URL): Server['auth'] {
  if (url.username === '' && url.password === '') return null;
  try {
    return { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  } catch {
    throw transportConfigError('user name and password in the SMTP URL must be percent-encoded: a % itself is %25');
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

async function openConnection(server: Server, limits: SmtpLimits): Promise<Connection> {
  const { host, port, secure, requireTLS } = server;
  const session = new SmtpSession({
    host,
    port,
    secure,
    requireTLS,
    connectionTimeout: limits.connect,
    greetingTimeout: limits.connect,
    socketTimeout: limits.submission,
  });
  // Each pending call rejects with its error; without a listener this event would also end the process.
  session.on('error', () => {});
  try {
    await within(limits.connect, session, (done) => session.connect(done));
    if (server.auth !== null) await logIn(server.auth, session, limits);
  } catch (error) {
    session.close();
    throw new TransportError(readFailure(error, server));
  }
  return smtpConnection(session, server, limits);
}

async function logIn(auth: { user: string; pass: string }, session: SmtpSession, limits: SmtpLimits): Promise<void> {
  if (!session.allowsAuth) {
    throw Object.assign(new Error('the URL holds a user name, but the server offers no login'), { code: 'ENOAUTH' });
  }
  await within(limits.connect, session, (done) => session.login({ ...auth }, done));
}

function smtpConnection(session: SmtpSession, server: Server, limits: SmtpLimits): Connection {
  let usable = true;
  let messages = 0;
  session.once('end', () => {
    usable = false;
  });
  const retire = (): void => {
    usable = false;
    session.quit();
    // A server that does not answer QUIT must not keep the process running.
    setTimeout(() => session.close(), limits.quit).unref();
  };
  return {
    get usable() {
      return usable;
    },
    async submit(message: OutgoingMessage): Promise<string> {
      messages += 1;
      const end = smtpSeconds.startTimer();
      try {
        const { response } = await within<{ response: string }>(limits.submission, session, (done) =>
          session.submit(message, done),
        );
        end({ outcome: 'accepted' });
        if (messages >= MESSAGES_PER_CONNECTION) retire();
        return cleanReply(response, server.redact);
      } catch (error) {
        const read = readFailure(error, server);
        end({ outcome: read.replyCode === null ? 'failed' : 'refused' });
        const failure = {
          ...read,
          mayHaveArrived: session.isMessageWritten && read.replyCode === null,
          isConnectionUsed: messages > 1,
        };
        const isInStep = failure.replyCode !== null && failure.replyCode !== 421 && usable;
        if (!isInStep || !(await reset(session, limits))) {
          usable = false;
          session.close();
        }
        throw new TransportError(failure);
      }
    },
    close() {
      if (usable) retire();
    },
  };
}

/** Aborts a refused message, so that the session can take the next (RFC 5321 §4.1.1.5). */
async function reset(session: SmtpSession, limits: SmtpLimits): Promise<boolean> {
  try {
    await within(Math.min(limits.connect, RESET_LIMIT), session, (done) => session.reset(done));
    return true;
  } catch {
    return false;
  }
}

/** Waits for a step of the protocol. @throws if the connection ends or the limit is reached before */
function within<T>(
  limit: number,
  session: SmtpSession,
  step: (done: (error?: Error | null, result?: T) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      finish(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
      session.close();
    }, limit);
    // Nodemailer may emit `end` just before it reports the server's last reply, which says more.
    const ended = (): NodeJS.Immediate =>
      setImmediate(() => finish(Object.assign(new Error('connection closed'), { code: 'ECONNECTION' })));
    const finish = (error?: Error | null, result?: T): void => {
      clearTimeout(timer);
      session.off('error', finish);
      session.off('end', ended);
      if (error) reject(error);
      else resolve(result as T);
    };
    session.once('error', finish);
    session.once('end', ended);
    step(finish);
  });
}
