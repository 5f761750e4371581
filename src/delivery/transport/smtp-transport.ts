/**
 * Submits messages over SMTP. Nodemailer's connection class does what it is good at: TLS, STARTTLS, authentication, pipelining,
 * protocol errors; see smtp-session.ts for what it does not. A server whose certificate a private authority has signed is trusted
 * where NODE_EXTRA_CA_CERTS names that authority's certificate. Connections are kept and used again; each takes one message at a time, so that a delivery becomes
 * `submitting` only when its MAIL FROM is next on the wire, which nodemailer's own pool would hide.
 */
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
  /** To connect, greet, upgrade to TLS and log in. */
  connect: number;
  /** To submit one message. */
  submission: number;
  /** To part. */
  quit: number;
}

/** To forget a message that was refused. */
const RESET_LIMIT = 10 * SECOND;

const LIMITS: SmtpLimits = {
  connect: 60 * SECOND,
  // With what may follow it, within the time that a submission is granted.
  submission: SUBMISSION_LIMIT - RESET_LIMIT,
  quit: 5 * SECOND,
};

// Servers end connections that have carried many messages; ending them first costs no message.
const MESSAGES_A_CONNECTION = 100;

interface Server {
  host: string;
  port: number;
  /** TLS from the first byte, as `smtps:` says; otherwise STARTTLS where the server offers it. */
  secure: boolean;
  /** No password goes over an open line to another machine. */
  requireTLS: boolean;
  auth: { user: string; pass: string } | null;
  /** For people: `mail.example.com:587`. */
  place: string;
  /** Strikes the password out of a text, however it is encoded. */
  redact(text: string): string;
}

/**
 * @param url `smtp://user:password@host:587` or `smtps://…`; its default ports are 587 and 465
 * @throws TransportError where the URL has parts that have no meaning here
 */
export function openSmtpTransport(url: string, connections: number, limits: SmtpLimits = LIMITS): Transport {
  const server = readUrl(url);
  return {
    connections,
    connect: () => openConnection(server, limits),
    verify: async () => (await openConnection(server, limits)).close(),
  };
}

function readUrl(text: string): Server {
  const url = new URL(text);
  // Silently ignored, an option such as ?tls.rejectUnauthorized=false would do something else than its author thinks.
  if (url.search !== '' || url.hash !== '' || !['', '/'].includes(url.pathname)) {
    throw transportConfigError('the SMTP URL must end behind host and port: it takes no path and no parameters');
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
  const link = new SmtpSession({
    host,
    port,
    secure,
    requireTLS,
    connectionTimeout: limits.connect,
    greetingTimeout: limits.connect,
    socketTimeout: limits.submission,
  });
  // Every error also reaches whoever waits; without a listener of its own it would end the process.
  link.on('error', () => {});
  try {
    await within(limits.connect, link, (done) => link.connect(done));
    if (server.auth !== null) await logIn(server.auth, link, limits);
  } catch (error) {
    link.close();
    throw new TransportError(readFailure(error, server));
  }
  return smtpConnection(link, server, limits);
}

async function logIn(auth: { user: string; pass: string }, link: SmtpSession, limits: SmtpLimits): Promise<void> {
  if (!link.allowsAuth) {
    throw Object.assign(new Error('the URL holds a user name, but the server offers no login'), { code: 'ENOAUTH' });
  }
  await within(limits.connect, link, (done) => link.login({ ...auth }, done));
}

function smtpConnection(link: SmtpSession, server: Server, limits: SmtpLimits): Connection {
  let usable = true;
  let messages = 0;
  link.once('end', () => {
    usable = false;
  });
  const retire = (): void => {
    usable = false;
    link.quit();
    // A server that does not answer QUIT must not keep the process alive.
    setTimeout(() => link.close(), limits.quit).unref();
  };
  return {
    get usable() {
      return usable;
    },
    async submit(message: OutgoingMessage): Promise<string> {
      messages += 1;
      try {
        const { response } = await within<{ response: string }>(limits.submission, link, (done) =>
          link.submit(message, done),
        );
        if (messages >= MESSAGES_A_CONNECTION) retire();
        return cleanReply(response, server.redact);
      } catch (error) {
        const read = readFailure(error, server);
        const failure = { ...read, mayHaveArrived: link.handedOver && read.replyCode === null };
        const sessionGoesOn = failure.replyCode !== null && failure.replyCode !== 421 && usable;
        if (!sessionGoesOn || !(await reset(link, limits))) {
          usable = false;
          link.close();
        }
        throw new TransportError(failure);
      }
    },
    close() {
      if (usable) retire();
    },
  };
}

/** After a refusal the session must be told to forget the message (RFC 5321 §4.1.1.5). */
async function reset(link: SmtpSession, limits: SmtpLimits): Promise<boolean> {
  try {
    await within(Math.min(limits.connect, RESET_LIMIT), link, (done) => link.reset(done));
    return true;
  } catch {
    return false;
  }
}

/** Waits for a step of the protocol, for its connection's end, or for the limit, whichever comes first. */
function within<T>(
  limit: number,
  link: SmtpSession,
  step: (done: (error?: Error | null, result?: T) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      finish(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
      link.close();
    }, limit);
    // Nodemailer may close first and hand over the server's last reply right after, which says more.
    const ended = (): NodeJS.Immediate =>
      setImmediate(() => finish(Object.assign(new Error('connection closed'), { code: 'ECONNECTION' })));
    const finish = (error?: Error | null, result?: T): void => {
      clearTimeout(timer);
      link.off('error', finish);
      link.off('end', ended);
      if (error) reject(error);
      else resolve(result as T);
    };
    link.once('error', finish);
    link.once('end', ended);
    step(finish);
  });
}
