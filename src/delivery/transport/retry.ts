/**
 * Classifies failed submissions and decides when to retry, by reply code, enhanced status code,
 * error code and command, never by the words of a reply. account-replies.ts reads those that a mail provider documents.
 */
import { HOUR } from '../../lib/time.ts';
import type { AccountReply } from './account-replies.ts';

/** Why a submission failed. Each text is one line without control characters and passwords. */
export interface SubmissionFailure {
  /** Error code, such as `ECONNECTION` or `ENOSPC`. */
  code: string | null;
  /** SMTP reply code, such as 451. */
  replyCode: number | null;
  /** SMTP command that failed, such as `RCPT TO`. */
  command: string | null;
  /** The server's whole reply. It may quote the recipient's address, so it is stored with that delivery only. */
  reply: string | null;
  /** For the operator. Of an SMTP server, without addresses. */
  message: string;
  /** The whole message was written and no reply received: the server may have accepted it (RFC 5321 §4.2.5). */
  mayHaveArrived?: boolean;
  /** The mail provider's reply is about the newsroom's account, whatever its codes. */
  account?: AccountReply | null;
}

export type FailureClass =
  /** A later attempt may succeed. */
  | 'transient'
  /** This recipient will not get this message. */
  | 'permanent'
  /** The server accepts no message for now, to any recipient. */
  | 'unavailable'
  /** The server or the disk refuses messages to any recipient until somebody changes something. */
  | 'systemic';

// Commands before the recipient is named. A 421 in the middle of a message is reported for the connection (`CONN`), and
// may be about that message.
const COMMANDS_FOR_ALL = /^(EHLO|HELO|LHLO|STARTTLS|AUTH|MAIL FROM)\b/;

// Nodemailer's codes (errors.js), then those of a disk that is full or not writable.
const SYSTEMIC_CODES = new Set(['EAUTH', 'ENOAUTH', 'EOAUTH2', 'ETLS', 'EREQUIRETLS', 'ECONFIG', 'EPROXY']);
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

/** Classifies one failure. control/refusal-limits.ts decides what several in a row mean. */
export function classifyFailure(
  failure: Pick<SubmissionFailure, 'code' | 'replyCode' | 'command' | 'reply' | 'account'>,
): FailureClass {
  const { code, replyCode, command, account } = failure;
  if (account === 'limit') return 'unavailable';
  if (account === 'configuration') return 'systemic';
  const isTemporary = replyCode !== null && replyCode >= 400 && replyCode <= 499;
  if (isTemporary && COMMANDS_FOR_ALL.test(command ?? '')) return 'unavailable';
  if (code !== null && (SYSTEMIC_CODES.has(code) || DISK_CODES.has(code))) return 'systemic';
  // Nodemailer's own check, before it contacts the server: the message is larger than the server's limit, or the
  // address is malformed. A reply without a code means that the server does not speak SMTP.
  if (failure.reply === null && replyCode === null && code === 'EMESSAGE') return 'systemic';
  if (failure.reply === null && replyCode === null && code === 'EENVELOPE') return 'permanent';
  if (replyCode === null) return 'transient';
  if (AUTHENTICATION_REPLIES.has(replyCode)) return 'systemic';
  // 503: the session was in the wrong state. A new connection is not.
  if (replyCode < 500 || replyCode > 599 || replyCode === 503) return 'transient';
  if (SYSTEMIC_STATUSES.has(enhancedStatus(failure.reply) ?? '')) return 'systemic';
  // RFC 5321 §3.3: MAIL FROM and earlier commands are the same for every recipient.
  return command === 'RCPT TO' || command === 'DATA' ? 'permanent' : 'systemic';
}

const MAX_DELAY = 4 * HOUR;

/**
 * Delay before the next attempt, in milliseconds: doubled each time, up to four hours, and shortened by up to a quarter
 * so that messages that failed together are not retried together.
 * @param attempts made so far, at least 1
 * @param firstWait delay before the second attempt
 * @param random from 0 up to but not including 1
 */
export function retryDelay(attempts: number, firstWait: number, random: number): number {
  const wait = Math.min(firstWait * 2 ** Math.min(attempts - 1, 40), MAX_DELAY);
  return Math.ceil(wait * (1 - random / 4));
}

export type RetryDecision =
  | { kind: 'retry'; dueAt: number; reason: string }
  | { kind: 'fail'; reason: string }
  /** Nothing can be submitted. It does not count as an attempt. */
  | { kind: 'stop'; cause: 'temporary' | 'configuration'; reason: string };

/**
 * Decides what to do about a failed submission.
 * @param attempts made so far, including this one
 * @param policy.attempts maximum number of attempts
 * @param policy.firstWait milliseconds before the second attempt
 */
export function decideRetry(
  failure: SubmissionFailure,
  attempts: number,
  policy: { attempts: number; firstWait: number },
  now: number,
  random: number,
): RetryDecision {
  switch (classifyFailure(failure)) {
    case 'permanent':
      return { kind: 'fail', reason: failure.message };
    case 'unavailable':
      return { kind: 'stop', cause: 'temporary', reason: failure.message };
    case 'systemic':
      return { kind: 'stop', cause: 'configuration', reason: failure.message };
    case 'transient':
      if (attempts >= policy.attempts) {
        return { kind: 'fail', reason: `given up after ${attempts} attempts: ${failure.message}` };
      }
      return { kind: 'retry', dueAt: now + retryDelay(attempts, policy.firstWait, random), reason: failure.message };
  }
}
