import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, startScripted, startServer } from '../../../scripts/smtp-servers.ts';
import { smtpSeconds } from '../../../src/core/metrics.ts';
import { openTransport } from '../../../src/delivery/transport/open-transport.ts';
import { classifyFailure } from '../../../src/delivery/transport/retry.ts';
import { passwordRedactor, readFailure } from '../../../src/delivery/transport/smtp-failure.ts';
import { openSmtpTransport } from '../../../src/delivery/transport/smtp-transport.ts';
import { anyText } from '../../support/any-text.ts';
import { testConfig } from '../fixture.ts';
import { failureOf, outgoing, PATIENT } from './outgoing.ts';

afterEach(closeServers);

const PASSWORD = 'p@ss/w%rd ünd';

function withLogin(url: string, password = PASSWORD): string {
  return url.replace('//', `//ada:${encodeURIComponent(password)}@`);
}

describe('the SMTP transport', () => {
  it('submits several messages over one connection and returns the server’s replies', async () => {
    const server = await startServer();
    const connection = await openSmtpTransport(server.url, 1).connect();
    expect(await connection.submit(outgoing('ada@example.com'))).toBe('250 2.0.0 kept as 1');
    expect(await connection.submit(outgoing('bob@example.com'))).toBe('250 2.0.0 kept as 2');
    connection.close();
    expect(connection.usable).toBe(false);
    expect(server.received).toMatchObject([
      { from: 'roundup@example.com', to: ['ada@example.com'] },
      { from: 'roundup@example.com', to: ['bob@example.com'] },
    ]);
    expect(server.received[0]?.raw).toEqual(Buffer.concat(outgoing().chunks));
  });

  it('logs in with the percent-decoded name and password of the URL', async () => {
    const seen: unknown[] = [];
    const server = await startServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth({ username, password }, _session, done) {
        seen.push([username, password]);
        done(null, { user: username });
      },
    });
    await openSmtpTransport(withLogin(server.url), 1).verify();
    expect(seen).toEqual([['ada', PASSWORD]]);
  });

  it('continues over the same connection after a recipient was refused', async () => {
    const server = await startServer({
      onRcptTo({ address }, _session, done) {
        const refusal = Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 });
        done(address.startsWith('nobody') ? refusal : null);
      },
    });
    smtpSeconds.reset();
    const connection = await openSmtpTransport(server.url, 1).connect();
    const failure = await failureOf(connection.submit(outgoing('nobody@example.com')));
    expect(failure).toMatchObject({ code: 'EENVELOPE', replyCode: 550, command: 'RCPT TO' });
    expect(failure.message).toMatch(/^127\.0\.0\.1:\d+ answered: 550 5\.1\.1 no such user$/);
    expect(connection.usable).toBe(true);
    expect(await connection.submit(outgoing())).toContain('250');
    const counted = (await smtpSeconds.get()).values.filter(({ metricName }) => metricName?.endsWith('_count'));
    expect(counted).toMatchObject([
      { labels: { outcome: 'refused' }, value: 1 },
      { labels: { outcome: 'accepted' }, value: 1 },
    ]);
    connection.close();
  });

  it('describes for the operator why it cannot connect', async () => {
    const closed = openSmtpTransport('smtp://127.0.0.1:1', 1).verify();
    expect((await failureOf(closed)).message).toBe('127.0.0.1:1 refuses connections');
    const unknown = openSmtpTransport('smtp://mail.invalid', 1).verify();
    expect((await failureOf(unknown)).message).toMatch(/^mail\.invalid:587 cannot be found/);
    const noLogin = await startServer({ hideSTARTTLS: true, disabledCommands: ['AUTH', 'STARTTLS'] });
    expect((await failureOf(openSmtpTransport(withLogin(noLogin.url), 1).verify())).message).toContain(
      'the URL holds a user name, but the server offers no login',
    );
  });

  it('never shows the password, even if the server repeats it', async () => {
    const plain = Buffer.from(`\u0000ada\u0000${PASSWORD}`).toString('base64');
    const forms = [PASSWORD, encodeURIComponent(PASSWORD), Buffer.from(PASSWORD).toString('base64'), plain];
    const server = await startScripted((command) =>
      command.startsWith('AUTH') ? `535 5.7.8 wrong: ${forms.join(' or ')}` : undefined,
    );
    const failure = await failureOf(openSmtpTransport(withLogin(server.url), 1).verify());
    expect(classifyFailure(failure)).toBe('systemic');
    expect(failure.message).toMatch(/refuses the login: 535 5\.7\.8 wrong: … or … or … or …$/);
    for (const form of forms) expect(JSON.stringify(failure)).not.toContain(form);
  });

  it('notices that the server closed an idle connection', async () => {
    const server = await startScripted((command, socket) => {
      if (command === 'DATA-END') setImmediate(() => socket.end('250 ok\r\n'));
      return command === 'DATA-END' ? '' : undefined;
    });
    const connection = await openSmtpTransport(server.url, 1, PATIENT).connect();
    await connection.submit(outgoing());
    await expect.poll(() => connection.usable).toBe(false);
  });

  it('closes a connection after a hundred messages', async () => {
    const server = await startScripted(() => undefined);
    const connection = await openSmtpTransport(server.url, 1, PATIENT).connect();
    for (let n = 1; n < 100; n++) await connection.submit(outgoing());
    expect(connection.usable).toBe(true);
    await connection.submit(outgoing());
    expect(connection.usable).toBe(false);
    await expect.poll(() => server.commands.at(-1)).toBe('QUIT');
  });

  it.each([
    ['smtp://mail.example?tls.rejectUnauthorized=false', 'no path and no parameters'],
    ['smtp://mail.example/box', 'no path and no parameters'],
    ['smtp://', 'must name a host'],
    ['smtp://ada:100%@mail.example', 'percent-encoded'],
  ])('rejects the URL %s', (url, message) => {
    expect(() => openSmtpTransport(url, 1)).toThrow(message);
  });

  it('requires a server URL, and prefers that of the environment', async () => {
    const config = testConfig({ delivery: { transport: 'smtp' } });
    expect(() => openTransport(config)).toThrow('set DAYWIRE_SMTP_URL or delivery.smtpUrl');
    const server = await startServer();
    const delivery = { ...config.delivery, smtpUrl: 'smtp://mail.invalid' };
    await openTransport({ ...config, delivery, secrets: { smtpUrl: server.url } }).verify();
  });
});

