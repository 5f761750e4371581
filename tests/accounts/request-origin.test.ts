import { describe, expect, it } from 'vitest';
import { isOwnRequest } from '../../src/accounts/request-origin.ts';

const URL_OF_SITE = 'https://news.example.com/wire';

describe('an unsafe request', () => {
  it.each([
    ['"same-origin"', { site: 'same-origin' }, true],
    ['"same-origin", whatever the name of the host', { site: 'same-origin', origin: 'http://127.0.0.1:8080' }, true],
    ['"same-site"', { site: 'same-site', origin: 'https://news.example.com' }, false],
    ['"cross-site" and its own origin', { site: 'cross-site', origin: 'https://news.example.com' }, false],
    ['"none"', { site: 'none' }, false],
    ['an unknown word', { site: 'Same-Origin' }, false],
    ['nothing', {}, false],
    ['its own origin alone', { origin: 'https://news.example.com' }, true],
    ['the origin "null"', { origin: 'null' }, false],
    ['an empty origin', { origin: '' }, false],
    ['another origin', { origin: 'https://evil.example' }, false],
    ['another scheme', { origin: 'http://news.example.com' }, false],
    ['another port', { origin: 'https://news.example.com:8443' }, false],
    ['a host that begins like its own', { origin: 'https://news.example.com.evil.example' }, false],
  ])('with %s is accepted or refused: %#', (_, source, expected) => {
    expect(isOwnRequest({ site: undefined, origin: undefined, ...source }, URL_OF_SITE)).toBe(expected);
  });
});
