import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { closeServers, pipelining, startScripted } from '../../../scripts/smtp-servers.ts';
import { classifyFailure } from '../../../src/delivery/transport/retry.ts';
import { openSmtpTransport } from '../../../src/delivery/transport/smtp-transport.ts';
import { until } from '../../support/until.ts';
import { failureOf, limitsOf, outgoing, PATIENT, submitOnce } from './outgoing.ts';

afterEach(closeServers);

async function connectTo(url: string) {
  return openSmtpTransport(url, 1, PATIENT).connect();
}

describe('SmtpSession', () => {
  // These tests fail if, after a change of nodemailer's internals, its own data step is used, or none.
  it('writes the parts of a message unchanged, without nodemailer’s dot-stuffing', async () => {
    const server = await startScripted(() => undefined);
    const parts = ['Subject: Hello\r\n\r\n', 'one\r\n.two', ' and a half\r\n', 'thr', 'ee\r\n'];
    expect(await submitOnce(server.url, outgoing('ada@example.com', parts))).toBe('250 2.0.0 ok');
    expect(server.messages).toEqual([parts.join('')]);
    expect(server.commands).toContain('DATA-END');
  });

  it('waits for a slow server with a message of several megabytes in many parts', async () => {
    const server = await startScripted((command, socket) => {
      // Reads one packet in each turn of the event loop, more slowly than the client writes.
      if (command === 'DATA')
        socket.on('data', () => {
          socket.pause();
          setImmediate(() => socket.resume());
        });
      return undefined;
    });
    const line = `${'x'.repeat(998)}\r\n`;
    const parts = Array.from({ length: 1_500 }, () => line.repeat(4));
    await submitOnce(server.url, outgoing('ada@example.com', parts), limitsOf(5_000));
    expect(server.messages[0]?.length).toBe(6_000_000);
  });

  it('waits for each reply if the server does not offer PIPELINING', async () => {
    const server = await startScripted((command) => (command.startsWith('MAIL') ? '' : undefined));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const failing = failureOf(submitOnce(server.url));
    await until(() => server.commands.at(-1)?.startsWith('MAIL'));
    await vi.advanceTimersByTimeAsync(10_000);
    await failing;
    expect(server.commands.at(-1)).toMatch(/^MAIL FROM:<roundup@example\.com>/);
  });

  it('writes MAIL, RCPT and DATA together with PIPELINING, and reads their replies from one packet', async () => {
    const held: Record<string, string> = { MAIL: '', RCPT: '', DATA: '250 2.1.0 a\r\n250 2.1.5 b\r\n354 go on' };
    const server = await startScripted(pipelining(held));
    expect(await submitOnce(server.url)).toBe('250 2.0.0 ok');
    expect(server.messages).toHaveLength(1);
  });

  it('declares the message’s size, and rejects a message above the server’s limit itself', async () => {
    const server = await startScripted(pipelining({ EHLO: '250-scripted\r\n250 SIZE 100' }));
    const connection = await connectTo(server.url);
    await connection.submit(outgoing());
    expect(server.commands).toContain(`MAIL FROM:<roundup@example.com> SIZE=${outgoing().size}`);
    const failure = await failureOf(connection.submit(outgoing('ada@example.com', ['x'.repeat(98), '\r\n', '\r\n'])));
    expect(classifyFailure(failure)).toBe('systemic');
    expect(server.commands.filter((command) => command.startsWith('MAIL'))).toHaveLength(1);
  });
});

describe('after a partial refusal of a pipelined envelope, SmtpSession', () => {
  it('reports the refused sender and continues', async () => {
    const server = await startScripted((command, _socket, count) => {
      if (command.startsWith('EHLO')) return '250-scripted\r\n250 PIPELINING';
      if (count > 1) return undefined;
      if (command.startsWith('MAIL')) return '550 5.7.1 not you';
      return /^(RCPT|DATA$)/.test(command) ? '503 5.5.1 no sender' : undefined;
    });
    const connection = await connectTo(server.url);
    const failure = await failureOf(connection.submit(outgoing()));
    expect(failure).toMatchObject({ replyCode: 550, command: 'MAIL FROM', reply: '550 5.7.1 not you' });
    expect(connection.usable).toBe(true);
    expect(await connection.submit(outgoing())).toBe('250 2.0.0 ok');
    expect(server.commands).toContain('RSET');
    expect(server.messages).toHaveLength(1);
  });

  it('closes the connection without a message if the server refuses the sender but accepts DATA', async () => {
    const server = await startScripted(pipelining({ MAIL: '550 5.7.1 not you' }));
    const connection = await connectTo(server.url);
    const failure = await failureOf(connection.submit(outgoing()));
    expect(failure).toMatchObject({ replyCode: 550, command: 'MAIL FROM' });
    expect(connection.usable).toBe(false);
    expect(server.messages).toEqual([]);
  });

  it.each([
    ['refuses DATA, too', '554 5.5.1 no valid recipients', []],
    // RFC 2920 §3.1: the client then sends a single dot, which the server refuses.
    ['accepts DATA, and gets a single dot', '354 go on', ['']],
  ])('reports the refused recipient if the server %s', async (_name, data, messages) => {
    const server = await startScripted(pipelining({ RCPT: '550 5.1.1 nobody', DATA: data }));
    const connection = await connectTo(server.url);
    const failure = await failureOf(connection.submit(outgoing()));
    expect(failure).toMatchObject({ replyCode: 550, command: 'RCPT TO', reply: '550 5.1.1 nobody' });
    expect(classifyFailure(failure)).toBe('permanent');
    expect(server.messages).toEqual(messages);
    expect(connection.usable).toBe(true);
  });
});

