import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPlainRequest } from '../../../src/http/feeds/plain-request.ts';

const PLAIN = 'GET /feeds/latest.atom HTTP/1.1\r\nHost: example.com\r\n';

describe('a plain request', () => {
  it('is read with the fields that matter, whatever the case of their names, and the rest passed over', () => {
    const text = `${PLAIN}user-agent: \t reader/1.0 (x) \t\r\nACCEPT: */*\r\nAccept-Encoding: gzip\r\nIf-None-Match: "a"\r\nIf-Modified-Since: never\r\nA-IM: feed\r\nCookie: a=b\r\nAccept-Language:\r\nConnection: Keep-Alive\r\n\r\nGET`;
    expect(readPlainRequest(text)).toEqual({
      request: {
        method: 'GET',
        target: '/feeds/latest.atom',
        userAgent: 'reader/1.0 (x)',
        accept: '*/*',
        acceptEncoding: 'gzip',
        ifNoneMatch: '"a"',
        ifModifiedSince: 'never',
        aIm: 'feed',
      },
      end: text.length - 3,
    });
  });

  // Whatever could mean two things to two programs, or asks for more than a document.
  it.each([
    ['not whole', PLAIN],
    ['not whole by one byte', `${PLAIN}\r`],
    ['without a host', 'GET / HTTP/1.1\r\n\r\n'],
    ['with two hosts', `${PLAIN}Host: other\r\n\r\n`],
    ['of an older version', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['of another method', 'POST / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['to a proxy', 'GET http://example.com/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['with two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['after an empty line', `\r\n${PLAIN}\r\n`],
    ['with a body', `${PLAIN}Content-Length: 3\r\n\r\nabc`],
    ['with an empty body', `${PLAIN}Content-Length: 0\r\n\r\n`],
    ['in chunks', `${PLAIN}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['in chunks, in disguise', `${PLAIN}transfer-encoding : chunked\r\n\r\n`],
    ['with a line that goes on', `${PLAIN}X-A: b\r\n c\r\n\r\n`],
    ['with a bare line feed', `${PLAIN}X-A: b\nTransfer-Encoding: chunked\r\n\r\n`],
    ['with a bare carriage return', `${PLAIN}X-A: b\rX: c\r\n\r\n`],
    ['with a control character', `${PLAIN}X-A: \u0000\r\n\r\n`],
    ['with a name that is none', `${PLAIN}X A: b\r\n\r\n`],
    ['with no name', `${PLAIN}: b\r\n\r\n`],
    ['with no colon', `${PLAIN}X\r\n\r\n`],
    ['that expects something', `${PLAIN}Expect: 100-continue\r\n\r\n`],
    ['that wants to upgrade', `${PLAIN}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`],
    ['that ends the connection', `${PLAIN}Connection: close\r\n\r\n`],
    ['with one field twice', `${PLAIN}If-None-Match: "a"\r\nif-none-match: "b"\r\n\r\n`],
    ['with a head that has no end', `${PLAIN}X: ${'a'.repeat(5_000)}\r\n\r\n`],
  ])('is not one %s', (_, text) => {
    expect(readPlainRequest(text)).toBeNull();
  });

  it('takes no more time than its bytes, whatever they are', () => {
    const hostile = [
      `${PLAIN}X:${' '.repeat(4_000)}x\u0001\r\n\r\n`,
      `${PLAIN}X: ${' \t'.repeat(2_000)}\u0001\r\n\r\n`,
    ];
    const began = performance.now();
    for (let turn = 0; turn < 100; turn++) for (const text of hostile) expect(readPlainRequest(text)).toBeNull();
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('ends where its head ends, and holds nothing of what follows', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (rest) => {
        const read = readPlainRequest(`${PLAIN}\r\n${rest}`);
        expect(read?.end).toBe(PLAIN.length + 2);
        expect(read?.request).toEqual({ method: 'GET', target: '/feeds/latest.atom' });
      }),
    );
  });
});
