/**
 * Asks a mail exchange for TLS, as a sending server does: greeting, EHLO, STARTTLS, handshake, and then the end.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { openAddressGuard } from '../../../lib/guarded-fetch/address-guard.ts';
import { errorLine } from '../../../lib/text/clean-text.ts';
import { SECOND } from '../../../lib/time.ts';
import type { ProbeTls, TlsFinding } from './judge-mx-tls.ts';

const SMTP_PORT = 25;
const TIME_LIMIT = 4 * SECOND;
/** Octets of replies that are read before the handshake. */
const REPLY_LIMIT = 8_192;

/** @param timeLimit milliseconds for one connection, from its beginning to its end */
export function openTlsProbe(port = SMTP_PORT, timeLimit = TIME_LIMIT): ProbeTls {
  return async (host, address) => {
    const socket = connect({ host: address, port });
    const timer = setTimeout(() => socket.destroy(new Error('it did not answer in time')), timeLimit);
    try {
      return await talk(socket, host);
    } catch (error) {
      return { kind: 'unreachable', reason: errorLine(error).slice(0, 200) };
    } finally {
      clearTimeout(timer);
      socket.destroy();
    }
  };
}

/** Connects to public addresses only: an edited zone must not reach hosts of this network. */
export function onlyPublic(probe: ProbeTls): ProbeTls {
  const guard = openAddressGuard();
  return async (host, address) =>
    guard(address, 443) === null ? probe(host, address) : { kind: 'not-public', address };
}

async function talk(socket: Socket, host: string): Promise<TlsFinding> {
  const replies = readReplies(socket);
  const ask = async (command: string): Promise<string> => {
    if (command !== '') socket.write(`${command}\r\n`);
    return replies.next();
  };
  const greeting = await ask('');
  if (!greeting.startsWith('220')) throw new Error(`it greets with ${greeting.slice(0, 80)}`);
  const features = await ask('EHLO daywire.invalid');
  // It may refuse our address rather than TLS.
  if (!features.startsWith('250')) throw new Error(`it answers EHLO with ${features.slice(0, 80)}`);
  if (!/^250[ -]STARTTLS\s*$/im.test(features)) return { kind: 'no-tls' };
  const ready = await ask('STARTTLS');
  // RFC 3207 §4: 454 is a temporary failure.
  if (ready.startsWith('4')) throw new Error(`it answers STARTTLS with ${ready.slice(0, 80)}`);
  if (!ready.startsWith('220')) return { kind: 'no-tls' };
  replies.stop();
  return handshake(socket, host);
}

/** Collects replies, of one line or many (RFC 5321 §4.2.1). */
function readReplies(socket: Socket) {
  let text = '';
  let waiting: { resolve(reply: string): void; reject(error: Error): void } | null = null;
  let failure: Error | null = null;
  const offer = (): void => {
    const [reply] = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/.exec(text) ?? [];
    if (waiting === null) return;
    if (reply !== undefined) {
      text = text.slice(reply.length);
      waiting.resolve(reply);
      waiting = null;
    } else if (failure !== null) waiting.reject(failure);
  };
  const fail = (error: Error): void => {
    failure ??= error;
    offer();
  };
  const onData = (chunk: Buffer): void => {
    text += chunk.toString('latin1');
    if (text.length > REPLY_LIMIT) fail(new Error('its reply is too long'));
    offer();
  };
  const onEnd = (): void => fail(new Error('it closed the connection'));
  socket.on('data', onData);
  socket.on('error', fail);
  socket.on('close', onEnd);
  return {
    next: () =>
      new Promise<string>((resolve, reject) => {
        waiting = { resolve, reject };
        offer();
      }),
    stop() {
      socket.off('data', onData);
      socket.off('close', onEnd);
    },
  };
}

function handshake(socket: Socket, host: string): Promise<TlsFinding> {
  return new Promise((resolve, reject) => {
    // The certificate is judged, not trusted: nothing is sent afterwards.
    const secure = connectTls({ socket, servername: host, host, rejectUnauthorized: false }, () => {
      const certificate = secure.getPeerCertificate();
      const problem = secure.authorized ? null : describe(secure.authorizationError);
      resolve({
        kind: 'tls',
        problem,
        validUntil: Date.parse(certificate.valid_to ?? '') || 0,
        protocol: secure.getProtocol() ?? 'TLS',
      });
    });
    secure.on('error', reject);
    socket.on('close', () => reject(new Error('it closed the connection during the handshake')));
    socket.on('error', reject);
  });
}

const PROBLEMS: Record<string, string> = {
  CERT_HAS_EXPIRED: 'it has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'it comes from an authority that nobody trusts',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its chain to a trusted authority is not complete',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its chain to a trusted authority is not complete',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it has another name',
};

/** Node gives an error, or its code as a string. */
function describe(problem: Error | string | null): string {
  const code = typeof problem === 'string' ? problem : ((problem as NodeJS.ErrnoException | null)?.code ?? '');
  return PROBLEMS[code] ?? (code || errorLine(problem));
}
