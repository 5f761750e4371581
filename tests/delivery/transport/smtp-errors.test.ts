import type { Socket } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { closeServers, pipelining, startScripted } from '../../../scripts/smtp-servers.ts';
import type { TransportError } from '../../../src/delivery/transport/connection.ts';
import { classifyFailure } from '../../../src/delivery/transport/retry.ts';
import { openSmtpTransport, type SmtpLimits } from '../../../src/delivery/transport/smtp-transport.ts';
import { until } from '../../support/until.ts';
import { failureOf, limitsOf, outgoing, PATIENT, submitOnce } from './outgoing.ts';

afterEach(closeServers);

const STEPS = ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'DATA-END'];

/** Makes the limits of time pass when the test says so. */
function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
}

/**
 * The failure of one message with these replies: the same with and without PIPELINING, or the test fails.
 * @param hangsAt the command after which the time is over
 */
async function failureAt(
  replies: Record<string, string | string[]>,
  hangsAt?: string,
): Promise<TransportError['failure']> {
  const failures = [];
  for (const EHLO of ['250 scripted', '250-scripted\r\n250 PIPELINING']) {
    const server = await startScripted(pipelining({ EHLO, ...replies }));
    const failing = failureOf(submitOnce(server.url));
    if (hangsAt !== undefined) {
      await until(() => server.commands.some((command) => command.startsWith(hangsAt)));
      // The replies to what was sent before it are on their way: the client reads them in the next turns.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    const failure = await failing;
    failures.push({ ...failure, message: failure.message.replace(String(server.port), 'PORT') });
  }
  expect(failures[1]).toEqual(failures[0]);
  return failures[0] as TransportError['failure'];
}

describe('the SMTP transport', () => {
  it('reports a timeout of a server that hangs, at each step', async () => {
    fakeTime();
    const failures: TransportError['failure'][] = [];
    for (const [n, step] of STEPS.entries()) {
      // A server that hangs answers no pipelined command, either.
      failures.push(await failureAt(Object.fromEntries(STEPS.slice(n).map((later) => [later, ''])), step));
    }
    expect(failures.map(({ message }) => message.replace('127.0.0.1:PORT did not answer in time', ''))).toEqual([
      '',
      '',
      ': it has not answered MAIL FROM',
      ': it has not answered RCPT TO',
      ': it has not answered DATA',
      ': it has not answered a complete message',
    ]);
    const [ofRecipient, ofAll] = ['temporary', 'unavailable'];
    expect(failures.map(classifyFailure)).toEqual([
      ...[ofRecipient, ofRecipient, ofAll, ofRecipient, ofRecipient],
      'uncertain',
    ]);
  });

  it('sends nothing more of a message whose time is up, whenever its server reads again', async () => {
    const waiting: Socket[] = [];
    const server = await startScripted((command, socket) => {
      if (command !== 'DATA') return undefined;
      waiting.push(socket.pause());
      return '354 go on';
    });
    const message = outgoing('ada@example.com', ['Subject: large\r\n\r\n', `${'x'.repeat(998)}\r\n`.repeat(30_000)]);
    const limits = { ...PATIENT, steps: { ...PATIENT.steps, 'final dot': 50 } };
    expect((await failureOf(submitOnce(server.url, message, limits))).mayHaveArrived).toBe(true);
    const [socket] = waiting as [Socket];
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    await closed;
    expect(server.bytes[0]?.length).toBeLessThan(message.size);
    expect(server.messages).toEqual([]);
  });

  it('does not drop a message that was written when it is stopped, and says that it may have arrived', async () => {
    // Larger than what the kernel takes at once: it may have the rest before Node says that it was written.
    for (const kilobytes of [1, 100, 1_500]) {
      const server = await startScripted((command) => (command === 'DATA-END' ? '' : undefined));
      const transport = openSmtpTransport(server.url, 1, PATIENT);
      const connection = await transport.connect();
      const parts = ['Subject: Hello\r\n\r\n', `${'x'.repeat(998)}\r\n`.repeat(kilobytes)];
      const submission = failureOf(connection.submit(outgoing('ada@example.com', parts)));
      await until(() => transport.waits().some(({ isComplete }) => isComplete));
      transport.stop();
      await until(() => server.messages.length === 1);
      await server.close();
      expect((await submission).mayHaveArrived).toBe(true);
    }
  });

  it('grants each step its time, and all before the final dot together another one', async () => {
    fakeTime();
    // Each step takes 60 of the faked milliseconds.
    const commandThatFails = async (limits: SmtpLimits): Promise<unknown> => {
      let answer = (): void => {};
      const server = await startScripted((command, socket) => {
        if (!/^(MAIL|RCPT|DATA$)/.test(command)) return undefined;
        answer = () => socket.write(command === 'DATA' ? '354 go on\r\n' : '250 ok\r\n');
        return '';
      });
      let command: unknown;
      const failing = failureOf(submitOnce(server.url, outgoing(), limits)).then((failure) => {
        command = failure.command;
      });
      for (const step of ['MAIL', 'RCPT']) {
        await until(() => command ?? server.commands.at(-1)?.startsWith(step));
        await vi.advanceTimersByTimeAsync(60);
        answer();
      }
      await failing;
      return command;
    };
    expect(await commandThatFails({ ...limitsOf(2_000), envelope: 100 })).toBe('RCPT TO');
    const steps = { ...limitsOf(2_000).steps, 'MAIL FROM': 20 };
    expect(await commandThatFails({ ...limitsOf(2_000), steps })).toBe('MAIL FROM');
  });

  it('takes a close before MAIL for the end of a connection only if it has carried a message', async () => {
    let hasAccepted = false;
    const server = await startScripted((command, socket) => {
      if (command.startsWith('MAIL') && hasAccepted) socket.destroy();
      if (command === 'DATA-END') hasAccepted = true;
      return undefined;
    });
    const connection = await openSmtpTransport(server.url, 1, PATIENT).connect();
    await connection.submit(outgoing());
    expect(classifyFailure(await failureOf(connection.submit(outgoing())))).toBe('connection');
    expect(classifyFailure(await failureOf(submitOnce(server.url, outgoing(), PATIENT)))).toBe('unavailable');
  });

  it('drops what is incomplete when it is stopped, and waits for the reply to a complete message', async () => {
    for (const [step, words] of [
      ['CONNECT', 'has not accepted a new connection'],
      ['RCPT', 'has not answered RCPT TO'],
      ['DATA-END', 'has not answered a complete message'],
    ] as const) {
      const server = await startScripted((command) => (command.startsWith(step) ? '' : undefined));
      const transport = openSmtpTransport(server.url, 1, PATIENT);
      const submitting = transport.connect().then((connection) => connection.submit(outgoing()));
      submitting.catch(() => {});
      const isComplete = step === 'DATA-END';
      const waits = [{ words: `127.0.0.1:${server.port} ${words}`, isComplete }];
      await expect.poll(() => server.commands.at(-1)).toMatch(new RegExp(`^${step}`));
      expect(transport.waits()).toEqual(waits);
      transport.stop();
      await expect.poll(() => transport.waits()).toEqual(isComplete ? waits : []);
      await server.close();
      expect(classifyFailure(await failureOf(submitting))).toBe(
        isComplete ? 'uncertain' : step === 'RCPT' ? 'connection' : 'temporary',
      );
      expect(await failureOf(transport.connect())).toMatchObject({ message: expect.stringContaining('stopping') });
    }
  });

  it('reports a timeout of a server that stops reading within a message', async () => {
    const server = await startScripted((command, socket) => {
      if (command === 'DATA-LINE') socket.pause();
      return undefined;
    });
    const message = outgoing('ada@example.com', ['Subject: Hello\r\n\r\n', `${'x'.repeat(98)}\r\n`.repeat(200_000)]);
    const limits = { ...PATIENT, steps: { ...PATIENT.steps, 'final dot': 100 } };
    const failure = await failureOf(submitOnce(server.url, message, limits));
    expect(failure.message).toContain('did not answer in time: it has not answered a complete message');
    // Whether the final dot has left this process is not known at each moment.
    expect(classifyFailure(failure)).toBe('uncertain');
  });

  it.each(['DATA-LINE', 'DATA-END'])('reports a passing failure of a server that closes at %s', async (step) => {
    const server = await startScripted((command, socket: Socket) => {
      if (command === step) socket.destroy();
      return undefined;
    });
    const failure = await failureOf(submitOnce(server.url));
    // All of it was written.
    expect(classifyFailure(failure)).toBe('uncertain');
    expect(failure.message).toMatch(/closed the connection|cannot be reached/);
  });

  it.each(['MAIL', 'RCPT', 'DATA', 'DATA-END'])('closes the connection after 421 at %s', async (step) => {
    for (const EHLO of ['250 scripted', '250-scripted\r\n250 PIPELINING']) {
      const server = await startScripted(pipelining({ EHLO, [step]: '421 4.7.0 slow down' }));
      const connection = await openSmtpTransport(server.url, 1, PATIENT).connect();
      const failure = await failureOf(connection.submit(outgoing()));
      expect(failure).toMatchObject({ replyCode: 421, reply: '421 4.7.0 slow down' });
      // A 421 to MAIL is not about the recipient.
      expect(classifyFailure(failure)).toBe(step === 'MAIL' ? 'unavailable' : 'temporary');
      expect(connection.usable).toBe(false);
    }
  });
});

describe('classification of a refusal', () => {
  it.each<[string, Record<string, string>, string, string]>([
    ['of the sender by policy', { MAIL: '550 5.7.1 not you' }, 'MAIL FROM', 'systemic'],
    ['of a missing login', { MAIL: '530 5.7.0 log in first' }, 'MAIL FROM', 'systemic'],
    ['of an unknown recipient', { RCPT: '550 5.1.1 nobody' }, 'RCPT TO', 'permanent'],
    ['of a recipient by policy', { RCPT: '550 5.7.1 relaying denied' }, 'RCPT TO', 'permanent'],
    ['of the sender, in reply to RCPT', { RCPT: '550 5.1.8 no such domain' }, 'RCPT TO', 'systemic'],
    ['of the message by policy', { 'DATA-END': '550 5.7.1 spam' }, 'DATA', 'permanent'],
    ['of the message without a status', { 'DATA-END': '554 no' }, 'DATA', 'permanent'],
    ['of the message’s size', { 'DATA-END': '552 5.3.4 too big for us' }, 'DATA', 'systemic'],
    ['of a full mailbox', { RCPT: '552 5.2.2 mailbox full' }, 'RCPT TO', 'permanent'],
  ])('%s depends on command and codes', async (_name, replies, command, expected) => {
    // A server with PIPELINING refuses the following commands, too.
    const [step = '', reply = ''] = Object.entries(replies)[0] ?? [];
    const failure = await failureAt(step === 'DATA-END' ? replies : { DATA: '503 5.5.1 no recipient', ...replies });
    expect(failure).toMatchObject({ command, reply });
    expect(classifyFailure(failure)).toBe(expected);
  });
});
