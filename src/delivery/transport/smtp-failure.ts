/** Converts nodemailer's errors to data for operators, without passwords. */
import type { MailProvider } from '../../core/config/config.ts';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { accountReply } from './account-replies.ts';
import { redactAddresses } from './redact-addresses.ts';
import type { SubmissionFailure } from './retry.ts';
import type { SmtpSession } from './smtp-session.ts';
import { tlsFailure } from './tls-failure.ts';

const MAX_REPLY_LENGTH = 500;

/**
 * A server's reply as it is stored: one line of bounded length, without control characters and the password.
 * @param redact see `passwordRedactor`; called twice, because removing a control character can complete the password
 */
export function cleanReply(reply: string, redact: (text: string) => string): string {
  return shorten(cleanWhole(reply, redact), MAX_REPLY_LENGTH);
}

function cleanWhole(reply: string, redact: (text: string) => string): string {
  // U+0085 ends a line in some terminals, but is not white space in JavaScript.
  return redact(cleanLine(redact(reply).replaceAll('\u0085', ' ')));
}

/**
 * Converts an error of nodemailer's connection class. `reply` is for the history of the recipient; `message` can be
 * shown to everyone and contains no address.
 * @param server.place its name in messages
 * @param server.redact removes its password
 * @param server.provider the mail provider whose server it is
 * @param step what the server was to answer
 */
export function readFailure(
  error: unknown,
  server: { place: string; redact(text: string): string; provider?: MailProvider },
  step: SmtpSession['step'] = null,
): SubmissionFailure {
  const raw = error as {
    code?: unknown;
    originalCode?: unknown;
    responseCode?: unknown;
    response?: unknown;
    command?: unknown;
    message?: unknown;
  };
  const code = typeof raw.code === 'string' ? raw.code : null;
  const cause = typeof raw.originalCode === 'string' ? raw.originalCode : null;
  // Redacted before it is shortened: a truncated address would not be recognised.
  const shareable = (text: string): string =>
    shorten(redactAddresses(cleanWhole(text, server.redact)), MAX_REPLY_LENGTH);
  const response = typeof raw.response === 'string' && raw.response !== '' ? raw.response : null;
  const message = typeof raw.message === 'string' ? shareable(raw.message) : 'unknown error';
  const reply = response === null ? null : cleanReply(response, server.redact);
  const account = accountReply(server.provider ?? 'none', reply);
  const command = typeof raw.command === 'string' && code !== 'ETIMEDOUT' ? raw.command : null;
  const words = describe(code, cause, response === null ? null : shareable(response), message);
  return {
    ...(account === null ? {} : { account }),
    code,
    replyCode: typeof raw.responseCode === 'number' ? raw.responseCode : null,
    // Nodemailer does not know at which command a connection failed.
    command: response === null ? (step ?? command) : command,
    reply,
    message: `${server.place} ${words}${response === null && step !== null ? `: it ${noAnswer(step)}` : ''}`,
  };
}

/** Continues the name of a server. */
export function noAnswer(step: NonNullable<SmtpSession['step']>): string {
  switch (step) {
    case 'connection':
      return 'has not accepted a new connection';
    case 'final dot':
      return 'has not answered a complete message';
    default:
      return `has not answered ${step}`;
  }
}

function describe(code: string | null, cause: string | null, reply: string | null, message: string): string {
  const tls = tlsFailure(cause);
  if (tls !== null) return `cannot be reached over TLS: ${tls} (${message})`;
  switch (code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return `refuses the login: ${reply ?? message}`;
    case 'EDNS':
      return `cannot be found: ${message}`;
    case 'ETLS':
      return `cannot be reached over TLS: ${message}`;
    case 'ETIMEDOUT':
      return 'did not answer in time';
    case 'ECONNECTION':
      return reply === null ? 'closed the connection' : `closed the connection: ${reply}`;
    case 'ESOCKET':
      return cause === 'ECONNREFUSED' ? 'refuses connections' : `cannot be reached: ${message}`;
    default:
      return reply === null ? `failed: ${message}` : `answered: ${reply}`;
  }
}

/**
 * Returns a function that removes a password from a text: in plain, URL-encoded, or encoded for AUTH PLAIN and LOGIN.
 */
export function passwordRedactor(auth: { user: string; pass: string } | null): (text: string) => string {
  if (auth === null || auth.pass === '') return (text) => text;
  const forms = [
    Buffer.from(`\u0000${auth.user}\u0000${auth.pass}`).toString('base64'),
    Buffer.from(auth.pass).toString('base64'),
    encodeURIComponent(auth.pass),
    auth.pass,
  ];
  return (text) => forms.reduce((left, form) => left.replaceAll(form, '…'), text);
}
