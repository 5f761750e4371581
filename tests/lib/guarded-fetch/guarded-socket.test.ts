import { Resolver } from 'node:dns/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openResolver } from '../../../src/lib/guarded-fetch/guarded-socket.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the resolver', () => {
  it('returns the addresses of both families, IPv4 first', async () => {
    answerWith({ v4: ['8.8.8.8', '8.8.4.4'], v6: ['2606:4700::1111'] });
    expect(await openResolver(false)('both.example.com')).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '8.8.4.4', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ]);
  });

  it('returns the addresses of one family, and throws where there are none', async () => {
    answerWith({ v4: 'ENODATA', v6: ['2606:4700::1111'] });
    expect(await openResolver(false)('six.example.com')).toEqual([{ address: '2606:4700::1111', family: 6 }]);
    answerWith({ v4: 'ENOTFOUND', v6: 'ENOTFOUND' });
    await expect(openResolver(false)('localhost')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('looks up names that only this machine knows, where private networks are allowed', async () => {
    answerWith({ v4: 'ENOTFOUND', v6: 'ENOTFOUND' });
    expect((await openResolver(true)('localhost')).map(({ address }) => address)).toContain('127.0.0.1');
    answerWith({ v4: 'ETIMEOUT', v6: 'ETIMEOUT' });
    await expect(openResolver(true)('localhost')).rejects.toMatchObject({ code: 'ETIMEOUT' });
  });
});

/** @param options addresses, or the code of an error */
function answerWith({ v4, v6 }: { v4: string[] | string; v6: string[] | string }): void {
  const answer = async (result: string[] | string): Promise<string[]> => {
    if (typeof result === 'string') throw Object.assign(new Error(result), { code: result });
    return result;
  };
  vi.spyOn(Resolver.prototype, 'resolve4').mockImplementation(() => answer(v4) as never);
  vi.spyOn(Resolver.prototype, 'resolve6').mockImplementation(() => answer(v6) as never);
}
