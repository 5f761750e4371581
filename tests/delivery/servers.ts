/**
 * SMTP servers for tests: a real one that keeps what it takes, and one that misbehaves as told.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface Received {
  from: string;
  to: string[];
  raw: Buffer;
  /** Whether it came over TLS. */
  secure: boolean;
}

export interface TestServer {
  port: number;
  /** `smtp://127.0.0.1:port` */
  url: string;
  received: Received[];
  close(): Promise<void>;
}

const running: { close(): Promise<void> }[] = [];

/** Ends every server that was started. */
export async function closeServers(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.close()));
}

/** A server by the npm package smtp-server. `options` may refuse at any step. */
export async function startServer(options: SMTPServerOptions = {}): Promise<TestServer> {
  const received: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    // It would warn of its own certificate, which is good enough to be refused.
    logger: false,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map((to) => to.address),
          raw: Buffer.concat(chunks),
          secure: session.secure,
        });
        done(null, `2.0.0 kept as ${received.length}`);
      });
    },
    ...options,
  } as SMTPServerOptions);
  server.on('error', () => {});
  const port = await listen(server.server as Server);
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  running.push({ close });
  return { port, url: `smtp://127.0.0.1:${port}`, received, close };
}

/** What to do when a command comes: a reply to write, or anything with the socket. `DATA-END` stands for the final dot. */
export type Script = (command: string, socket: Socket, count: number) => string | undefined;

/** A server of a few lines that answers as the script says, and well where the script says nothing. */
export async function startScripted(script: Script): Promise<Omit<TestServer, 'received'> & { commands: string[] }> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let inData = false;
    let rest = '';
    const answer = (command: string): void => {
      commands.push(command);
      const name = command.split(' ', 1)[0] ?? '';
      const count = commands.filter((one) => one.startsWith(name)).length;
      const reply = script(command, socket, count) ?? usual(name);
      if (socket.destroyed || reply === '') return;
      inData = reply.startsWith('354');
      socket.write(`${reply}\r\n`);
    };
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      for (;;) {
        const end = rest.indexOf('\r\n');
        if (end < 0) return;
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (!inData) answer(line);
        else if (line === '.') {
          inData = false;
          answer('DATA-END');
        } else if (line.startsWith('Subject:')) script('DATA-LINE', socket, 1);
      }
    });
    answer('CONNECT');
  });
  const port = await listen(server);
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  running.push({ close });
  return { port, url: `smtp://127.0.0.1:${port}`, commands, close };
}

function usual(command: string): string {
  switch (command) {
    case 'CONNECT':
      return '220 scripted';
    case 'EHLO':
      return '250-scripted\r\n250 AUTH PLAIN';
    case 'AUTH':
      return '235 2.7.0 welcome';
    case 'DATA':
      return '354 go on';
    case 'QUIT':
      return '221 bye';
    default:
      return '250 2.0.0 ok';
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}
