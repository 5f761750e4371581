import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookUpAddresses, openNodeResolver } from '../../../src/delivery/sending-domain/dns-resolver.ts';
import { type NameServer, startNameServer } from '../../support/name-server.ts';

const LONG = 'x'.repeat(250);

let server: NameServer;
beforeAll(async () => {
  server = await startNameServer({
    'example.com': { TXT: [['v=spf1 ', '-all'], 'other'], MX: ['20 Backup.Example.com', '10 mail.example.com'] },
    'mail.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
    'four.example.com': { A: ['192.0.2.4'] },
    'null.example.com': { MX: ['0 '] },
    'long.example.com': { TXT: [[LONG, LONG, LONG]] },
    'alias.example.com': { CNAME: ['example.com'] },
    'broken.example.com': 'SERVFAIL',
    'silent.example.com': 'silent',
    '1.2.0.192.in-addr.arpa': { PTR: ['mail.example.com'] },
    '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': { PTR: ['mail.example.com'] },
  });
});
afterAll(() => server.close());

const limits = { perTry: 5_000, total: 10_000 };

describe('the resolver of the sending domain', () => {
  it('reads each type of record, joins the strings of a text, and follows an alias', async () => {
    const dns = openNodeResolver(server.address, limits);
    const found = (...records: unknown[]) => ({ kind: 'found', records });
    expect(await dns.txt('example.com')).toEqual(found('v=spf1 -all', 'other'));
    expect(await dns.txt('Alias.example.com.')).toEqual(found('v=spf1 -all', 'other'));
    expect(await dns.cname('alias.example.com')).toEqual(found('example.com'));
    expect(await dns.mx('example.com')).toEqual({
      kind: 'found',
      records: expect.arrayContaining(['mail.example.com', 'backup.example.com']),
    });
    expect(await dns.mx('null.example.com')).toEqual(found(''));
    expect(await dns.ptr('192.0.2.1')).toEqual(found('mail.example.com'));
    expect(await dns.ptr('2001:db8::1')).toEqual(found('mail.example.com'));
    expect(await lookUpAddresses(dns, 'mail.example.com')).toEqual(found('192.0.2.1', '2001:db8::1'));
    expect(await lookUpAddresses(dns, 'four.example.com')).toEqual(found('192.0.2.4'));
  });

  it('asks over TCP for an answer that was truncated', async () => {
    const dns = openNodeResolver(server.address, limits);
    expect(await dns.txt('long.example.com')).toEqual({ kind: 'found', records: [LONG + LONG + LONG] });
    const question = 'TXT long.example.com';
    expect(server.asked.filter((one) => one.question === question).map(({ over }) => over)).toEqual(['udp', 'tcp']);
  });

  it('tells a record that is not there from one that could not be looked up', async () => {
    const dns = openNodeResolver(server.address, limits);
    expect(await dns.txt('nothing.example.com')).toEqual({ kind: 'none' });
    expect(await dns.txt('mail.example.com')).toEqual({ kind: 'none' });
    expect(await dns.txt(`${'a'.repeat(64)}.example.com`)).toEqual({ kind: 'none' });
    expect(await dns.txt('broken.example.com')).toEqual({ kind: 'failed', reason: expect.stringMatching(/SERVFAIL/) });
    const impatient = openNodeResolver(server.address, { ...limits, perTry: 40 });
    const inTime = expect.stringMatching(/no name server answered in time/);
    expect(await impatient.txt('silent.example.com')).toEqual({ kind: 'failed', reason: inTime });
    expect(await lookUpAddresses(impatient, 'silent.example.com')).toEqual({ kind: 'failed', reason: inTime });
  });

  it('limits the time of all look-ups together', async () => {
    const dns = openNodeResolver(server.address, { perTry: 5_000, total: 50 });
    for (const name of ['silent.example.com', 'example.com', 'mail.example.com']) {
      expect(await dns.txt(name)).toEqual({ kind: 'failed', reason: 'all look-ups together took too long' });
    }
  });

  it('looks a record up once', async () => {
    const dns = openNodeResolver(server.address, limits);
    const before = server.asked.length;
    await Promise.all([dns.a('four.example.com'), dns.a('FOUR.example.com')]);
    await dns.a('four.example.com.');
    expect(server.asked.length - before).toBe(1);
  });
});
