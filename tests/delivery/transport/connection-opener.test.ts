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

/** A transport whose connections come out as listed; what it was asked is counted. */
function transportOf(...outcomes: (SubmissionFailure | Error | 'open')[]) {
  const seen = { asked: 0, atOnce: 0, most: 0, closed: 0 };
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
    connect: async () => {
      const outcome = outcomes[seen.asked] ?? 'open';
      seen.asked += 1;
      seen.atOnce += 1;
      seen.most = Math.max(seen.most, seen.atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      seen.atOnce -= 1;
      if (outcome === 'open') return connection();
      throw outcome instanceof Error ? outcome : new TransportError(outcome);
    },
  };
  return { transport, seen };
}

describe('the opener of connections', () => {
  it('opens one at a time, and gives back one that can still be used', async () => {
    const { transport, seen } = transportOf();
    const opener = openConnectionOpener(transport);
    const [first] = await Promise.all([opener.acquire(null), opener.acquire(null), opener.acquire(null)]);
    expect(seen).toMatchObject({ asked: 3, most: 1 });
    expect(await opener.acquire(first)).toBe(first);
    expect(seen.asked).toBe(3);
  });

  it('asks a server that is down once, and says what was wrong', async () => {
    const { transport, seen } = transportOf(DOWN);
    const opener = openConnectionOpener(transport);
    expect(await Promise.all([opener.acquire(null), opener.acquire(null), opener.acquire(null)])).toEqual([
      null,
      null,
      null,
    ]);
    expect(seen.asked).toBe(1);
    expect(opener.problem()).toBe('it is down');
  });

  it('asks again where others are open: the server may have granted all that it grants', async () => {
    const { transport, seen } = transportOf('open', DOWN, 'open');
    const opener = openConnectionOpener(transport);
    expect(await opener.acquire(null)).not.toBeNull();
    expect(await opener.acquire(null)).toBeNull();
    expect(await opener.acquire(null)).not.toBeNull();
    expect(seen.asked).toBe(3);
  });

  it('does not ask again once a login was refused, even where others are open', async () => {
    const { transport, seen } = transportOf('open', REFUSED);
    const opener = openConnectionOpener(transport);
    await opener.acquire(null);
    expect([await opener.acquire(null), await opener.acquire(null)]).toEqual([null, null]);
    expect(seen.asked).toBe(2);
  });

  it('closes one that can no longer be used before it opens the next', async () => {
    const { transport, seen } = transportOf();
    const opener = openConnectionOpener(transport);
    const first = (await opener.acquire(null)) as { usable: boolean } & Connection;
    first.usable = false;
    expect(await opener.acquire(first)).not.toBe(first);
    expect(seen).toMatchObject({ asked: 2, closed: 1 });
  });

  it('passes on what is no failure of the transport, and opens the next all the same', async () => {
    const { transport } = transportOf(new RangeError('a mistake of ours'));
    const opener = openConnectionOpener(transport);
    const [broken, next] = await Promise.allSettled([opener.acquire(null), opener.acquire(null)]);
    expect(broken).toMatchObject({ status: 'rejected', reason: expect.any(RangeError) });
    expect(next).toMatchObject({ status: 'fulfilled', value: expect.anything() });
  });
});