describe('readFailure', () => {
  it('returns single lines of bounded length without the password, whatever the server replies', () => {
    const server = { place: 'mail.example:587', redact: passwordRedactor({ user: 'ada', pass: 'correct horse' }) };
    const part = fc.oneof(anyText(60), fc.constantFrom('correct horse', 'correct\u0000 horse', 'x'.repeat(600)));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.string(), (parts, code) => {
        const text = parts.join('');
        const failure = readFailure({ code, response: text, message: text, responseCode: 550 }, server);
        return [failure.message, failure.reply ?? ''].every(
          (line) =>
            !/[\u0000-\u001f\u007f-\u009f]/.test(line) &&
            line.isWellFormed() &&
            !line.includes('correct horse') &&
            line.length < 600,
        );
      }),
    );
  });

  it('returns a message without addresses, wherever it is truncated, and the whole reply', () => {
    const server = { place: 'mail.example:587', redact: (text: string) => text };
    for (let before = 440; before < 500; before++) {
      const text = `550 ${'x'.repeat(before)} <secret.token@example.com>: no`;
      const { message } = readFailure({ response: text, message: text, responseCode: 550 }, server);
      expect(message).not.toContain('secret');
    }
    const response = '554 5.7.1 <ada@example.com>: denied';
    expect(readFailure({ response, responseCode: 554 }, server)).toMatchObject({
      reply: response,
      message: 'mail.example:587 answered: 554 5.7.1 <address>: denied',
    });
  });
});
