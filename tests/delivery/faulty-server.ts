/**
 * An SMTP server that keeps messages, and misbehaves at one stage as a test says.
 */
import { createServer, type Server, type Socket } from 'node:net';

/** `message`: after the final dot. */
export type Stage = 'greeting' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'message' | 'RSET' | 'QUIT';
export type Fault = 'temporary' | 'permanent' | 'garbage' | 'hang' | 'close';

/** A message that the server has kept. */
interface Copy {
  to: string;
  messageId: string;
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

export async function startFaultyServer(): Promise<FaultyServer> {
  const sockets = new Set<Socket>();
  const copies: Copy[] = [];
  const misbehaved: FaultyServer['misbehaved'] = [];
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {});
    serve(socket, faulty);
  });
  const faulty: FaultyServer = {
    url: '',
    copies,
    misbehaved,
    fault: () => null,
    async idle() {
      while (sockets.size > 0) await new Promise((resolve) => [...sockets][0]?.once('close', resolve));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  faulty.url = `smtp://127.0.0.1:${(server.address() as { port: number }).port}`;
  return faulty;
}

function serve(socket: Socket, server: FaultyServer): void {
  let recipient: string | null = null;
  let isHanging = false;
  let data: string | null = null;
  let unconfirmed: Copy | null = null;
  const keep = (message: string): void => {
    const messageId = /^Message-ID: (\S+)/im.exec(message)?.[1] ?? 'none';
    unconfirmed = { to: recipient ?? 'nobody', messageId, isConfirmed: false };
    server.copies.push(unconfirmed);
  };
  /** @returns whether the stage went well */
  const answer = (stage: Stage, reply: string, fault = server.fault(stage, recipient)): boolean => {
    if (fault !== null) server.misbehaved.push({ stage, recipient });
    if (fault === 'hang') isHanging = true;
    else if (fault === 'close') socket.destroy();
    else if (fault === 'garbage') socket.write('\u0000\u0001 what?\r\n');
    else if (fault === null) socket.write(`${reply}\r\n`);
    else socket.write(`${REPLIES[fault][stage]}\r\n`);
    return fault === null;
  };
  // Offered only while it fails, because this server has no certificate.
  const offered = (): string[] => [
    ...['PIPELINING', 'AUTH PLAIN'],
    ...(server.fault('STARTTLS', null) === null ? [] : ['STARTTLS']),
  ];
  const handle = (line: string): void => {
    if (unconfirmed !== null) unconfirmed.isConfirmed = true;
    unconfirmed = null;
    const [command = ''] = line.toUpperCase().split(/[ :]/);
    switch (command) {
      case 'EHLO':
      case 'HELO':
        answer('EHLO', `${['faulty', ...offered()].map((name) => `250-${name}\r\n`).join('')}250 8BITMIME`);
        break;
      case 'STARTTLS':
        answer('STARTTLS', '502 5.5.1 not here');
        break;
      case 'AUTH':
        answer('AUTH', '235 2.7.0 welcome');
        break;
      case 'MAIL':
        recipient = null;
        answer('MAIL', '250 2.1.0 ok');
        break;
      case 'RCPT': {
        recipient = /<(.*)>/.exec(line)?.[1] ?? null;
        if (!answer('RCPT', '250 2.1.5 ok')) recipient = null;
        break;
      }
      case 'DATA':
        if (recipient === null) socket.write('503 5.5.1 no recipient\r\n');
        else if (answer('DATA', '354 go on')) data = '';
        break;
      case 'RSET':
        recipient = null;
        answer('RSET', '250 2.0.0 ok');
        break;
      case 'QUIT':
        if (answer('QUIT', '221 bye')) socket.end();
        break;
      default:
        socket.write('500 5.5.2 unknown command\r\n');
    }
  };
  const endData = (message: string): void => {
    // A refused message is not kept; one without a proper reply is, as far as the client can know.
    const fault = server.fault('message', recipient);
    if (fault !== 'temporary' && fault !== 'permanent') keep(message);
    answer('message', '250 2.0.0 kept', fault);
  };
  let rest = '';
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1');
    for (let end = rest.indexOf('\r\n'); end >= 0 && !isHanging && !socket.destroyed; end = rest.indexOf('\r\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (data === null) handle(line);
      else if (line !== '.') data += `${line}\r\n`;
      else {
        const message = data;
        data = null;
        endData(message);
      }
    }
  });
  answer('greeting', '220 faulty');
}
