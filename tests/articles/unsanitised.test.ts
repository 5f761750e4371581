import fc from 'fast-check';
import { Parser } from 'htmlparser2';
import { describe, expect, it, vi } from 'vitest';
import { sanitiseHtml } from '../../src/articles/sanitise.ts';
import { findUnsanitised } from '../../src/articles/unsanitised.ts';

const html = (source: string): string =>
  sanitiseHtml(source, { publicUrl: 'https://news.example', sourceOrigins: [] }).html;

describe('findUnsanitised', () => {
  it.each([
    '<p>a &amp; b &quot; &#39; &#60;</p>\n<ul><li><a href="https://example.com">x</a></li></ul>',
    '<img src="https://e.example/a.png" alt="" /><br>',
    '<p>unclosed',
  ])('accepts %j', (body) => {
    expect(findUnsanitised(body)).toEqual([]);
  });

  it.each([
    ['<p>a</p><script>b</script>', '<script>'],
    ['<p onclick="x()">a</p>', '<p onclick="x()">'],
    ['<a href="/a">a</a>', '<a href="/a">'],
    ['<a href="javascript:alert(1)">a</a>', '<a href="javascript:alert(1)">'],
    ['<img src="https://e.example/a.png">', '<img src="https://e.example/a.png">'],
    ['<div>a</div>', '<div>'],
    ['a<!-- b -->', 'a comment'],
    ['a<?php b ?>', 'a comment'],
    ['<!doctype html>a', 'a declaration'],
  ])('reports what the sanitiser would change in %j', (body, what) => {
    expect(findUnsanitised(body)).toEqual([`the body holds ${what}, which no feed may carry`]);
  });

  it('reports a tag without an end, and elements that nest too deep', () => {
    expect(findUnsanitised('a<script src="https://e.example/a.js"')).toEqual(['the body ends inside a tag']);
    expect(findUnsanitised('<b>'.repeat(1_100))).toContain('the body nests its elements more than 1000 deep');
  });

  it('does not parse again what the sanitiser has written', () => {
    const source =
      '<h2>a</h2><p>b<br>&amp; <a href="/x?a=1&b=2">c</a> <a href="mailto:a@b.example?subject=x&body=y">d</a></p>' +
      '<ol start="3"><li>e</li></ol><table><tr><td rowspan="2">f</td></tr></table><hr>' +
      '<figure><img src="/i.png" alt="<&>" width="1" height="2"><figcaption>g</figcaption></figure>';
    const sanitised = html(source);
    const parse = vi.spyOn(Parser.prototype, 'write');
    try {
      expect(findUnsanitised(sanitised)).toEqual([]);
      expect(parse).not.toHaveBeenCalled();
      expect(findUnsanitised(`${sanitised}<div>`)).toHaveLength(1);
      expect(parse).toHaveBeenCalled();
    } finally {
      parse.mockRestore();
    }
  });

  it('finds the same as the parser', () => {
    const names = ['p', 'b', 'a', 'li', 'td', 'ol', 'br', 'img', 'h1', 'h2', 'del', 'div', 'script'];
    const attributes = [
      ...['', ' class="x"', ' href="/x"', ' href="https://u:p@e.example/"', ' href="https://e.example:99999/"'],
      ...[' href="https://e.example/?a&amp;b"', ' href="http://1.2.3.4.5/"', ' href="https://xn--a/"'],
      ...[' href="mailto:a@e.example?a&amp;b"', ' href="mailto:a b"', ' start="3"', ' colspan="2"', ' rowspan="02"'],
      ...[' src="https://e.example/i.png" alt="x"', ' src="https://e.example/i.png" alt="" width="07"'],
    ];
    const tag = fc
      .tuple(fc.constantFrom('', '/'), fc.constantFrom(...names), fc.constantFrom(...attributes))
      .chain(([slash, name, attribute]) => fc.constantFrom(`<${slash}${name}${attribute}>`, `<${name}${attribute} />`));
    const pieces = fc.array(fc.oneof(tag, fc.constantFrom('x', ' ', '&lt;', '>', '"', '<', '<!-- x -->', '\u0001')), {
      maxLength: 12,
    });
    // The parser ignores a space in an end tag, which the sanitiser never writes.
    const parsed = (body: string): string[] => findUnsanitised(`<i></i >${body}`);
    fc.assert(
      fc.property(pieces, (parts) => {
        const body = parts.join('');
        expect(findUnsanitised(body)).toEqual(parsed(body));
      }),
      { numRuns: 500 },
    );
  });
});
