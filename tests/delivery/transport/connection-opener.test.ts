import { describe, expect, it } from 'vitest';
import { type Connection, type Transport, TransportError } from '../../../src/delivery/transport/connection.ts';
import { openConnectionOpener } from '../../../src/delivery/transport/connection-opener.ts';
import type { SubmissionFailure } from '../../../src/delivery/transport/retry.ts';

const DOWN: SubmissionFailure = {
  code: 'ESOCKET',
  replyCode: null,
  command: 'CONN',
  reply: null,
  message: 'it is down',
};
const REFUSED: SubmissionFailure = {
  code: 'EAUTH',
  replyCode: 535,
  command: 'AUTH PLAIN',
  reply: '535 no',
  message: 'no',
};

/** A transport whose attempts to connect have the given outcomes, and are counted. */
function transportOf(...outcomes: (SubmissionFailure | Error | 'open')[]) {
  const seen = { attempts: 0, concurrent: 0, maxConcurrent: 0, closed: 0 };
  const connection = (): Connection & { usable: boolean } => ({
    usable: true,
    submit: async () => 'ok',
    close: () => {
      seen.closed += 1;
    },
  });
  const transport: Transport = {
    connections: 5,
    verify: async () => {},
    waits: () => [],
    stop: () => {},
    connect: async () => {
      const outcome = outcomes[seen.attempts] ?? 'open';
      seen.attempts += 1;
      seen.concurrent += 1;
      seen.maxConcurrent = Math.max(seen.maxConcurrent, seen.concurrent);
      await new Promise((resolve) => setImmediate(resolve));
      seen.concurrent -= 1;
      if (outcome === 'open') return connection();
      throw outcome instanceof Error ? outcome : new TransportError(outcome);
    },
  };
  return { transport, seen };
}

describe('the connection opener', () => {
  it('opens one connection at a time and returns a usable one unchanged', async () => {
    const { transport, seen } = transportOf();
    const opener = openConnectionOpener(transport);
    const [first] = await Promise.all([opener.acquire(null), opener.acquire(null), opener.acquire(null)]);
    expect(seen).toMatchObject({ attempts: 3, maxConcurrent: 1 });
    expect(await opener.acquire(first)).toBe(first);
    expect(seen.attempts).toBe(3);
  });

  it('tries once to reach a server that is down, and reports the problem', async () => {
    const { transport, seen } = transportOf(DOWN);
    const opener = openConnectionOpener(transport);
    expect(await Promise.all([opener.acquire(null), opener.acquire(null), opener.acquire(null)])).toEqual([
      null,
      null,
      null,
    ]);
    expect(seen.attempts).toBe(1);
    expect(opener.failure()).toEqual({ isUrgent: true, reason: 'it is down' });
  });

  it('tries again if other connections are open, since the server may limit their number', async () => {
    const { transport, seen } = transportOf('open', DOWN, 'open');
    const opener = openConnectionOpener(transport);
    expect(await opener.acquire(null)).not.toBeNull();
    expect(await opener.acquire(null)).toBeNull();
    expect(opener.failure()).toBeNull();
    expect(await opener.acquire(null)).not.toBeNull();
    expect(seen.attempts).toBe(3);
  });

  it('does not try again after a refused login, even if other connections are open', async () => {
    const { transport, seen } = transportOf('open', REFUSED);
    const opener = openConnectionOpener(transport);
    const first = await opener.acquire(null);
    expect([await opener.acquire(null), await opener.acquire(null)]).toEqual([null, null]);
    expect(seen.attempts).toBe(2);
    expect(opener.failure()).toBeNull();
    opener.close(first);
    expect(opener.failure()).toEqual({ isUrgent: true, reason: 'no' });
  });

  it('closes an unusable connection before it opens the next', async () => {
    const { transport, seen } = transportOf();
    const opener = openConnectionOpener(transport);
    const first = (await opener.acquire(null)) as { usable: boolean } & Connection;
    first.usable = false;
    expect(await opener.acquire(first)).not.toBe(first);
    expect(seen).toMatchObject({ attempts: 2, closed: 1 });
  });

  it('rejects with errors that are not failures of the transport, and opens the next connection', async () => {
    const { transport } = transportOf(new RangeError('a mistake of ours'));
    const opener = openConnectionOpener(transport);
    const [broken, next] = await Promise.allSettled([opener.acquire(null), opener.acquire(null)]);
    expect(broken).toMatchObject({ status: 'rejected', reason: expect.any(RangeError) });
    expect(next).toMatchObject({ status: 'fulfilled', value: expect.anything() });
  });
});
