import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import type { SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { closeServers, startScripted, startServer } from '../../../scripts/smtp-servers.ts';
import { openSmtpTransport } from '../../../src/delivery/transport/smtp-transport.ts';
import { makeCertificate } from './certificate.ts';
import { failureOf, limitsOf, outgoing, PATIENT } from './outgoing.ts';

const certificate = makeCertificate(Date.now());
const trusted = tls.getCACertificates('default');
beforeAll(() => tls.setDefaultCACertificates([...trusted, certificate.cert]));
afterAll(() => tls.setDefaultCACertificates(trusted));
afterEach(closeServers);

function smtps(url: string): string {
  return url.replace('smtp:', 'smtps:');
}

/** A server that requires a login as ada. Appends what she logged in with to `seen`. */
async function startLoginServer(options: SMTPServerOptions, seen: unknown[] = []) {
  return startServer({
    ...certificate,
    authOptional: false,
    disabledCommands: [],
    onAuth({ username, password, method }, _session, done) {
      seen.push([method, username, password]);
      const wrong = Object.assign(new Error('5.7.8 wrong'), { responseCode: 535 });
      if (password === 'secret') done(null, { user: username ?? '' });
      else done(wrong);
    },
    ...options,
  });
}

describe('the SMTP transport over TLS', () => {
  it.each(['PLAIN', 'LOGIN'])('logs in by AUTH %s and submits, with implicit TLS and STARTTLS', async (method) => {
    const seen: unknown[] = [];
    for (const secure of [true, false]) {
      const server = await startLoginServer({ secure, authMethods: [method] }, seen);
      const url = server.url.replace('//', '//ada:secret@');
      const connection = await openSmtpTransport(secure ? smtps(url) : url, 1).connect();
      expect(await connection.submit(outgoing())).toBe('250 2.0.0 kept as 1');
      connection.close();
      expect(server.received).toMatchObject([{ secure: true, to: ['ada@example.com'] }]);
      expect(server.received[0]?.raw).toEqual(Buffer.concat(outgoing().chunks));
    }
    expect(seen).toEqual([
      [method, 'ada', 'secret'],
      [method, 'ada', 'secret'],
    ]);
  });

  it('refuses a certificate of an unknown authority', async () => {
    const stranger = makeCertificate(Date.now());
    const server = await startServer({ ...stranger, secure: true });
    const failure = await failureOf(openSmtpTransport(smtps(server.url), 1).verify());
    expect(failure.message).toMatch(
      /^127\.0\.0\.1:\d+ cannot be reached over TLS: its certificate is signed by itself: set NODE_EXTRA_CA_CERTS /,
    );
    const upgrading = await startServer({ ...stranger, disabledCommands: [] });
    const other = await failureOf(openSmtpTransport(upgrading.url, 1).verify());
    expect(other.message).toContain('NODE_EXTRA_CA_CERTS');
  });

  it('trusts a private authority that NODE_EXTRA_CA_CERTS names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'daywire-ca-'));
    try {
      const file = join(folder, 'ca.pem');
      writeFileSync(file, certificate.cert);
      const server = await startLoginServer({ secure: true });
      const transport = new URL('../../../src/delivery/transport/smtp-transport.ts', import.meta.url).href;
      const url = smtps(server.url.replace('//', '//ada:secret@'));
      const script = `const { openSmtpTransport } = await import('${transport}'); await openSmtpTransport('${url}', 1).verify();`;
      const args = ['--input-type=module', '-e', script];
      const run = (env: Record<string, string>) => promisify(execFile)(process.execPath, args, { env });
      await run({ NODE_EXTRA_CA_CERTS: file });
      await expect(run({})).rejects.toThrow('certificate');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each<[string, string | string[]]>([
    ['refuses it', '454 4.7.0 not now'],
    ['does not continue with TLS', ['220 2.0.0 go\r\n', 'not TLS at all']],
  ])('does not continue unencrypted if the server offers STARTTLS and %s', async (_name, reply) => {
    const server = await startScripted((command) => {
      if (command.startsWith('EHLO')) return '250-scripted\r\n250 STARTTLS';
      return command === 'STARTTLS' ? reply : undefined;
    });
    // On a busy machine, shorter time limits end before the failure.
    const failure = await failureOf(openSmtpTransport(server.url, 1, limitsOf(20_000)).verify());
    expect(server.commands).toContain('STARTTLS');
    expect(server.commands.join()).not.toContain('MAIL');
    expect(failure.code).toMatch(/^(ETLS|ESOCKET)$/);
  });

  it('does not send a password unencrypted to another machine', async () => {
    const server = await startScripted((command) => (command === 'STARTTLS' ? '502 5.5.1 not here' : undefined));
    // 127.0.0.1 by another name, which is not known to be this machine.
    const url = server.url.replace('//127.0.0.1', '//ada:secret@[::ffff:127.0.0.1]');
    const failure = await failureOf(openSmtpTransport(url, 1, PATIENT).verify());
    expect(server.commands).toContain('STARTTLS');
    expect(server.commands.join()).not.toContain('AUTH');
    expect(failure.message).toContain('TLS');
  });
});
