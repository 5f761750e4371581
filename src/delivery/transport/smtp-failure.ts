/**
 * Nodemailer's errors as plain data, said for an operator, without any password.
 */
import { cleanLine } from '../../lib/clean-text.ts';
import { redactAddresses } from './redact-addresses.ts';
import type { SubmissionFailure } from './retry.ts';

const LONGEST_REPLY = 500;

/**
 * A server's words as they are kept: one clean line of bounded length, without the password.
 * @param redact see `redactor`; called twice, since cleaning can join what a control character had parted
 */
export function cleanReply(reply: string, redact: (text: string) => string): string {
  return shorten(cleanWhole(reply, redact));
}

function cleanWhole(reply: string, redact: (text: string) => string): string {
  // U+0085 is a line end to some terminals, and to JavaScript no white space.
  return redact(cleanLine(redact(reply).replaceAll('\u0085', ' ')));
}

function shorten(line: string): string {
  return line.length > LONGEST_REPLY ? `${line.slice(0, LONGEST_REPLY - 1).toWellFormed()}…` : line;
}

/**
 * Reads an error of nodemailer's connection class. Its reply is kept for the recipient it is about; the words are for everyone, and
 * hold no address.
 * @param server.place names it for people
 * @param server.redact strikes out its password
 */
export function readFailure(
  error: unknown,
  server: { place: string; redact(text: string): string },
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
  // Struck out before it is shortened: of an address that is cut before its @, half would stay.
  const shared = (text: string): string => shorten(redactAddresses(cleanWhole(text, server.redact)));
  const response = typeof raw.response === 'string' && raw.response !== '' ? raw.response : null;
  const message = typeof raw.message === 'string' ? shared(raw.message) : 'unknown error';
  return {
    code,
    replyCode: typeof raw.responseCode === 'number' ? raw.responseCode : null,
    // In a timeout only nodemailer's clock names the command, and ours, which is set to the same, may be first.
    command: typeof raw.command === 'string' && code !== 'ETIMEDOUT' ? raw.command : null,
    reply: response === null ? null : cleanReply(response, server.redact),
    message: `${server.place} ${wordsFor(code, cause, response === null ? null : shared(response), message)}`,
  };
}

function wordsFor(code: string | null, cause: string | null, reply: string | null, message: string): string {
  switch (code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return `refuses the login: ${reply ?? message}`;
    case 'EDNS':
      return `cannot be found: ${message}`;
    case 'ETLS':
      return `cannot be spoken to over TLS: ${message}`;
    case 'ETIMEDOUT':
      return 'did not answer in time';
    case 'ECONNECTION':
      return reply === null ? 'closed the connection' : `closed the connection: ${reply}`;
    case 'ESOCKET':
      return cause === 'ECONNREFUSED' ? 'takes no connections' : `cannot be reached: ${message}`;
    default:
      return reply === null ? `failed: ${message}` : `answered: ${reply}`;
  }
}

/** A function that strikes a password out of a text: as it stands, in the URL's encoding, and in those of AUTH PLAIN and LOGIN. */
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
