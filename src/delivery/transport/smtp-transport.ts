/**
 * Submits messages over SMTP. Nodemailer's connection class handles TLS, STARTTLS, authentication, pipelining and
 * protocol errors; see smtp-session.ts. NODE_EXTRA_CA_CERTS adds a private certificate authority. Connections are
 * reused. Each takes one message at a time, so that a delivery becomes `submitting` only when its MAIL FROM is next on
 * the wire; nodemailer's own pool would hide that moment.
 */
import { ConfigError, type MailProvider } from '../../core/config/config.ts';
import { smtpSeconds } from '../../core/metrics.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';
import {
  type Connection,
  ENVELOPE_LIMIT,
  LAST_REPLY_LIMIT,
  type OutgoingMessage,
  type Transport,
  TransportError,
} from './connection.ts';
import { cleanReply, noAnswer, passwordRedactor, readFailure } from './smtp-failure.ts';
import { SmtpSession, type SubmissionStep } from './smtp-session.ts';

/** Milliseconds. */
export interface SmtpLimits {
  /** For connecting, greeting, upgrading to TLS and logging in. */
  connect: number;
  /** For each step of a submission, at most. */
  steps: Record<SubmissionStep, number>;
  /** For all steps before the final dot. */
  envelope: number;
  /** For the reply to QUIT. */
  quit: number;
}

/** For the reply to RSET, in milliseconds. */
const RESET_LIMIT = 10 * SECOND;

const LIMITS: SmtpLimits = {
  connect: MINUTE,
  // RFC 5321 §4.5.3.2.2 to §4.5.3.2.4, and §4.5.3.2.6.
  steps: {
    'MAIL FROM': 5 * MINUTE,
    'RCPT TO': 5 * MINUTE,
    DATA: 2 * MINUTE,
    'final dot': LAST_REPLY_LIMIT,
  },
  envelope: ENVELOPE_LIMIT,
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
 * @throws ConfigError if the URL has a path or parameters, or is otherwise invalid
 */
export function openSmtpTransport(
  url: string,
  connections: number,
  limits: SmtpLimits = LIMITS,
  provider: MailProvider = 'none',
): Transport {
  const server = { ...readUrl(url), provider };
  const pool: Pool = { sessions: new Set(), isStopped: false };
  const connect = (): Promise<Connection> => openConnection(server, limits, pool);
  return {
    connections,
    connect,
    verify: async () => (await connect()).close(),
    waits: () =>
      [...pool.sessions].flatMap(({ step }) =>
        step === null ? [] : [{ words: `${server.place} ${noAnswer(step)}`, isComplete: step === 'final dot' }],
      ),
    stop() {
      pool.isStopped = true;
      for (const session of pool.sessions) if (session.step !== 'final dot') session.close();
    },
  };
}

/** What the connections of a transport share. */
interface Pool {
  sessions: Set<SmtpSession>;
  isStopped: boolean;
}

function readUrl(text: string): Omit<Server, 'provider'> {
  const url = new URL(text);
  // Ignoring an option such as ?tls.rejectUnauthorized=false would not do what its author expects.
  if (url.search !== '' || url.hash !== '' || !['', '/'].includes(url.pathname)) {
    throw new ConfigError(['the SMTP URL must end after host and port: it takes no path and no parameters']);
  }
  if (url.hostname === '') throw new ConfigError(['the SMTP URL must name a host']);
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
    throw new ConfigError(['user name and password in the SMTP URL must be percent-encoded: a % itself is %25']);
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

async function openConnection(server: Server, limits: SmtpLimits, pool: Pool): Promise<Connection> {
  const { host, port, secure, requireTLS } = server;
  const session = new SmtpSession({
    host,
    port,
    secure,
    requireTLS,
    connectionTimeout: limits.connect,
    greetingTimeout: limits.connect,
    // Only those of the steps count.
    socketTimeout: limits.envelope + limits.steps['final dot'],
  });
  // Each pending call rejects with its error; without a listener this event would also end the process.
  session.on('error', () => {});
  session.once('end', () => pool.sessions.delete(session));
  try {
    if (pool.isStopped) throw new Error('daywire is stopping');
    pool.sessions.add(session);
    await within(limits.connect, session, (done) => session.connect(done));
    if (server.auth !== null) await logIn(server.auth, session, limits);
  } catch (error) {
    session.close();
    pool.sessions.delete(session);
    throw new TransportError(readFailure(error, server));
  }
  session.step = null;
  return smtpConnection(session, server, limits, pool);
}

async function logIn(auth: { user: string; pass: string }, session: SmtpSession, limits: SmtpLimits): Promise<void> {
  if (!session.allowsAuth) {
    throw Object.assign(new Error('the URL holds a user name, but the server offers no login'), { code: 'ENOAUTH' });
  }
  await within(limits.connect, session, (done) => session.login({ ...auth }, done));
}

function smtpConnection(session: SmtpSession, server: Server, limits: SmtpLimits, pool: Pool): Connection {
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
      const began = performance.now();
      const limitOf = (step: SubmissionStep): number => {
        const limit = limits.steps[step];
        return step === 'final dot' ? limit : Math.min(limit, began + limits.envelope - performance.now());
      };
      try {
        const { response } = await within<{ response: string }>(limitOf, session, (done) =>
          session.submit(message, done),
        );
        session.step = null;
        end({ outcome: 'accepted' });
        if (messages >= MESSAGES_PER_CONNECTION) retire();
        return cleanReply(response, server.redact);
      } catch (error) {
        const { step } = session;
        session.step = null;
        const read = readFailure(error, server, step);
        end({ outcome: read.replyCode === null ? 'failed' : 'refused' });
        const mayHaveArrived = step === 'final dot' && read.replyCode === null;
        const failure = {
          ...read,
          mayHaveArrived,
          isConnectionUsed: messages > 1,
          isStopped: pool.isStopped && read.replyCode === null && !mayHaveArrived,
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

/**
 * Waits for the server.
 * @param limit in milliseconds; as a function, of each step of a submission
 * @throws if the connection ends or the limit is reached before
 */
function within<T>(
  limit: number | ((step: SubmissionStep) => number),
  session: SmtpSession,
  act: (done: (error?: Error | null, result?: T) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let timer: NodeJS.Timeout;
    const begin = (): void => {
      clearTimeout(timer);
      timer = setTimeout(expire, typeof limit === 'number' ? limit : limit(session.step as SubmissionStep));
    };
    const expire = (): void => {
      finish(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
      session.close();
    };
    // Nodemailer may emit `end` just before it reports the server's last reply, which says more.
    const ended = (): NodeJS.Immediate =>
      setImmediate(() => finish(Object.assign(new Error('connection closed'), { code: 'ECONNECTION' })));
    const finish = (error?: Error | null, result?: T): void => {
      clearTimeout(timer);
      session.off('error', finish);
      session.off('end', ended);
      session.off('step', begin);
      if (error) reject(error);
      else resolve(result as T);
    };
    session.once('error', finish);
    session.once('end', ended);
    if (typeof limit === 'number') begin();
    else session.on('step', begin);
    act(finish);
  });
}
