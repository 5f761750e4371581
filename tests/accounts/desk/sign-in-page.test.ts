import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathAfterSignIn } from '../../../src/accounts/desk/sign-in-page.ts';
import { anyText } from '../../support/any-text.ts';

const SITE = 'https://news.example.com';

describe('the address after signing in', () => {
  it.each([
    '/desk',
    '/desk/editions/daily-roundup/2026-11-24',
    '/desk?day=2026-11-24',
    '/desk/audit?account=3&act=edition.hold',
    '/desk/articles?after=a%2Fb',
  ])('is the page that was asked for: %s', (next) => {
    expect(pathAfterSignIn(next, '/desk')).toBe(next);
  });

  it.each([
    null,
    '',
    '/',
    '/deskx',
    '/desk/../secret',
    '/desk/%2e%2e/secret',
    '/desk/.%2E/secret',
    '//evil.example/desk',
    '/\\evil.example',
    '/desk\\..\\..\\x',
    'https://evil.example/desk',
    'javascript:alert(1)//desk',
    '/desk/\t/x',
    '/desk/\r\nSet-Cookie: a=b',
    ' /desk/runs',
    '/desk//evil.example',
    '/desk/runs#fragment',
    `/desk/${'a'.repeat(3_000)}`,
  ])('is the first page instead of %j', (next) => {
    expect(pathAfterSignIn(next, '/desk')).toBe('/desk');
  });

  it('is below the path of the site', () => {
    expect(pathAfterSignIn('/wire/desk/runs', '/wire/desk')).toBe('/wire/desk/runs');
    expect(pathAfterSignIn('/desk/runs', '/wire/desk')).toBe('/wire/desk');
  });

  it('is a page of the desk as a browser reads it, whatever the link says', () => {
    const piece = fc.oneof(
      anyText(3),
      fc.constantFrom(
        '/desk',
        '/',
        '\\',
        '..',
        '.',
        '%2e',
        '%2f',
        '%5c',
        '//',
        '@',
        ':',
        '?',
        '#',
        'evil.example',
        '\t',
        ';',
      ),
    );
    const hostile = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const prefixed = fc.tuple(fc.constantFrom('', '/desk', '/desk/'), hostile).map((parts) => parts.join(''));
    let kept = 0;
    fc.assert(
      fc.property(prefixed, (next) => {
        const target = new URL(pathAfterSignIn(next, '/desk'), `${SITE}/desk/sign-in`);
        expect(target.origin).toBe(SITE);
        expect(target.pathname).toMatch(/^\/desk(\/|$)/);
        if (pathAfterSignIn(next, '/desk') !== '/desk') kept += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(kept).toBeGreaterThan(10);
  });
});
