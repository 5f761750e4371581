/**
 * Classifies failed submissions by reply code, enhanced status code, error code and command, never by the words of a
 * reply. account-replies.ts reads those that a mail provider documents.
 */
import { HOUR, MINUTE } from '../../lib/time.ts';
import type { AccountReply } from './account-replies.ts';

/** Why a submission failed. Each text is one line without control characters and passwords. */
export interface SubmissionFailure {
  /** Error code, such as `ECONNECTION` or `ENOSPC`. */
  code: string | null;
  /** SMTP reply code, such as 451. */
  replyCode: number | null;
  /** SMTP command that failed, such as `RCPT TO`; without a reply, the step of the submission. */
  command: string | null;
  /** The server's whole reply. It may quote the recipient's address, so it is stored with that delivery only. */
  reply: string | null;
  /** For the operator. Of an SMTP server, without addresses. */
  message: string;
  /** The whole message was written and no reply received: the server may have accepted it (RFC 5321 §4.2.5). */
  mayHaveArrived?: boolean;
  /** The connection had taken another message before. */
  isConnectionUsed?: boolean;
  /** daywire is stopping, and has dropped the connection before the message was complete. */
  isStopped?: boolean;
  /** The mail provider's reply is about the newsroom's account, with any codes. */
  account?: AccountReply | null;
}

type FailureClass =
  /** This recipient, later: greylisting, a full mailbox. */
  | 'temporary'
  /** This recipient will not get this message. */
  | 'permanent'
  /** No reply to a complete message. */
  | 'uncertain'
  /** The server wants a new connection: it has had enough messages, or refusals, over this one. */
  | 'connection'
  /** The server accepts no message for now, to any recipient. */
  | 'unavailable'
  /** The server or the disk refuses messages to any recipient until somebody changes something. */
  | 'systemic';

// Commands before the recipient is named. A 421 in the middle of a message is reported for the connection (`CONN`), and
// may be about that message.
const COMMANDS_FOR_ALL = /^(EHLO|HELO|LHLO|STARTTLS|AUTH|MAIL FROM)\b/;

// Nodemailer's codes (errors.js), then those of a disk that is full or not writable.
const SYSTEMIC_CODES = new Set(['EAUTH', 'ENOAUTH', 'EOAUTH2', 'ETLS', 'EREQUIRETLS', 'EPROXY']);
const DISK_CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST']);
// RFC 4954 §6 and RFC 5248: authentication required, mechanism too weak, wrong credentials, or encryption required.
const AUTHENTICATION_REPLIES = new Set([530, 534, 535, 538]);

// RFC 3463 §3.2 and §3.4: the sender's address, and a size over the system's limit; the same for every recipient.
const SYSTEMIC_STATUSES = new Set(['5.1.7', '5.1.8', '5.3.4']);

/**
 * The enhanced status of a reply (RFC 2034), such as `5.7.1`; null without one, or if it contradicts the reply code.
 * @param reply the server's whole reply, such as `550 5.7.1 refused`
 */
export function enhancedStatus(reply: string | null): string | null {
  const found = reply?.match(/^([245])\d\d[ -]((\1)\.\d{1,3}\.\d{1,3})(?!\S)/);
  return found?.[2] ?? null;
}

/** Classifies one failure. control/circuit-breaker.ts decides what several in a row mean. */
export function classifyFailure(failure: Omit<SubmissionFailure, 'message'>): FailureClass {
  const { code, replyCode, command, account } = failure;
  if (failure.mayHaveArrived) return 'uncertain';
  if (failure.isStopped) return 'connection';
  if (account === 'limit') return 'unavailable';
  if (account === 'configuration') return 'systemic';
  if (replyCode === 421 && failure.isConnectionUsed) return 'connection';
  const isTemporary = replyCode !== null && replyCode >= 400 && replyCode <= 499;
  if (isTemporary && COMMANDS_FOR_ALL.test(command ?? '')) return 'unavailable';
  if (code !== null && (SYSTEMIC_CODES.has(code) || DISK_CODES.has(code))) return 'systemic';
  // Nodemailer's own check, before it contacts the server: the message is larger than the server's limit, or the
  // address is malformed. A reply without a code means that the server does not speak SMTP.
  if (failure.reply === null && replyCode === null && code === 'EMESSAGE') return 'systemic';
  if (failure.reply === null && replyCode === null && code === 'EENVELOPE') return 'permanent';
  if (replyCode === null) {
    if (command !== 'MAIL FROM') return 'temporary';
    // Between two messages, a server may close a connection at any time.
    const isClosed = code === 'ECONNECTION' || code === 'ESOCKET';
    return isClosed && failure.isConnectionUsed ? 'connection' : 'unavailable';
  }
  if (AUTHENTICATION_REPLIES.has(replyCode)) return 'systemic';
  // 503: the session was in the wrong state. A new connection is not.
  if (replyCode < 500 || replyCode > 599 || replyCode === 503) return 'temporary';
  if (SYSTEMIC_STATUSES.has(enhancedStatus(failure.reply) ?? '')) return 'systemic';
  // RFC 5321 §3.3: MAIL FROM and earlier commands are the same for every recipient.
  return command === 'RCPT TO' || command === 'DATA' ? 'permanent' : 'systemic';
}

const FIRST_DELAY = 5 * MINUTE;
const MAX_DELAY = HOUR;

/**
 * Delay before the next attempt, in milliseconds: five minutes, as greylisting often needs, then doubled each time up
 * to an hour; shortened by up to a quarter so that messages that failed together are not retried together.
 * @param attempts made so far, at least 1
 * @param random from 0 up to but not including 1
 */
export function retryDelay(attempts: number, random: number): number {
  const wait = Math.min(FIRST_DELAY * 2 ** Math.min(attempts - 1, 10), MAX_DELAY);
  return Math.ceil(wait * (1 - random / 4));
}
