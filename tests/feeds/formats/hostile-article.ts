/** Articles with hostile strings in every field. */
import fc from 'fast-check';
import type { Article } from '../../../src/articles/article.ts';
import { NOW } from '../../support/clock.ts';

// Whole code units, so that lone surrogates are among them, and what XML, HTML, CDATA and our own slots are made of.
export const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        ...[
          ']]>',
          '<![CDATA[',
          '<',
          '>',
          '&',
          '&amp;',
          '&#0;',
          '"',
          "'",
          '--',
          '<!--',
          '<?x ?>',
          '<T>',
          '</b>',
          '\u0000',
          '\u001b',
        ],
        ...[
          '\ud800',
          '\udc00',
          '\ufffe',
          '\u2028',
          '\r\n',
          '\t',
          'slot:0:',
          'slot:1:',
          '<item>',
          '</entry>',
          '</feed>',
          '%%',
          '{{',
          '🚀',
          'é',
          ' ',
        ],
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);
const nullable = fc.option(hostile);

export const hostileArticle: fc.Arbitrary<Partial<Article>> = fc
  .record({
    kicker: nullable,
    headline: hostile,
    dek: nullable,
    tags: fc.array(hostile, { maxLength: 3 }),
    name: hostile,
    email: nullable,
    linkTitle: hostile,
    outlet: hostile,
    alt: hostile,
    credit: nullable,
    title: nullable,
    note: hostile,
    words: hostile,
  })
  .map((h) => ({
    kicker: h.kicker,
    headline: h.headline,
    dek: h.dek,
    tags: h.tags,
    bylines: [{ role: 'reporter' as const, name: h.name, email: h.email }],
    fullStory: { url: 'https://example.com/a?b&c', title: h.linkTitle },
    related: [{ url: 'https://example.com/[x]|{y}#a#b', title: h.linkTitle }],
    outlet: { name: h.outlet, url: 'https://example.com/[x]|{y}#a#b', publishedAt: null },
    also: [{ name: h.linkTitle, url: 'https://example.com/"<é' }],
    image: {
      url: 'https://example.com/é.jpg',
      alt: h.alt,
      credit: h.credit,
      type: 'image/jpeg',
      length: 1,
      width: 1,
      height: 1,
    },
    enclosures: [{ url: 'https://example.com/a.mp3', type: 'audio/mpeg', length: 2, title: h.title }],
    // As the sanitiser leaves it: escaped text.
    bodyHtml: `<p>${h.words.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)}]]></p>`,
    status: { state: 'corrected' as const, note: h.note, at: NOW },
  }));
