import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ParsedHubRequest, parseHubRequest } from '../../../src/feeds/hub/subscribe-request.ts';
import { topicPath } from '../../../src/feeds/topics.ts';
import { DAY, HOUR, SECOND } from '../../../src/lib/time.ts';
import { feedsConfig } from '../feeds-fixture.ts';

const config = feedsConfig();
const VALID = {
  'hub.mode': 'subscribe',
  'hub.topic': 'https://wire.example.com/feeds/latest.atom',
  'hub.callback': 'https://subscriber.example.com/callback?feed=7&k=a%20b',
};

describe('a request to the hub', () => {
  it('is parsed with defaults', () => {
    expect(parse({})).toEqual({
      kind: 'valid',
      request: {
        mode: 'subscribe',
        topic: 'latest.atom',
        callback: 'https://subscriber.example.com/callback?feed=7&k=a%20b',
        host: 'subscriber.example.com',
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
  ])('for a lease of %s s is granted %i s', (asked, granted) => {
    expect(parse({ 'hub.lease_seconds': asked })).toMatchObject({ request: { leaseSeconds: granted } });
  });

  it('is refused where a parameter is given twice', () => {
    for (const name of ['mode', 'topic', 'callback', 'secret']) {
      const fields = new URLSearchParams(VALID);
      fields.append(`hub.${name}`, 'x');
      fields.append(`hub.${name}`, 'y');
      const parsed = parseHubRequest(fields, (address) => topicPath(config, address));
      expect(parsed).toEqual({ kind: 'invalid', reason: `hub.${name} is given more than once.` });
    }
  });

  it('has its callback normalised', () => {
    expect(parse({ 'hub.callback': 'HTTPS://Subscriber.Example.com:443/a/../b' })).toMatchObject({
      request: { callback: 'https://subscriber.example.com/b', host: 'subscriber.example.com' },
    });
  });

  it.each([
    ['hub.mode', 'publish', /hub\.mode must be subscribe or unsubscribe/],
    ['hub.mode', '', /hub\.mode/],
    ['hub.topic', 'https://wire.example.com/feeds/latest.atom/', /hub\.topic must be the URL of a feed/],
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
    ['hub.callback', 'ftp://subscriber.example.com/', /http or https URL/],
    ['hub.callback', 'file:///etc/passwd', /http or https URL/],
    ['hub.callback', '//subscriber.example.com/', /http or https URL/],
    ['hub.callback', 'https://', /http or https URL/],
    ['hub.callback', 'https://subscriber.example.com/\r\nX-Evil: 1', /without spaces/],
    ['hub.callback', 'https://subscriber.example.com/\u0000', /without spaces/],
    ['hub.callback', ' https://subscriber.example.com/', /without spaces/],
    ['hub.callback', 'https://subscriber.example.com/ü', /ASCII/],
    ['hub.callback', 'https://ada:secret@subscriber.example.com/', /not contain a user name or password/],
    ['hub.callback', 'https://ada@subscriber.example.com/', /not contain a user name or password/],
    ['hub.callback', 'https://subscriber.example.com/#part', /not have a fragment/],
    ['hub.callback', `https://subscriber.example.com/${'a'.repeat(2_000)}`, /at most 2000 characters/],
    ['hub.lease_seconds', '-1', /whole number of seconds/],
    ['hub.lease_seconds', '1e9', /whole number of seconds/],
    ['hub.secret', 'ä'.repeat(100), /fewer than 200 bytes/],
  ])('is refused with %s = %j', (name, value, reason) => {
    expect(parse({ [name]: value })).toEqual({ kind: 'invalid', reason: expect.stringMatching(reason) as string });
  });

  it('is valid or refused, whatever its content, and a valid callback is a safe URL', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl({ withFragments: true, withQueryParameters: true }));
    fc.assert(
      fc.property(text, text, text, (callback, secret, lease) => {
        const parsed = parse({ 'hub.callback': callback, 'hub.secret': secret, 'hub.lease_seconds': lease });
        if (parsed.kind === 'invalid') return;
        const { request } = parsed;
        expect(request.callback).toMatch(/^https?:\/\/[^\s@#]+/);
        expect(new URL(request.callback).href).toBe(request.callback);
        expect(request.leaseSeconds).toBeGreaterThanOrEqual(3_600);
        expect(Buffer.byteLength(request.secret ?? '')).toBeLessThan(200);
      }),
    );
  });
});

function parse(change: Record<string, string>): ParsedHubRequest {
  return parseHubRequest(new URLSearchParams({ ...VALID, ...change }), (address) => topicPath(config, address));
}
