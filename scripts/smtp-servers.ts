/**
 * SMTP servers for tests: a real one that keeps messages, and a scripted one that can misbehave.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface Received {
  from: string;
  to: string[];
  raw: Buffer;
  /** Whether it was received over TLS. */
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

/** Closes all servers. */
export async function closeServers(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.close()));
}

/** Greets clients at once. The package waits for 100 ms, in case one talks too early. */
class PromptServer extends SMTPServer {
  override connect(...args: Parameters<SMTPServer['connect']>): void {
    super.connect(...args);
    const connection = [...this.connections].at(-1);
    // A connection that begins with TLS greets after its handshake.
    if (connection === undefined || connection.needsUpgrade) return;
    const greet = connection.connectionReady.bind(connection);
    // The timer of the package calls it, too.
    connection.connectionReady = () => {};
    setImmediate(greet);
  }
}

/** A server of the npm package smtp-server. `options` can refuse at any step. */
export async function startServer(options: SMTPServerOptions = {}): Promise<TestServer> {
  const received: Received[] = [];
  const server = new PromptServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    // It would warn about its self-signed certificate.
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

/**
 * Returns the reply to a command; an array is written in separate packets, and '' writes nothing. It can also use the
 * socket. `DATA-END` is the final dot.
 */
export type Script = (command: string, socket: Socket, count: number) => string | string[] | undefined;

/** A script with replies to some commands, by their first word; to others it replies like a server with PIPELINING. */
export function pipelining(replies: Record<string, string | string[]>): Script {
  const all = { EHLO: '250-scripted\r\n250 PIPELINING', ...replies };
  return (command) => all[command.split(' ', 1)[0] as keyof typeof all];
}

export interface ScriptedServer extends Omit<TestServer, 'received'> {
  commands: string[];
  /** Everything between DATA and the final dot, byte for byte. */
  messages: string[];
  /** Everything that it received, byte for byte, by connection. */
  bytes: string[];
}

/** A server that replies as the script says, and accepts everything else. */
export async function startScripted(script: Script): Promise<ScriptedServer> {
  const commands: string[] = [];
  const messages: string[] = [];
  const bytes: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.setNoDelay(true);
    const connection = bytes.push('') - 1;
    let inData = false;
    let rest = '';
    let message = '';
    const answer = (command: string): void => {
      commands.push(command);
      const name = command.split(' ', 1)[0] ?? '';
      const count = commands.filter((one) => one.startsWith(name)).length;
      const reply = script(command, socket, count) ?? usual(name);
      const parts = typeof reply === 'string' ? [reply] : reply;
      if (socket.destroyed || parts.join('') === '') return;
      inData = command === 'DATA' && /^354/m.test(parts.join(''));
      message = '';
      writeParts(socket, parts);
    };
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      bytes[connection] += chunk.toString('latin1');
      for (;;) {
        const end = rest.indexOf('\r\n');
        if (end < 0) return;
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (!inData) answer(line);
        else if (line === '.') {
          inData = false;
          messages.push(message);
          answer('DATA-END');
        } else {
          message += `${line}\r\n`;
          if (line.startsWith('Subject:')) script('DATA-LINE', socket, 1);
        }
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
  return { port, url: `smtp://127.0.0.1:${port}`, commands, messages, bytes, close };
}

/** A server with a reply for some recipients. */
export function startReplying(reply: (address: string) => string | undefined): Promise<ScriptedServer> {
  return startScripted((command) => {
    const to = /^RCPT TO:<(.*?)>/.exec(command)?.[1];
    return to === undefined ? undefined : reply(to);
  });
}

function writeParts(socket: Socket, parts: string[]): void {
  const [first = '', ...rest] = parts;
  socket.write(rest.length === 0 ? `${first}\r\n` : first);
  if (rest.length > 0) setTimeout(() => writeParts(socket, rest), 5);
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
