import { expect, it } from 'vitest';
import { checkFile } from '../../scripts/feed-conformance/check-file.ts';
import { parseExpression } from '../../scripts/feed-conformance/python-expression.ts';

const NOW = Date.parse('2026-11-27');

function check(expected: string, item = '') {
  const document = `<!--\nDescription: x\nExpect:  ${expected}\n-->\n<rss><channel><item>${item}</item></channel></rss>`;
  return checkFile(Buffer.from(document), NOW);
}

const ITEM = `<title>A &amp;lt;b&amp;gt; “c”</title><link>http://EXAMPLE.com</link><author>ann@example.com (Ann Lee)</author>
  <pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate><description>&lt;p class="x"  id="y"&gt;Text&lt;/p&gt;</description>`;

it.each([
  [`not bozo and entries[0]['title'] == u'A <b> \\u201cc\\u201d'`, 'title'],
  [`entries[0]['title_detail']['value'] == 'A &lt;b&gt; “c”'`, 'title'],
  [`entries[0]['link'] == 'http://EXAMPLE.com'`, 'link'],
  [`not entries[0].has_key('link') or entries[0].link == 'http://EXAMPLE.com'`, 'link'],
  [`entries[0]['published_parsed'] == (2004, 1, 1, 19, 48, 21, 3, 1, 0)`, 'dates'],
  [`entries[0]['updated'] == 'Thu, 01 Jan 2004 19:48:21 GMT'`, 'dates'],
  [`entries[0]['authors'][0]['name'] == 'Ann Lee'`, 'author'],
  [`entries[0]['author'] == 'Ann Lee (ann@example.com)'`, 'author'],
  [`entries[0]['link'] is 'http://EXAMPLE.com' and 'x' not in feed and entries[0]['point'] == (1.5, 2)`, 'link'],
  [`entries[0]['title'] == 'A &lt;b&gt; ' + '“c”'`, 'title'],
  [`entries[0]['description'] == """<p id="y" class="x">Text</p>"""`, 'content'],
])('finds what is expected: %s', (expected, field) => {
  const { fields } = check(expected, ITEM);
  expect(fields.length).toBeGreaterThan(0);
  // An alternative is not understood, and reported so.
  for (const one of fields) expect(one).toMatchObject({ field, isMet: !expected.includes(' or ') });
});

it.each([
  [`entries[0]['title'] == 'A'`, 'title'],
  [`not entries[0].has_key('link')`, 'link'],
  [`entries[0]['id'] == 'x'`, 'id'],
  [`entries[1]['link'] == 'http://example.com/'`, 'link'],
  [`entries[0]['published_parsed'] == (2004, 1, 1, 19, 48, 22, 3, 1, 0)`, 'dates'],
  [`entries[0]['authors'][1]['name'] == 'Ann Lee'`, 'author'],
  [`entries[0]['summary'] == '<p>Text</p>'`, 'content'],
])('finds what is not as expected, with a reason: %s', (expected, field) => {
  const { fields } = check(expected, ITEM);
  expect(fields).toMatchObject([{ field, isMet: false, reason: expect.stringMatching(/./) }]);
});

it('counts items, and leaves aside what daywire does not keep', () => {
  const report = check(
    `feed['title'] == 'x' and entries[0]['content'][0]['type'] == 'text/html' and 1`,
    '<title>a</title>',
  );
  expect(report).toMatchObject({
    expectedItems: 1,
    foundItems: 1,
    fields: [],
    others: ['content.type'],
    repaired: false,
  });
});

it('reads a file as the header in its comment says', () => {
  const comment =
    "Header: Content-type: text/xml; charset=windows-1251\nExpect: entries[0].title == u'\\u041c\\u0438\\u0440'";
  const parts = [`<!--\n${comment}\n--><rss><item><title>`, '\xcc\xe8\xf0', '</title></item></rss>'];
  const { fields } = checkFile(Buffer.from(parts.join(''), 'latin1'), NOW);
  expect(fields).toMatchObject([{ field: 'title', isMet: true }]);
});

it('counts an expectation that is not understood as not compared', () => {
  expect(check('len(entries) > 1')).toMatchObject({ foundItems: 1, fields: [], others: ['(not understood)'] });
});

it('refuses what is no such expression', () => {
  for (const text of ['', 'a == ', "'open", 'a b', 'entries[', 'a @ b'])
    expect(() => parseExpression(text)).toThrow(SyntaxError);
});
