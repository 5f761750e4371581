import { afterEach, describe, expect, it } from 'vitest';
import type { TlsFinding } from '../../../src/delivery/sending-domain/mx/judge-mx-tls.ts';
import { judgeMxTls } from '../../../src/delivery/sending-domain/mx/judge-mx-tls.ts';
import { onlyPublic, openTlsProbe } from '../../../src/delivery/sending-domain/mx/probe-tls.ts';
import { closeServers, type Script, startScripted } from '../servers.ts';

afterEach(closeServers);

async function probe(script: Script): Promise<TlsFinding> {
  const { port } = await startScripted(script);
  return openTlsProbe(port, 100)('mx.example.com', '127.0.0.1');
}

const EHLO = '250-mx.example.com\r\n250 STARTTLS';

describe('asking a mail exchange for TLS', () => {
  it.each([
    ['says nothing', () => '', 'it did not answer in time'],
    ['refuses connections', () => '554 no', 'it greets with 554 no'],
    [
      'refuses us after the greeting',
      (command) => (command === 'CONNECT' ? undefined : '554 your address is listed'),
      'it answers EHLO with 554 your address is listed',
    ],
    [
      'has no TLS for the moment',
      (command) => ({ EHLO, STARTTLS: '454 not now' })[command.split(' ')[0] ?? ''],
      'it answers STARTTLS with 454 not now',
    ],
    ['speaks something else', () => 'SSH-2.0-something', 'it did not answer in time'],
    ['sends replies without an end', () => `220-${'x'.repeat(9_000)}`, 'its reply is too long'],
  ] satisfies [string, Script, string][])('knows nothing of a server that %s', async (_, script, reason) => {
    expect(await probe(script)).toEqual({ kind: 'unreachable', reason });
  });

  it('knows nothing of a server that closes the connection, or whose handshake fails', async () => {
    const closing: Script = (command, socket) => {
      if (command.startsWith('EHLO')) socket.destroy();
      return undefined;
    };
    expect(await probe(closing)).toEqual({ kind: 'unreachable', reason: expect.stringMatching(/closed/) });
    const replies = { EHLO, STARTTLS: '220 go on\r\nno handshake' };
    const broken: Script = (command) => replies[command.split(' ')[0] as keyof typeof replies];
    expect(await probe(broken)).toMatchObject({ kind: 'unreachable' });
  });

  it('finds that a server offers no TLS, or refuses it', async () => {
    expect(await probe((command) => (command.startsWith('EHLO') ? '250 mx.example.com' : undefined))).toEqual({
      kind: 'no-tls',
    });
    const replies = { EHLO, STARTTLS: '502 not here' };
    expect(await probe((command) => replies[command.split(' ')[0] as keyof typeof replies])).toEqual({
      kind: 'no-tls',
    });
  });
});

describe('the address of a mail exchange', () => {
  it.each(['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.1.2.3'])(
    'is not connected to where it is not public: %s',
    async (address) => {
      const probe = onlyPublic(() => Promise.reject(new Error('connected')));
      const finding = await probe('mx.example.com', address);
      expect(finding).toEqual({ kind: 'not-public', address });
      expect(judgeMxTls('mx.example.com', finding, 0)).toMatchObject({
        verdict: 'unknown',
        message: expect.stringMatching(/is not public, so its TLS was not tried/),
      });
    },
  );

  it('is connected to where it is public', async () => {
    const probe = onlyPublic(() => Promise.resolve({ kind: 'no-tls' }));
    expect(await probe('mx.example.com', '8.8.8.8')).toEqual({ kind: 'no-tls' });
  });
});

describe('the certificate of a mail exchange', () => {
  const day = 86_400_000;
  const until = (validUntil: number): TlsFinding => ({ kind: 'tls', problem: null, validUntil, protocol: 'TLSv1.3' });

  it('should be renewed a week before it ends', () => {
    expect(judgeMxTls('mx.example.com', until(8 * day), 0)).toMatchObject({ verdict: 'pass' });
    expect(judgeMxTls('mx.example.com', until(6.5 * day), 0)).toMatchObject({
      verdict: 'fail',
      message: 'the certificate of mx.example.com ends in 6 days: renew it',
    });
  });
});
