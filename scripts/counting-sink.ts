/**
 * An SMTP server that keeps nothing but who was mailed what: it counts copies by recipient and Message-ID.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface CountingSink {
  /** `smtp://127.0.0.1:port` */
  url: string;
  /** The Message-IDs of the copies that each recipient has, in the order they came. */
  copies: ReadonlyMap<string, string[]>;
  /** Ends when the next copy comes. */
  nextCopy(): Promise<void>;
  close(): Promise<void>;
}

/** @param delay milliseconds between taking a message and saying so: a process that dies in between does not know */
export async function startCountingSink(delay: number): Promise<CountingSink> {
  const copies = new Map<string, string[]>();
  const sockets = new Set<Socket>();
  const taken = new EventEmitter();
  const take = (recipient: string, messageId: string): void => {
    taken.emit('copy');
    const known = copies.get(recipient);
    if (known === undefined) copies.set(recipient, [messageId]);
    else known.push(messageId);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    serve(socket, delay, take);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `smtp://127.0.0.1:${port}`,
    copies,
    nextCopy: async () => {
      await once(taken, 'copy');
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function serve(socket: Socket, delay: number, take: (recipient: string, messageId: string) => void): void {
  let rest = '';
  let data = false;
  let recipient = '';
  let messageId = '';
  const say = (reply: string): void => {
    if (!socket.destroyed) socket.write(`${reply}\r\n`);
  };
  const command = (line: string): void => {
    if (line.startsWith('RCPT')) recipient = /<(.*)>/.exec(line)?.[1] ?? '';
    data = line === 'DATA';
    if (line === 'QUIT') socket.end('221 bye\r\n');
    else say(data ? '354 go on' : '250 fine');
  };
  const content = (line: string): void => {
    if (line.startsWith('Message-ID:')) messageId = line.slice('Message-ID:'.length).trim();
    if (line !== '.') return;
    data = false;
    // Taken now: what happens to the connection from here on changes nothing about that.
    take(recipient, messageId);
    setTimeout(() => say('250 2.0.0 taken'), delay);
  };
  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) (data ? content : command)(line);
  });
  say('220 counting');
}
