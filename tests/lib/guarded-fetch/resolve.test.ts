import { Resolver } from 'node:dns/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openResolver } from '../../../src/lib/guarded-fetch/resolve.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the resolver', () => {
  it('gives the addresses of both families, IPv4 first', async () => {
    stub({ v4: ['8.8.8.8', '8.8.4.4'], v6: ['2606:4700::1111'] });
    expect(await openResolver(false)('both.example.com')).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '8.8.4.4', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ]);
  });

  it('is content with one family, and says why where there is neither', async () => {
    stub({ v4: 'ENODATA', v6: ['2606:4700::1111'] });
    expect(await openResolver(false)('six.example.com')).toEqual([{ address: '2606:4700::1111', family: 6 }]);
    stub({ v4: 'ENOTFOUND', v6: 'ENOTFOUND' });
    await expect(openResolver(false)('localhost')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('asks this machine for names that only it knows, where callbacks in its network are allowed', async () => {
    stub({ v4: 'ENOTFOUND', v6: 'ENOTFOUND' });
    expect((await openResolver(true)('localhost')).map(({ address }) => address)).toContain('127.0.0.1');
    stub({ v4: 'ETIMEOUT', v6: 'ETIMEOUT' });
    await expect(openResolver(true)('localhost')).rejects.toMatchObject({ code: 'ETIMEOUT' });
  });
});

/** What name servers say: addresses, or a failure. */
function stub({ v4, v6 }: { v4: string[] | string; v6: string[] | string }): void {
  const answer = async (said: string[] | string): Promise<string[]> => {
    if (typeof said === 'string') throw Object.assign(new Error(said), { code: said });
    return said;
  };
  vi.spyOn(Resolver.prototype, 'resolve4').mockImplementation(() => answer(v4) as never);
  vi.spyOn(Resolver.prototype, 'resolve6').mockImplementation(() => answer(v6) as never);
}
