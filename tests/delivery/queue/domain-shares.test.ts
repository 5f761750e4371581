import { describe, expect, it } from 'vitest';
import { DomainShares } from '../../../src/delivery/queue/domain-shares.ts';

const [one, two, three, four] = [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }];

const waiting = (...domains: string[]) => domains.map((domain) => ({ domain }));

function busyWith(workers: number, ...busy: [worker: object, domain: string][]): DomainShares<object> {
  const shares = new DomainShares<object>(workers);
  for (const [worker, domain] of busy) shares.begin(worker, domain);
  return shares;
}

describe('DomainShares', () => {
  it('gives the first delivery while no domain has its whole share', () => {
    const shares = busyWith(4, [one, 'slow.example'], [one, 'slow.example']);
    expect(shares.choose(two, waiting('slow.example', 'a.example'))).toBe(0);
    expect(shares.choose(two, waiting())).toBe(-1);
  });

  it('gives a domain to at most half of the workers, but at least to one', () => {
    const half = busyWith(4, [one, 'slow.example'], [two, 'slow.example']);
    expect(half.full()).toEqual(['slow.example']);
    expect(half.choose(three, waiting('slow.example', 'slow.example', 'a.example'))).toBe(2);
    expect(half.choose(three, waiting('slow.example'))).toBe(-1);
    expect(busyWith(5, [one, 'slow.example'], [two, 'slow.example']).full()).toEqual(['slow.example']);
    expect(busyWith(3, [one, 'slow.example']).full()).toEqual(['slow.example']);
    expect(busyWith(1, [one, 'slow.example']).full()).toEqual([]);
  });

  it('keeps a worker with a domain that has its whole share, so that no other domain waits behind it', () => {
    const shares = busyWith(4, [one, 'slow.example'], [two, 'slow.example']);
    expect(shares.choose(one, waiting('a.example', 'slow.example'))).toBe(1);
    expect(shares.choose(one, waiting('a.example'))).toBe(0);
  });

  it('counts a worker until all its deliveries have ended', () => {
    const shares = busyWith(4, [one, 'slow.example'], [two, 'slow.example'], [two, 'slow.example']);
    shares.end(two, 'slow.example');
    expect(shares.choose(four, waiting('slow.example'))).toBe(-1);
    shares.end(two, 'slow.example');
    expect(shares.choose(four, waiting('slow.example'))).toBe(0);
    shares.end(two, 'slow.example');
    expect(shares.full()).toEqual([]);
  });
});
