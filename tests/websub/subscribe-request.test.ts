import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topicPath } from '../../src/feeds/topics.ts';
import { DAY, HOUR, SECOND } from '../../src/lib/time.ts';
import { type ReadRequest, readHubRequest } from '../../src/websub/subscribe-request.ts';
import { sampleConfig } from '../feeds/formats/sample.ts';

const config = sampleConfig();
const GOOD = {
  'hub.mode': 'subscribe',
  'hub.topic': 'https://wire.example.com/feeds/latest.atom',
  'hub.callback': 'https://reader.example.com/callback?feed=7&k=a%20b',
};

describe('a request to the hub', () => {
  it('is read with its defaults', () => {
    expect(read({})).toEqual({
      kind: 'good',
      request: {
        mode: 'subscribe',
        topic: 'latest.atom',
        callback: 'https://reader.example.com/callback?feed=7&k=a%20b',
        host: 'reader.example.com',
        secret: null,
        leaseSeconds: (10 * DAY) / SECOND,
      },
    });
  });

  it.each([
    ['60', HOUR / SECOND],
    ['0', HOUR / SECOND],
    ['7200', 7_200],
    ['999999999999', (30 * DAY) / SECOND],
  ])('that asks for a lease of %s s is granted %i', (asked, granted) => {
    expect(read({ 'hub.lease_seconds': asked })).toMatchObject({ request: { leaseSeconds: granted } });
  });

  it('that says one thing twice is refused: nobody knows which it means', () => {
    for (const name of ['mode', 'topic', 'callback', 'secret']) {
      const fields = new URLSearchParams(GOOD);
      fields.append(`hub.${name}`, 'x');
      fields.append(`hub.${name}`, 'y');
      const read = readHubRequest(fields, (address) => topicPath(config, address));
      expect(read).toEqual({ kind: 'bad', reason: `hub.${name} stands twice.` });
    }
  });

  it('has one spelling of its callback', () => {
    expect(read({ 'hub.callback': 'HTTPS://Reader.Example.com:443/a/../b' })).toMatchObject({
      request: { callback: 'https://reader.example.com/b', host: 'reader.example.com' },
    });
  });

  it.each([
    ['hub.mode', 'publish', /hub\.mode must be subscribe or unsubscribe/],
    ['hub.mode', '', /hub\.mode/],
    ['hub.topic', 'https://wire.example.com/feeds/latest.atom/', /hub\.topic must be the address of a feed/],
    ['hub.topic', 'https://wire.example.com/feeds/latest.atom?x=1', /hub\.topic/],
    ['hub.topic', 'HTTPS://wire.example.com/feeds/latest.atom', /hub\.topic/],
    ['hub.topic', 'https://wire.example.com/feeds/%6catest.atom', /hub\.topic/],
    ['hub.topic', 'https://wire.example.com/feeds/../latest.atom', /hub\.topic/],
    ['hub.topic', 'https://wire.example.com/feeds/index.html', /hub\.topic/],
    ['hub.topic', 'https://wire.example.com/feeds/feeds.opml', /hub\.topic/],
    ['hub.topic', 'https://wire.example.com/feeds/archive/latest-2026-11.atom', /hub\.topic/],
    ['hub.topic', 'https://other.example.com/feeds/latest.atom', /hub\.topic/],
    ['hub.topic', '', /hub\.topic/],
    ['hub.callback', '', /hub\.callback must be a URL of ASCII/],
    ['hub.callback', 'javascript:alert(1)', /http or https URL/],
    ['hub.callback', 'ftp://reader.example.com/', /http or https URL/],
    ['hub.callback', 'file:///etc/passwd', /http or https URL/],
    ['hub.callback', '//reader.example.com/', /http or https URL/],
    ['hub.callback', 'https://', /http or https URL/],
    ['hub.callback', 'https://reader.example.com/\r\nX-Evil: 1', /without blanks/],
    ['hub.callback', 'https://reader.example.com/\u0000', /without blanks/],
    ['hub.callback', ' https://reader.example.com/', /without blanks/],
    ['hub.callback', 'https://reader.example.com/ü', /ASCII/],
    ['hub.callback', 'https://ada:secret@reader.example.com/', /no user name or password/],
    ['hub.callback', 'https://ada@reader.example.com/', /no user name or password/],
    ['hub.callback', 'https://reader.example.com/#part', /no fragment/],
    ['hub.callback', `https://reader.example.com/${'a'.repeat(2_000)}`, /at most 2000 characters/],
    ['hub.lease_seconds', '-1', /whole number of seconds/],
    ['hub.lease_seconds', '1e9', /whole number of seconds/],
    ['hub.secret', 'ä'.repeat(100), /less than 200 bytes/],
  ])('with the %s %j is refused', (name, value, reason) => {
    expect(read({ [name]: value })).toEqual({ kind: 'bad', reason: expect.stringMatching(reason) as string });
  });

  it('is good or refused, whatever it holds, and a good callback can be called without harm', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl({ withFragments: true, withQueryParameters: true }));
    fc.assert(
      fc.property(text, text, text, (callback, secret, lease) => {
        const answer = read({ 'hub.callback': callback, 'hub.secret': secret, 'hub.lease_seconds': lease });
        if (answer.kind === 'bad') return;
        const { request } = answer;
        expect(request.callback).toMatch(/^https?:\/\/[^\s@#]+/);
        expect(new URL(request.callback).href).toBe(request.callback);
        expect(request.leaseSeconds).toBeGreaterThanOrEqual(3_600);
        expect(Buffer.byteLength(request.secret ?? '')).toBeLessThan(200);
      }),
    );
  });
});

function read(change: Record<string, string>): ReadRequest {
  return readHubRequest(new URLSearchParams({ ...GOOD, ...change }), (address) => topicPath(config, address));
}
