/**
 * One SMTP session: nodemailer's connection class with its own data step. Nodemailer connects, upgrades to TLS, logs
 * in, and pipelines MAIL, RCPT and DATA (RFC 2920). Only the message bypasses nodemailer's stream, which copies every
 * byte to find lines that begin with a dot; ours have none, and are written to the socket as they are.
 *
 * This is the only file that uses nodemailer's internals, which is why package.json pins the exact version. To upgrade:
 * 1. Read the new version's `smtp-connection` and check the members that are declared below, and these assumptions:
 * - `send()` calls `_createSendStream(callback)` once DATA is answered, then `write(message)` and `end()` on what it
 *   returns, and reads `outByteCount`. It accepts 2xx and 3xx replies to DATA.
 * - A reply is read into `_remainder`, queued in `_responseQueue` when its line is complete, and passed by
 *   `_processResponse()` to the next function of `_responseActions`. `lastServerResponse` is the reply to the last
 *   command.
 * - `_actionSMTPStream(reply, callback)` evaluates the reply to the message; `_onError()` fails the session.
 * 2. Run tests/delivery/transport/. smtp-session.test.ts fails if nodemailer's own data step is used, or none;
 * smtp-errors.test.ts covers refusals, timeouts and closed connections at each step.
 * 3. Run `npm run bench -- delivery` and `npm run kill-test`.
 */
import type { Socket } from 'node:net';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { OutgoingMessage } from './connection.ts';

/** The stream to which nodemailer's `send` writes a message. */
interface DataStream {
  write(chunks: readonly Buffer[]): void;
  end(): void;
  outByteCount: number;
}

/** The steps of a submission, in order. `final dot`: from when the message is written. */
export type SubmissionStep = 'MAIL FROM' | 'RCPT TO' | 'DATA' | 'final dot';

const AFTER_REPLY: Record<string, SubmissionStep> = { 'MAIL FROM': 'RCPT TO', 'RCPT TO': 'DATA' };

type SmtpCallback<T> = (error?: Error | null, result?: T) => void;

const FINAL_DOT = Buffer.from('.\r\n');

/** RFC 5321 §4.2: each line of a reply begins with a code, and a space or a hyphen before its text. */
const REPLY_LINE = /^[2-5]\d\d([ -]|$)/;

const { _processResponse: processNextReply } = SMTPConnection.prototype as unknown as { _processResponse(): void };

export class SmtpSession extends SMTPConnection {
  declare private _responseActions: ((reply: string) => void)[];
  declare private _responseQueue: string[];
  declare private _remainder: string;
  declare private _actionSMTPStream: (reply: string, callback: SmtpCallback<string>) => void;
  declare private _onError: (error: Error, code: string, reply: string | false, command: string) => void;

  /** What the server is to answer; null between messages. `connection`: up to the login. */
  step: SubmissionStep | 'connection' | null = 'connection';

  /** Submits one message. @param done called as by nodemailer's `send`, with the server's reply in `response` */
  submit({ from, to, chunks, size }: OutgoingMessage, done: SmtpCallback<{ response: string }>): void {
    this.#begin('MAIL FROM');
    // An unread reply would be taken for the reply to MAIL, and each later one for that to the command before.
    if (this.hasUnexpectedReply()) this.failOutOfStep();
    else
      this.send({ from, to: [to], size }, chunks as unknown as Buffer, done as Parameters<SMTPConnection['send']>[2]);
  }

  /**
   * Overrides nodemailer's. After a reply that is not SMTP nothing can be said about those that follow, and nodemailer
   * takes it for a refusal: after a refused RCPT, it sends an empty message if DATA was pipelined. Empty lines are
   * ignored, as by nodemailer.
   */
  protected _processResponse(): void {
    const line = this._responseQueue[0]?.split('\n').find((line) => line.trim() !== '' && !REPLY_LINE.test(line));
    if (line !== undefined) {
      this.fail(`the server’s reply is not SMTP: ${line}`);
      return;
    }
    const next = this.step !== null && this._responseQueue[0]?.trim() ? AFTER_REPLY[this.step] : undefined;
    if (next !== undefined) this.#begin(next);
    processNextReply.call(this);
  }

  /** Limits of time begin again: see `step`. */
  #begin(step: SubmissionStep): void {
    this.step = step;
    this.emit('step');
  }

  /** Overrides nodemailer's, which first writes what is buffered: the rest of a message that may be submitted again. */
  override close(): void {
    const socket = this._socket as Socket | false;
    if (socket && socket.writableLength > 0) socket.destroy();
    super.close();
  }

  /** Overrides nodemailer's: called by `send` when the server has accepted the envelope and answered DATA. */
  protected _createSendStream(done: SmtpCallback<string>): DataStream {
    const socket = this._socket as Socket;
    const stream: DataStream = {
      outByteCount: 0,
      // The socket buffers this message only: the next is written after the server's reply. While the socket is corked,
      // all parts leave in one system call, without being copied.
      write: (chunks) => {
        socket.cork();
        for (const chunk of chunks) {
          stream.outByteCount += chunk.length;
          socket.write(chunk);
        }
      },
      end: () => {
        // Before it is written: the kernel may have the whole message some turns of the event loop before Node says so.
        this.#begin('final dot');
        socket.write(FINAL_DOT);
        socket.uncork();
      },
    };
    // Nodemailer continues after 250, too. Only 354 means that the server waits for a message. Any other reply, and any
    // that follows at once, means that replies and commands are out of step: an earlier reply might be taken for the
    // reply to the message.
    if (!String(this.lastServerResponse).startsWith('354') || this.hasUnexpectedReply()) {
      this.failOutOfStep();
      return { outByteCount: 0, write: () => {}, end: () => {} };
    }
    this._responseActions.push((reply) => this._actionSMTPStream(reply, done));
    return stream;
  }

  private hasUnexpectedReply(): boolean {
    return this._responseQueue.length > 0 || this._remainder !== '';
  }

  private failOutOfStep(): void {
    this.fail('the server’s replies do not match the commands');
  }

  private fail(message: string): void {
    this._onError(new Error(message), 'EPROTOCOL', false, 'CONN');
  }
}
