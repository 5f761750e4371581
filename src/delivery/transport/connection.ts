/**
 * The interface between delivery and a transport: connections that take one finished message at a time and return the
 * server's reply.
 */
import { MINUTE } from '../../lib/time.ts';
import type { SubmissionFailure } from './retry.ts';

/** A finished message, ready for the wire. */
export interface OutgoingMessage {
  newsletter: string;
  /** The edition's slot, such as `2026-11-24`; of its second revision, `2026-11-24-r2`. */
  slot: string;
  /** Envelope addresses, ASCII only. */
  from: string;
  to: string;
  /**
   * The message (RFC 5322) in parts that are written in order. Line ends are CR LF, also at its end. No line has more
   * than 998 octets. No line begins with a dot, so nothing needs dot-stuffing (RFC 5321 §4.5.2). Messages share parts.
   */
  chunks: readonly Buffer[];
  /** Octets in total. */
  size: number;
}

export interface Connection {
  /** Whether it can take another message. If not, open a new one. */
  readonly usable: boolean;
  /**
   * Submits one message within `SUBMISSION_LIMIT`. Call it again only after it has settled.
   * @returns the server's reply
   * @throws TransportError
   */
  submit(message: OutgoingMessage): Promise<string>;
  close(): void;
}

/** Something that the server has not answered yet. */
export interface AwaitedReply {
  /** Such as `mail.example.com:587 has not answered RCPT TO`. */
  words: string;
  /** Whether the whole message was submitted, so that it may have arrived. */
  isComplete: boolean;
}

export interface Transport {
  /** Maximum number of open connections. */
  readonly connections: number;
  /** What open connections wait for. */
  waits(): AwaitedReply[];
  /** Drops the connections without a complete message, of which nothing is uncertain. Opens no more. */
  stop(): void;
  /** Opens a connection and logs in. @throws TransportError */
  connect(): Promise<Connection>;
  /** Checks that messages could be submitted now, up to the login. @throws TransportError */
  verify(): Promise<void>;
}

/**
 * RFC 5321 §4.5.3.2.6 grants a server ten minutes for its last reply, in milliseconds; a client that gives up earlier
 * delivers messages twice.
 */
export const LAST_REPLY_LIMIT = 10 * MINUTE;
/** Maximum duration of all before that, so that a process that died is noticed soon, in milliseconds. */
export const ENVELOPE_LIMIT = 5 * MINUTE;
/** Maximum duration of a submission, with a minute for RSET and a busy machine, in milliseconds. */
export const SUBMISSION_LIMIT = ENVELOPE_LIMIT + LAST_REPLY_LIMIT + MINUTE;

/** A connection or a submission failed. Its message is for operators and never contains a password. */
export class TransportError extends Error {
  override name = 'TransportError';
  readonly failure: SubmissionFailure;
  constructor(failure: SubmissionFailure) {
    super(failure.message);
    this.failure = failure;
  }
}
