/**
 * An SMTP server that keeps messages, and misbehaves at one stage as a test says.
 */
import type { Socket } from 'node:net';
import { type Script, startScripted } from './smtp-servers.ts';

/** `message`: after the final dot. */
export type Stage = 'greeting' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'message' | 'RSET' | 'QUIT';
export type Fault = 'temporary' | 'permanent' | 'garbage' | 'hang' | 'close' | 'slow';

/** A message that the server has kept. */
interface Copy {
  to: string;
  messageId: string;
  message: string;
  /** Whether the client has read that it was kept: it sent another command afterwards. */
  isConfirmed: boolean;
}

export interface FaultyServer {
  url: string;
  copies: Copy[];
  /** The stages at which it has misbehaved, in order, with the recipient if it was known. */
  misbehaved: { stage: Stage | 'connect'; recipient: string | null }[];
  /** Decides what happens at a stage; null: what should happen. */
  fault: (stage: Stage, recipient: string | null) => Fault | null;
  /** Resolves when no connection is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const SLOW_REPLIES: Partial<Record<Stage, string>> = {
  greeting: '220 slow',
  EHLO: '250-slow\r\n250-PIPELINING\r\n250 AUTH PLAIN',
  AUTH: '235 2.7.0 welcome',
  DATA: '354 go on',
  QUIT: '221 bye',
};

const REPLIES: Record<'temporary' | 'permanent', Record<Stage, string>> = {
  temporary: {
    greeting: '421 4.3.0 too many connections',
    EHLO: '421 4.3.0 busy',
    STARTTLS: '454 4.7.0 TLS not available',
    AUTH: '454 4.7.0 temporary authentication failure',
    MAIL: '451 4.3.0 try again later',
    RCPT: '450 4.2.0 try again later',
    DATA: '451 4.3.0 try again later',
    message: '451 4.3.0 try again later',
    RSET: '421 4.3.0 closing',
    QUIT: '421 4.3.0 closing',
  },
  permanent: {
    greeting: '554 5.3.2 no service',
    EHLO: '550 5.3.2 no service',
    STARTTLS: '502 5.5.1 not here',
    AUTH: '535 5.7.8 wrong password',
    MAIL: '550 5.1.0 not from you',
    // Without a status: with 5.1.1 the address of a single recipient would be suppressed.
    RCPT: '550 mailbox not available',
    DATA: '554 5.3.0 no',
    message: '554 5.6.0 refused',
    RSET: '502 5.5.1 not here',
    QUIT: '502 5.5.1 not here',
  },
};

/** The stages that have another name than their command. */
const STAGES: Record<string, Stage> = { CONNECT: 'greeting', HELO: 'EHLO', 'DATA-END': 'message' };

interface Session {
  recipient: string | null;
  isHanging: boolean;
  unconfirmed: Copy | null;
}

export async function startFaultyServer(): Promise<FaultyServer> {
  const sessions = new Map<Socket, Session>();
  const open = (socket: Socket): Session => {
    const session: Session = { recipient: null, isHanging: false, unconfirmed: null };
    sessions.set(socket, session);
    socket.once('close', () => sessions.delete(socket));
    return session;
  };
  const scripted = await startScripted((command, socket) => {
    if (command === 'DATA-LINE') return undefined;
    const [word = ''] = command.split(' ', 1);
    const stage = STAGES[word] ?? (word as Stage);
    const session = sessions.get(socket) ?? open(socket);
    return session.isHanging || socket.destroyed ? '' : replyTo(stage, command, socket, session);
  });
  const faulty: FaultyServer = {
    url: scripted.url,
    copies: [],
    misbehaved: [],
    fault: () => null,
    async idle() {
      while (sessions.size > 0) await new Promise((resolve) => [...sessions.keys()][0]?.once('close', resolve));
    },
    close: scripted.close,
  };

  function replyTo(stage: Stage, command: string, socket: Socket, session: Session): ReturnType<Script> {
    if (session.unconfirmed !== null) session.unconfirmed.isConfirmed = true;
    session.unconfirmed = null;
    if (stage === 'MAIL' || stage === 'RSET') session.recipient = null;
    if (stage === 'RCPT') session.recipient = /<(.*)>/.exec(command)?.[1] ?? null;
    const { recipient } = session;
    if (stage === 'DATA' && recipient === null) return '503 5.5.1 no recipient';
    const fault = faulty.fault(stage, recipient);
    // A refused message is not kept; one without a proper reply is, as far as the client can know.
    if (stage === 'message' && fault !== 'temporary' && fault !== 'permanent') {
      const message = scripted.messages.at(-1) ?? '';
      const messageId = /^Message-ID: (\S+)/im.exec(message)?.[1] ?? 'none';
      session.unconfirmed = { to: recipient ?? 'nobody', messageId, message, isConfirmed: false };
      faulty.copies.push(session.unconfirmed);
    }
    if (fault === null) {
      if (stage === 'QUIT') setImmediate(() => socket.end());
      // STARTTLS is offered only while it fails, because this server has no certificate.
      const offered = faulty.fault('STARTTLS', null) === null ? '' : '250-STARTTLS\r\n';
      return stage === 'EHLO' ? `250-faulty\r\n250-PIPELINING\r\n${offered}250 AUTH PLAIN` : undefined;
    }
    faulty.misbehaved.push({ stage, recipient });
    if (stage === 'RCPT' && fault !== 'slow') session.recipient = null;
    if (fault === 'hang') session.isHanging = true;
    if (fault === 'close') socket.destroy();
    if (fault === 'hang' || fault === 'close') return '';
    // Each part is written 5 ms after the one before.
    if (fault === 'slow') return [...Array(20).fill(''), `${SLOW_REPLIES[stage] ?? '250 2.0.0 ok'}\r\n`];
    return fault === 'garbage' ? '\u0000\u0001 what?' : REPLIES[fault][stage];
  }

  return faulty;
}
