import { expect, it } from 'vitest';
import { challengeOf, isPage } from '../../../src/outlets/polling/request-feed.ts';

const page = (body: string, status = 403, headers = {}) => ({
  ...{ status, headers: { 'content-type': 'text/html', ...headers } },
  body: Buffer.from(`<!DOCTYPE html><html><head>${body}</head></html>`),
});

it('names the service of a challenge by its marks', () => {
  const pages: [string, string][] = [
    ['<script>window._cf_chl_opt={}</script>', 'Cloudflare'],
    ['<script src="https://ct.captcha-delivery.com/c.js"></script>', 'DataDome'],
    ['<iframe src="/_Incapsula_Resource?x"></iframe>', 'Imperva'],
    ['<div id="px-captcha"></div>', 'HUMAN'],
    ['<script src="https://x.token.awswaf.com/challenge.js"></script>', 'AWS WAF'],
    ['<script src="/.within.website/x/cmd/anubis/static/js/main.mjs"></script>', 'Anubis'],
  ];
  expect(pages.map(([body]) => challengeOf(page(body)))).toEqual(pages.map(([, service]) => service));
  expect(challengeOf(page('', 200, { 'cf-mitigated': 'challenge' }))).toBe('Cloudflare');
  expect(challengeOf(page('', 202, { 'x-amzn-waf-action': 'challenge' }))).toBe('AWS WAF');
});

it('takes no other page for a challenge, and no feed that mentions one', () => {
  expect(challengeOf(page('<title>Forbidden</title>'))).toBeNull();
  expect(challengeOf(page('_cf_chl_opt', 404))).toBeNull();
  const feed = Buffer.from('<?xml version="1.0"?><rss><title>What _cf_chl_opt means</title></rss>');
  expect(challengeOf({ status: 200, headers: { 'content-type': 'text/html' }, body: feed })).toBeNull();
});

it('tells a page from a feed by how it begins, else by its type', () => {
  const is = (body: string, type = 'application/xml') => isPage({ 'content-type': type }, Buffer.from(body));
  expect([is('\ufeff <!DOCTYPE HTML><html>'), is('<html lang="en">'), is('Sorry', 'text/html; charset=utf-8')]).toEqual(
    [...[true, true, true]],
  );
  expect([is('<rss>', 'text/html'), is('\ufeff<?xml version="1.0"?>', 'text/html'), is('Sorry', 'text/plain')]).toEqual(
    [...[false, false, false]],
  );
});
