/** An article whose text fields are all the same. */
import type { Article } from '../../src/articles/article.ts';
import { sanitiseHtml } from '../../src/articles/sanitise.ts';
import { cleanLine } from '../../src/lib/text/clean-text.ts';
import { article, NOW } from '../app/test-site.ts';

export function filled(words: string): Article {
  const text = cleanLine(words) || '-';
  const url = `https://example.com/?q=${encodeURIComponent(text)}&r="<>'`;
  const status = { state: 'corrected' as const, note: text, at: NOW };
  return article('hostile', {
    kind: 'feature',
    kicker: text,
    topic: text,
    headline: text,
    shortHeadline: text,
    dek: text,
    bodyHtml: `<p>${sanitiseHtml(text, { publicUrl: 'https://example.com', sourceOrigins: [] }).html}</p>`,
    tags: [text, `${text}2`],
    bylines: [
      { role: 'reporter', name: text, email: text },
      { role: 'editor', name: text, email: text },
    ],
    fullStory: { url, title: text },
    related: [{ url, title: text }],
    outlet: { name: text, url, publishedAt: NOW },
    also: [{ name: `${text}2`, url }],
    image: { url, alt: text, credit: text, type: text, length: 1, width: 1, height: 1 },
    enclosures: [{ url, type: text, length: 1, title: text }],
    language: text,
    status,
  });
}
