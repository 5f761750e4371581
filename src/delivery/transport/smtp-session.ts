/**
 * Nodemailer's connection class with a data step of our own. It connects, upgrades, logs in, and pipelines MAIL, RCPT and DATA
 * (RFC 2920); only the message itself goes around its stream, which looks for lines that begin with a dot and copies every byte.
 * Ours have no such lines, and go to the socket as they are.
 *
 * The members declared here are nodemailer's, but not in its interface: the tests of this file fail where it changes them.
 */
import type { Socket } from 'node:net';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { OutgoingMessage } from './connection.ts';

/** What nodemailer's `send` asks of the stream that it writes a message to. */
interface DataStep {
  write(chunks: readonly Buffer[]): void;
  end(): void;
  outByteCount: number;
}

type SmtpCallback<T> = (error?: Error | null, result?: T) => void;

const FINAL_DOT = Buffer.from('.\r\n');

export class SmtpSession extends SMTPConnection {
  declare private _responseActions: ((reply: string) => void)[];
  declare private _responseQueue: string[];
  declare private _remainder: string;
  declare private _actionSMTPStream: (reply: string, callback: SmtpCallback<string>) => void;
  declare private _onError: (error: Error, code: string, reply: string | false, command: string) => void;

  /** Whether all of the last message has been written: the server may have taken it, whatever became of the connection then. */
  handedOver = false;

  /** Hands over one message. @param done takes what nodemailer's `send` gives, the server's reply in `response` */
  submit({ from, to, chunks, size }: OutgoingMessage, done: SmtpCallback<{ response: string }>): void {
    this.handedOver = false;
    // A reply that is already here would be taken for the one to MAIL, and every later one for that of the command before.
    if (this.spokeUnasked()) this.giveUp();
    else
      this.send({ from, to: [to], size }, chunks as unknown as Buffer, done as Parameters<SMTPConnection['send']>[2]);
  }

  // Called by nodemailer's `send` when the server has taken the envelope and answered DATA.
  protected _createSendStream(done: SmtpCallback<string>): DataStep {
    const socket = this._socket as Socket;
    const step: DataStep = {
      outByteCount: 0,
      // The socket holds no more than this one message: the next goes out when the server has answered. Corked, all parts leave
      // in one system call, without being copied.
      write: (chunks) => {
        socket.cork();
        for (const chunk of chunks) {
          step.outByteCount += chunk.length;
          socket.write(chunk);
        }
      },
      end: () => {
        this.handedOver = true;
        socket.write(FINAL_DOT);
        socket.uncork();
      },
    };
    // Nodemailer goes on after 250, too. Only 354 says that the server waits for a message; anything else, and anything that follows
    // it at once, means that replies and commands are out of step, and an earlier reply might pass for that to the message.
    if (!String(this.lastServerResponse).startsWith('354') || this.spokeUnasked()) {
      this.giveUp();
      return { outByteCount: 0, write: () => {}, end: () => {} };
    }
    this._responseActions.push((reply) => {
      // Nodemailer takes whatever begins with a 2 for a yes.
      if (/^[2-5]\d\d([ -]|$)/.test(reply)) this._actionSMTPStream(reply, done);
      else this.giveUp();
    });
    return step;
  }

  private spokeUnasked(): boolean {
    return this._responseQueue.length > 0 || this._remainder !== '';
  }

  private giveUp(): void {
    this._onError(new Error('the server’s replies do not match the commands'), 'EPROTOCOL', false, 'CONN');
  }
}
