import { describe, expect, it } from 'vitest';
import { type Connection, type Transport, TransportError } from '../../../src/delivery/transport/connection.ts';
import { connectionOpener } from '../../../src/delivery/transport/connection-opener.ts';
import type { Failure } from '../../../src/delivery/transport/retry.ts';

const DOWN: Failure = { code: 'ESOCKET', replyCode: null, command: 'CONN', reply: null, words: 'it is down' };
const REFUSED: Failure = { code: 'EAUTH', replyCode: 535, command: 'AUTH PLAIN', reply: '535 no', words: 'no' };

/** A transport whose connections come out as listed; what it was asked is counted. */
function transportOf(...outcomes: (Failure | Error | 'open')[]) {
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
    const opener = connectionOpener(transport);
    const [first] = await Promise.all([opener.renew(null), opener.renew(null), opener.renew(null)]);
    expect(seen).toMatchObject({ asked: 3, most: 1 });
    expect(await opener.renew(first)).toBe(first);
    expect(seen.asked).toBe(3);
  });

  it('asks a server that is down once, and says what was wrong', async () => {
    const { transport, seen } = transportOf(DOWN);
    const opener = connectionOpener(transport);
    expect(await Promise.all([opener.renew(null), opener.renew(null), opener.renew(null)])).toEqual([null, null, null]);
    expect(seen.asked).toBe(1);
    expect(opener.problem()).toBe('it is down');
  });

  it('asks again where others are open: the server may have granted all that it grants', async () => {
    const { transport, seen } = transportOf('open', DOWN, 'open');
    const opener = connectionOpener(transport);
    expect(await opener.renew(null)).not.toBeNull();
    expect(await opener.renew(null)).toBeNull();
    expect(await opener.renew(null)).not.toBeNull();
    expect(seen.asked).toBe(3);
  });

  it('does not ask again once a login was refused, even where others are open', async () => {
    const { transport, seen } = transportOf('open', REFUSED);
    const opener = connectionOpener(transport);
    await opener.renew(null);
    expect([await opener.renew(null), await opener.renew(null)]).toEqual([null, null]);
    expect(seen.asked).toBe(2);
  });

  it('closes one that can no longer be used before it opens the next', async () => {
    const { transport, seen } = transportOf();
    const opener = connectionOpener(transport);
    const first = (await opener.renew(null)) as { usable: boolean } & Connection;
    first.usable = false;
    expect(await opener.renew(first)).not.toBe(first);
    expect(seen).toMatchObject({ asked: 2, closed: 1 });
  });

  it('passes on what is no failure of the transport, and opens the next all the same', async () => {
    const { transport } = transportOf(new RangeError('a mistake of ours'));
    const opener = connectionOpener(transport);
    const [broken, next] = await Promise.allSettled([opener.renew(null), opener.renew(null)]);
    expect(broken).toMatchObject({ status: 'rejected', reason: expect.any(RangeError) });
    expect(next).toMatchObject({ status: 'fulfilled', value: expect.anything() });
  });
});
