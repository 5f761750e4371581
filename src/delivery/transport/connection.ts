/**
 * What the engine needs of a way out: connections that take one finished message at a time and answer with a reply.
 */
import { MINUTE } from '../../lib/time.ts';
import type { SubmissionFailure } from './retry.ts';

/** A finished message, ready for the wire. */
export interface OutgoingMessage {
  newsletter: string;
  /** The edition's slot, such as `2026-11-24`. */
  slot: string;
  /** Envelope addresses, ASCII only. */
  from: string;
  to: string;
  /**
   * The message (RFC 5322) in parts, to be written one after the other: CR LF line ends, no line over 998 octets, no line that
   * begins with a dot (so nothing is dot-stuffed on the way, RFC 5321 §4.5.2), CR LF at its end. Parts are shared between messages.
   */
  chunks: readonly Buffer[];
  /** Octets in all. */
  size: number;
}

export interface Connection {
  /** Whether it can take another message; where not, open a new one. */
  readonly usable: boolean;
  /**
   * Hands over one message, and takes no other until it has answered; it always answers within `SUBMISSION_LIMIT`.
   * @returns the server's reply
   * @throws TransportError
   */
  submit(message: OutgoingMessage): Promise<string>;
  close(): void;
}

export interface Transport {
  /** How many connections may be open at once. */
  readonly connections: number;
  /** Opens a connection and logs in. @throws TransportError */
  connect(): Promise<Connection>;
  /** Whether messages could be submitted now, up to the login. @throws TransportError, said for an operator */
  verify(): Promise<void>;
}

/**
 * The longest that a submission takes, in milliseconds. RFC 5321 §4.5.3.2.6 grants a server ten minutes for its last reply:
 * giving up earlier mails readers twice.
 */
export const SUBMISSION_LIMIT = 11 * MINUTE;

/** A connection or a submission that failed. Its message is for operators and never holds a password. */
export class TransportError extends Error {
  override name = 'TransportError';
  readonly failure: SubmissionFailure;
  constructor(failure: SubmissionFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The error for a configuration that cannot work. */
export function transportConfigError(words: string): TransportError {
  return new TransportError({ code: 'ECONFIG', replyCode: null, command: null, reply: null, message: words });
}
