/**
 * What a failed submission means, and when to try again: by reply code, error code and command, never by a message's words.
 */
import { HOUR } from '../../lib/time.ts';

/** Why a submission failed, in plain data. All text is one clean line without any password. */
export interface SubmissionFailure {
  /** The error's code, such as `ECONNECTION` or `ENOSPC`. */
  code: string | null;
  /** The SMTP reply code, such as 451. */
  replyCode: number | null;
  /** The SMTP command that failed, such as `RCPT TO`. */
  command: string | null;
  /** The server's whole reply. It may quote the recipient's address, so it is nobody else's to read. */
  reply: string | null;
  /** What happened, said for an operator; of an SMTP server, without any address. */
  message: string;
  /** The whole message had been handed over, and the server's answer to it did not come: it may have taken it (RFC 5321 §4.2.5). */
  mayHaveArrived?: boolean;
}

export type FailureClass =
  /** This message may go through later. */
  | 'transient'
  /** This recipient will not get this message. */
  | 'permanent'
  /** The server or the disk refuses us, whoever the recipient: going on would burn the list. */
  | 'refuses-us';

// Nodemailer's codes (its errors.js), then those of a full or closed disk.
const REFUSES_US = new Set(['EAUTH', 'ENOAUTH', 'EOAUTH2', 'ETLS', 'EREQUIRETLS', 'ECONFIG', 'EPROXY']);
const DISK = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST']);
// RFC 4954 §6 and RFC 5248: authentication is required, its mechanism too weak, its credentials wrong, or encryption missing.
const AUTHENTICATION_REPLIES = new Set([530, 534, 535, 538]);

// RFC 3463 §3.2 and §3.4: the sender's address, and a size over what the system takes; both are the same for every recipient.
const REFUSES_US_STATUSES = new Set(['5.1.7', '5.1.8', '5.3.4']);

/**
 * The enhanced status of a reply (RFC 2034), such as `5.7.1`; null where it has none or one that contradicts its reply code.
 * @param reply the server's whole reply, such as `550 5.7.1 refused`
 */
export function enhancedStatus(reply: string | null): string | null {
  const found = reply?.match(/^([245])\d\d[ -]((\1)\.\d{1,3}\.\d{1,3})(?!\S)/);
  return found?.[2] ?? null;
}

/** Sorts a failure. What several in a row may mean is told by policy-watch.ts. */
export function classifyFailure(
  failure: Pick<SubmissionFailure, 'code' | 'replyCode' | 'command' | 'reply'>,
): FailureClass {
  const { code, replyCode, command } = failure;
  if (code !== null && (REFUSES_US.has(code) || DISK.has(code))) return 'refuses-us';
  // Nodemailer's own verdict, before a word to the server: the message is larger than it takes, or the address is malformed. With a
  // reply that has no code, the server spoke something else than SMTP.
  if (failure.reply === null && replyCode === null && code === 'EMESSAGE') return 'refuses-us';
  if (failure.reply === null && replyCode === null && code === 'EENVELOPE') return 'permanent';
  if (replyCode === null) return 'transient';
  if (AUTHENTICATION_REPLIES.has(replyCode)) return 'refuses-us';
  // 503 says that the session was in the wrong state, which a new connection is not.
  if (replyCode < 500 || replyCode > 599 || replyCode === 503) return 'transient';
  if (REFUSES_US_STATUSES.has(enhancedStatus(failure.reply) ?? '')) return 'refuses-us';
  // RFC 5321 §3.3: MAIL FROM names the sender, who is the same for every recipient; before it none has been named.
  return command === 'RCPT TO' || command === 'DATA' ? 'permanent' : 'refuses-us';
}

const LONGEST_WAIT = 4 * HOUR;

/**
 * How long to wait before the next attempt, in milliseconds: twice as long each time, up to four hours, each shortened by up
 * to a quarter, so that what failed together is not tried again together.
 * @param attempts made so far, at least 1
 * @param firstWait before the second attempt
 * @param random from 0 up to but not including 1
 */
export function retryDelay(attempts: number, firstWait: number, random: number): number {
  const wait = Math.min(firstWait * 2 ** Math.min(attempts - 1, 40), LONGEST_WAIT);
  return Math.ceil(wait * (1 - random / 4));
}

export type RetryDecision =
  | { kind: 'retry'; dueAt: number; reason: string }
  | { kind: 'fail'; reason: string }
  | { kind: 'stop'; reason: string };

/**
 * What to do about a failed submission.
 * @param attempts made so far, this one included
 * @param policy.attempts how many are made at most
 * @param policy.firstWait milliseconds before the second
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
    case 'refuses-us':
      return { kind: 'stop', reason: failure.message };
    case 'transient':
      if (attempts >= policy.attempts) {
        return { kind: 'fail', reason: `given up after ${attempts} attempts: ${failure.message}` };
      }
      return { kind: 'retry', dueAt: now + retryDelay(attempts, policy.firstWait, random), reason: failure.message };
  }
}
