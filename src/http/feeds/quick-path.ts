/**
 * A quick path to the feeds that readers poll: it reads plain requests from the connection itself and answers them with bytes that lie
 * ready, at about twice the rate of Node's HTTP server (npm run bench -- http). Anything else, and every doubt, goes to that server
 * together with its connection. Answers are the same either way (tests/http/feeds/quick-path.test.ts compares them).
 */
import type { Socket } from 'node:net';
import { type Clock, SECOND } from '../../lib/time.ts';
import { httpDate } from '../server/conditional.ts';
import { fieldsOf, judge, type Servable, type Verdict } from './decide-response.ts';
import { type PlainRequest, type Reading, readPlainRequest } from './plain-request.ts';

export interface QuickPath {
  /** The document that a request target names, or undefined where it is not for the quick path. */
  find(target: string): Promise<Servable | null> | undefined;
  clock: Clock;
  /** A connection that says nothing is closed after so many milliseconds. */
  idleMs: number;
  /** Is told of each answer. */
  note(path: string, userAgent: string | undefined, status: number): void;
}

const BEFORE_FIRST = 60 * SECOND;
/** So many idle times pass before one that is not idle is given up: an answer that does not come, or is not read. */
const MOST_SILENCES = 10;

/** A connection on the quick path. */
export interface Taken {
  /** Ends it when what has been asked is answered. */
  finish(): void;
}

/**
 * Takes a connection.
 * @param pass takes it over, with what has been read and not answered put back
 */
export function takeConnection(socket: Socket, quick: QuickPath, pass: (socket: Socket) => void): Taken {
  let unread = '';
  let isAnswering = false;
  let hasSpoken = false;
  let silences = 0;
  let hasEnded = false;
  let isFinishing = false;

  const onData = (chunk: Buffer): void => {
    if (!hasSpoken) socket.setTimeout(quick.idleMs);
    hasSpoken = true;
    unread += chunk.toString('latin1');
    // Until it is answered nothing more is read.
    socket.pause();
    answerNext();
  };

  const answerNext = (): void => {
    isAnswering = false;
    if (unread === '') {
      if (hasEnded || isFinishing) socket.end();
      else socket.resume();
      return;
    }
    const read = readPlainRequest(unread);
    const found = read === null ? undefined : quick.find(read.request.target);
    if (read === null || found === undefined) {
      passOn();
      return;
    }
    isAnswering = true;
    found.then(
      (document) => answer(document, read),
      // The server says what is wrong, and logs it.
      () => answer(null, read),
    );
  };

  const answer = (document: Servable | null, { request, end }: Reading): void => {
    if (socket.destroyed) return;
    const verdict = document === null ? null : judge(document, request, quick.clock());
    // What is not there, and what is new since, the app answers.
    if (document === null || verdict === null || verdict.status === 226) {
      passOn();
      return;
    }
    unread = unread.slice(end);
    quick.note(document.path, request.userAgent, verdict.status);
    // Who asks for more than he reads waits.
    if (write(document, verdict, request)) answerNext();
    else socket.once('drain', answerNext);
  };

  const write = (document: Servable, verdict: Verdict, { method }: PlainRequest): boolean => {
    const head = headOf(document, verdict, quick.clock());
    if (verdict.status === 304 || method === 'HEAD') return socket.write(head, 'latin1');
    socket.cork();
    socket.write(head, 'latin1');
    const hasRoom = socket.write(document.bodies[verdict.form.coding]);
    socket.uncork();
    return hasRoom;
  };

  const passOn = (): void => {
    for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener as () => void);
    socket.setTimeout(0);
    if (hasEnded) {
      // Nothing can be put back behind the end of a stream: who closes his side at once gets the feeds that he asked for first.
      socket.destroy();
      return;
    }
    socket.unshift(Buffer.from(unread, 'latin1'));
    pass(socket);
    socket.resume();
  };

  const onEnd = (): void => {
    hasEnded = true;
    if (!isAnswering) socket.end();
  };
  const hangUp = (): void => {
    socket.destroy();
  };
  // While it is ours to answer, or the client's to read, the connection has more time; one timer is cheaper than a new one each time.
  const onTimeout = (): void => {
    if (!isAnswering || ++silences >= MOST_SILENCES) hangUp();
    else socket.setTimeout(quick.idleMs);
  };
  // A client that hangs up is nothing to report.
  const listeners = { data: onData, end: onEnd, timeout: onTimeout, error: hangUp };
  for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener as () => void);
  socket.setTimeout(BEFORE_FIRST);
  return {
    finish() {
      isFinishing = true;
      if (!isAnswering) socket.end();
    },
  };
}

const heads = new WeakMap<Servable, Map<string, string>>();

/** Status line and fields. All but the date are the same for all who are answered alike. */
function headOf(document: Servable, { status, form }: Verdict, now: number): string {
  const statusLine = status === 304 ? 'HTTP/1.1 304 Not Modified' : 'HTTP/1.1 200 OK';
  return `${statusLine}\r\nDate: ${dateOf(now)}\r\n${restOfHead(document, { status, form }, now)}`;
}

function restOfHead(document: Servable, verdict: Pick<Verdict, 'status' | 'form'>, now: number): string {
  const { status, form } = verdict;
  const key = `${status}${form.coding}${form.plainXml}`;
  let known = heads.get(document);
  if (known === undefined) {
    known = new Map();
    heads.set(document, known);
  }
  let rest = known.get(key);
  if (rest === undefined) {
    const fields = fieldsOf(document, verdict, now);
    if (status === 200) fields.push(['Content-Length', String(document.bodies[form.coding].length)]);
    rest = `${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n`;
    // Where another clock is ahead, Last-Modified is this one's, and moves with it.
    if (document.modifiedAt <= now) known.set(key, rest);
  }
  return rest;
}

let date = { second: -1, text: '' };

function dateOf(now: number): string {
  const second = Math.floor(now / SECOND);
  if (second !== date.second) date = { second, text: httpDate(now) };
  return date.text;
}
