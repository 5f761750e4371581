/**
 * An SMTP server that accepts everything and keeps only the recipients and Message-IDs. A listener can read each
 * message as it arrives.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface CountingSink {
  /** `smtp://127.0.0.1:port` */
  url: string;
  /** The Message-IDs of the copies by recipient, in order of arrival. */
  copies: ReadonlyMap<string, string[]>;
  /** Resolves with the next copy. */
  nextCopy(): Promise<void>;
  close(): Promise<void>;
}

export interface AcceptedMessage {
  recipient: string;
  messageId: string;
  /** As it was transferred, without dot-stuffing undone. */
  text: string;
}

/**
 * @param delay milliseconds between accepting a message and the reply: a process that is killed in between is uncertain
 */
export async function startCountingSink(
  delay: number,
  onMessage?: (message: AcceptedMessage) => void,
): Promise<CountingSink> {
  const copies = new Map<string, string[]>();
  const sockets = new Set<Socket>();
  const arrivals = new EventEmitter();
  const accept = (message: AcceptedMessage): void => {
    const { recipient, messageId } = message;
    arrivals.emit('copy');
    onMessage?.(message);
    const known = copies.get(recipient);
    if (known === undefined) copies.set(recipient, [messageId]);
    else known.push(messageId);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    serve(socket, { delay, accept, keepsText: onMessage !== undefined });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `smtp://127.0.0.1:${port}`,
    copies,
    nextCopy: async () => {
      await once(arrivals, 'copy');
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

interface ServeOptions {
  delay: number;
  accept(message: AcceptedMessage): void;
  /** Text costs memory: a counting sink of a million messages keeps none. */
  keepsText: boolean;
}

function serve(socket: Socket, { delay, accept, keepsText }: ServeOptions): void {
  let rest = '';
  let data = false;
  let recipient = '';
  let messageId = '';
  let text: string[] = [];
  const write = (reply: string): void => {
    if (!socket.destroyed) socket.write(`${reply}\r\n`);
  };
  const command = (line: string): void => {
    if (line.startsWith('RCPT')) recipient = /<(.*)>/.exec(line)?.[1] ?? '';
    data = line === 'DATA';
    if (line === 'QUIT') socket.end('221 bye\r\n');
    else write(data ? '354 go on' : '250 ok');
  };
  const content = (line: string): void => {
    if (line.startsWith('Message-ID:')) messageId = line.slice('Message-ID:'.length).trim();
    if (line !== '.') {
      if (keepsText) text.push(line);
      return;
    }
    data = false;
    // Accepted now, whatever happens to the connection.
    accept({ recipient, messageId, text: text.join('\r\n') });
    text = [];
    setTimeout(() => write('250 2.0.0 accepted'), delay);
  };
  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) (data ? content : command)(line);
  });
  write('220 counting');
}
