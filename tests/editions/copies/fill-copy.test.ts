import { expect, it } from 'vitest';
import type { EditionSegments } from '../../../src/editions/copies/copy.ts';
import { fillCopy } from '../../../src/editions/copies/copy.ts';

const NONCE = '0123456789abcdef';
const of = (name: string): string => `%%${NONCE}:${name}%%`;

const story = (articleId: string) => ({
  ...{ articleId, sections: [], tags: [], reporters: [] },
  ...{ isForAll: false, minutes: 1 },
});

const SEGMENTS: EditionSegments = {
  stories: [story('a'), story('b')],
  minutes: 0,
  preheaders: [
    { story: 0, text: 'About <A>' },
    { story: 1, text: 'About B & more' },
  ],
  html: [
    `<title>${of('headline')}</title><p>${of('preheader')}</p>`,
    { when: { any: [0] }, parts: ['<p>A</p>'] },
    { when: { any: [1] }, parts: ['<p>B</p>'] },
    `<a href="${of('unsubscribe')}">Leave</a>`,
  ],
  text: [
    `${of('preheader')}\n\n`,
    { when: { any: [0] }, parts: ['A\n\n'] },
    { when: { any: [1] }, parts: ['B\n\n'] },
    `Leave: ${of('unsubscribe')}\n`,
  ],
};

it('makes the mail of a copy from its own stories, with its preheader and subject escaped', () => {
  const links = { unsubscribe: 'https://example.com/?a&b' };
  const copy = { stories: [1], subject: 'News: "B" <now>' };
  expect(fillCopy(SEGMENTS, copy, NONCE, links)).toEqual({
    subject: 'News: "B" <now>',
    preheader: 'About B & more',
    html:
      '<title>News: &quot;B&quot; &lt;now&gt;</title><p>About B &amp; more</p><p>B</p>' +
      '<a href="https://example.com/?a&amp;b">Leave</a>',
    text: 'About B & more\n\nB\n\nLeave: https://example.com/?a&b\n',
  });
  expect(() => fillCopy(SEGMENTS, copy, NONCE, {})).toThrow('placeholder unsubscribe');
});