describe('when reading replies, SmtpSession', () => {
  it('accepts several lines and fragments', async () => {
    const server = await startScripted(
      pipelining({
        CONNECT: ['22', '0-hel', 'lo\r\n220 scripted'],
        EHLO: '250-scripted\r\n250-SIZE 1000000\r\n250 8BITMIME',
        RCPT: '250-2.1.5 a\r\n250 2.1.5 b',
        'DATA-END': ['25', '0-2.0.0 kept\r', '\n250 2.0.0 as 7'],
      }),
    );
    expect(await submitOnce(server.url)).toBe('250-2.0.0 kept 250 2.0.0 as 7');
  });

  it.each([
    ['accepts DATA with 250', { DATA: '250 2.0.0 ok' }],
    ['accepts the message before it is sent', { DATA: '354 go on\r\n250 2.0.0 kept' }],
    ['begins to reply before the message is sent', { DATA: '354 go on\r\n25' }],
    ['answers MAIL twice', { MAIL: '250 2.1.0 ok\r\n250 2.1.0 ok' }],
  ])('closes the connection to a server that %s, without a submission', async (_name, replies) => {
    for (const base of [{ EHLO: '250-scripted\r\n250 PIPELINING' }, { EHLO: '250 scripted' }]) {
      const server = await startScripted(pipelining({ ...base, ...replies }));
      const connection = await connectTo(server.url);
      const failure = await failureOf(connection.submit(outgoing()));
      expect(failure).toMatchObject({ code: 'EPROTOCOL', replyCode: null });
      expect(classifyFailure(failure)).toBe('temporary');
      expect(connection.usable).toBe(false);
      expect(server.messages).toEqual([]);
    }
  });

  const GARBAGE = [
    '\u0000\u001b[31m what? \u009f',
    '2 messages so far',
    '250_ok',
    '250-one\r\ntwo\r\n250 ok',
    '999 no',
  ];
  const HELLO = 'EHLO [^\r]+\r\n';
  const ENVELOPE = 'MAIL FROM:<roundup@example.com>\r\nRCPT TO:<ada@example.com>\r\nDATA\r\n';
  it.each([
    ['the connection', 'CONNECT', ''],
    ['EHLO', 'EHLO', HELLO],
    ['AUTH', 'AUTH', `${HELLO}AUTH PLAIN [^\r]+\r\n`],
    ['MAIL', 'MAIL', HELLO + ENVELOPE],
    ['RCPT', 'RCPT', HELLO + ENVELOPE],
    ['DATA', 'DATA', HELLO + ENVELOPE],
    ['the message', 'DATA-END', `${HELLO}${ENVELOPE}Subject: Hello\r\n[^]*\r\n\\.\r\n`],
  ])('closes the connection at once after a reply to %s that is not SMTP', async (_name, step, expected) => {
    for (const garbage of GARBAGE) {
      const EHLO = step === 'AUTH' ? '250-scripted\r\n250 AUTH PLAIN' : '250-scripted\r\n250 PIPELINING';
      const server = await startScripted(pipelining({ EHLO, [step]: garbage }));
      const url = step === 'AUTH' ? server.url.replace('//', '//ada:wonderland@') : server.url;
      const failure = await failureOf(submitOnce(url));
      expect(failure).toMatchObject({ code: 'EPROTOCOL', replyCode: null, reply: null });
      expect(failure.message).toMatch(/the server’s reply is not SMTP: /);
      expect(failure.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      expect(classifyFailure(failure)).toBe(
        step === 'DATA-END' ? 'uncertain' : step === 'MAIL' ? 'unavailable' : 'temporary',
      );
      await expect.poll(() => server.bytes).toEqual([expect.stringMatching(new RegExp(`^${expected}$`))]);
      expect(server.messages).toHaveLength(step === 'DATA-END' ? 1 : 0);
    }
  });

  it('closes the connection after a reply to RSET that is not SMTP', async () => {
    const server = await startScripted(pipelining({ RCPT: '550 5.1.1 nobody', DATA: '503 5.5.1 no', RSET: 'what?' }));
    const connection = await connectTo(server.url);
    const failure = await failureOf(connection.submit(outgoing()));
    expect(failure).toMatchObject({ replyCode: 550, command: 'RCPT TO' });
    expect(connection.usable).toBe(false);
    expect(server.bytes).toEqual([expect.stringMatching(new RegExp(`^${HELLO}${ENVELOPE}RSET\r\n$`))]);
  });

  it('does not take an unexpected reply for that to the next message', async () => {
    const server = await startScripted(pipelining({ 'DATA-END': '250 2.0.0 ok\r\n550 5.7.1 and another thing' }));
    const connection = await connectTo(server.url);
    expect(await connection.submit(outgoing())).toBe('250 2.0.0 ok');
    const failure = await failureOf(connection.submit(outgoing('bob@example.com')));
    expect(classifyFailure(failure)).toBe('unavailable');
    expect(connection.usable).toBe(false);
    expect(server.messages).toHaveLength(1);
  });

  it('closes the connection after a reply before the first command', async () => {
    const server = await startScripted(pipelining({ CONNECT: '220 scripted\r\n250 in a hurry' }));
    const failure = await failureOf(submitOnce(server.url));
    expect(classifyFailure(failure)).toBe('temporary');
    expect(server.messages).toEqual([]);
  });
});
