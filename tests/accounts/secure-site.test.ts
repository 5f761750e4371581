import { expect, it } from 'vitest';
import { insecureSiteMessage, keepsSessions } from '../../src/accounts/secure-site.ts';

it.each([
  ['https://news.example.com', true],
  ['https://news.example.com:8443/wire', true],
  ['http://localhost:8080', true],
  ['http://desk.localhost', true],
  ['http://127.0.0.1:8080', true],
  ['http://127.9.0.1', true],
  ['http://[::1]:8080', true],
  ['http://news.example.com', false],
  ['http://192.168.0.7:8080', false],
  ['http://localhost.example.com', false],
  ['http://127.0.0.1.example.com', false],
  ['http://mylocalhost', false],
])('browsers keep the session of a site at %s: %s', (url, expected) => {
  expect(keepsSessions(url)).toBe(expected);
});

it('the message names the address and what would be right', () => {
  expect(insecureSiteMessage('http://news.example.com')).toMatch(
    /^publication\.url is http:\/\/news\.example\.com: .*serve the site with https$/,
  );
});
