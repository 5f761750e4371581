/**
 * A name server on 127.0.0.1, over UDP and TCP, with zones given as data.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { type Answer, decode, encode, type Packet, type Question, RECURSION_DESIRED, streamEncode } from 'dns-packet';

type ZoneType = 'A' | 'AAAA' | 'TXT' | 'MX' | 'CNAME' | 'PTR';

/**
 * The records of a name by type. A TXT may be several strings; an MX is such as `10 mail.example.com`. Instead of
 * records: `SERVFAIL`, or `silent` for no answer at all.
 */
type ZoneNode = { [type in ZoneType]?: (string | string[])[] } | 'SERVFAIL' | 'silent';

/** By absolute name, in lower case. */
export type Zone = Record<string, ZoneNode>;

export interface NameServer {
  /** Such as `127.0.0.1:5353`. */
  address: string;
  /** Questions that it was asked, such as `TXT example.com`, and how. */
  asked: { question: string; over: 'udp' | 'tcp' }[];
  close(): Promise<void>;
}

/** RFC 1035 §4.2.1: a longer answer over UDP is truncated, and asked for again over TCP. */
const UDP_LIMIT = 512;
const [SERVFAIL, NXDOMAIN, TRUNCATED] = [2, 3, 1 << 9];
const MOST_ALIASES = 8;

export async function startNameServer(zone: Zone): Promise<NameServer> {
  const asked: NameServer['asked'] = [];
  const answer = (query: Packet, over: 'udp' | 'tcp'): Packet | null => {
    const [question] = query.questions ?? [];
    if (question === undefined) return null;
    asked.push({ question: `${question.type} ${question.name}`, over });
    return answerOf(zone, query, question);
  };
  const tcp = createServer((socket) => serveTcp(socket, (query) => answer(query, 'tcp')));
  // Both need the same port, so the second may find it in use.
  for (;;) {
    const port = await listenTcp(tcp);
    const udp = await bindUdp(port);
    if (udp === null) {
      await new Promise((closed) => tcp.close(closed));
      continue;
    }
    udp.on('message', (octets, { port: from, address }) => {
      const reply = answer(decode(octets), 'udp');
      if (reply !== null) udp.send(truncated(reply), from, address);
    });
    return {
      address: `127.0.0.1:${port}`,
      asked,
      close: async () => {
        udp.close();
        await new Promise((closed) => tcp.close(closed));
      },
    };
  }
}

function answerOf(zone: Zone, query: Packet, { name, type }: Question): Packet | null {
  const reply: Packet = {
    type: 'response',
    id: query.id ?? 0,
    flags: RECURSION_DESIRED,
    questions: query.questions ?? [],
  };
  const answers: Answer[] = [];
  let owner = name.toLowerCase();
  for (let aliases = 0; aliases <= MOST_ALIASES; aliases++) {
    const node = zone[owner];
    if (node === 'silent') return null;
    if (node === 'SERVFAIL') return { ...reply, flags: RECURSION_DESIRED | SERVFAIL };
    if (node === undefined)
      return { ...reply, flags: RECURSION_DESIRED | (answers.length > 0 ? 0 : NXDOMAIN), answers };
    const own = (node[type as ZoneType] ?? []).map((data) => toAnswer(owner, type as ZoneType, data));
    const [alias] = node.CNAME ?? [];
    answers.push(...own);
    if (own.length > 0 || typeof alias !== 'string') break;
    answers.push(toAnswer(owner, 'CNAME', alias));
    owner = alias;
  }
  return { ...reply, answers };
}

function toAnswer(name: string, type: ZoneType, data: string | string[]): Answer {
  const ttl = 60;
  if (type === 'TXT') return { name, type, ttl, data };
  const text = String(data);
  if (type !== 'MX') return { name, type, ttl, data: text };
  const [preference = '10', exchange = ''] = text.split(' ');
  return { name, type, ttl, data: { preference: Number(preference), exchange } };
}

function truncated(reply: Packet): Buffer {
  const octets = encode(reply);
  return octets.length <= UDP_LIMIT ? octets : encode({ ...reply, flags: (reply.flags ?? 0) | TRUNCATED, answers: [] });
}

function serveTcp(socket: Socket, answer: (query: Packet) => Packet | null): void {
  let read = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    read = Buffer.concat([read, chunk]);
    while (read.length >= 2 && read.length >= 2 + read.readUInt16BE(0)) {
      const end = 2 + read.readUInt16BE(0);
      const reply = answer(decode(read.subarray(2, end)));
      read = read.subarray(end);
      if (reply !== null) socket.write(streamEncode(reply));
    }
  });
}

function listenTcp(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

function bindUdp(port: number): Promise<UdpSocket | null> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => resolve(null));
    socket.bind(port, '127.0.0.1', () => resolve(socket));
  });
}
