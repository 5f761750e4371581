/** The body of an item: dek, image with its credit, the article's body, and closing lines as on the site's pages. */
import { type Article, creditLine, type Link, type Outlet } from '../../articles/article.ts';
import { beginningOfText } from '../../articles/beginning.ts';
import { contactLine } from '../../articles/contact-line.ts';
import { otherOutlets } from '../../articles/outlets.ts';
import { textDirection } from '../../lib/locale/direction.ts';
import { type Locale, Markup, type MessageValues } from '../../lib/locale/locale.ts';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import type { FeedMedia } from './feed-view.ts';
import { strictUrl } from './markup.ts';

/**
 * @param locale of the words beside the article's own
 * @param language of the article, BCP 47
 */
export function itemBody(article: Article, image: FeedMedia | null, language: string, locale: Locale): string {
  const { bodyHtml, fullStory, bylines, related, outlet, status } = article;
  const also = otherOutlets([article]);
  const dir = textDirection(language);
  const isForeign = new Intl.Locale(language).language !== new Intl.Locale(locale.language).language;
  const open = isForeign ? `<p lang="${locale.language}" dir="${locale.dir}">` : '<p>';
  const line = (name: string, values: MessageValues): string => `${open}${locale.html(name, values)}</p>`;
  const linked = (link: Link): string => anchor(link, locale);
  const credit = ({ name, url }: Outlet): string => linked({ url: url ?? '', title: name });
  const contact = contactLine(bylines, locale);
  const body = [
    image === null ? '' : figure(image, locale),
    bodyHtml.trim(),
    fullStory === null ? '' : line('article.fullStory', { title: new Markup(linked(fullStory)) }),
    contact === null ? '' : `${open}${contact}</p>`,
    related.length === 0
      ? ''
      : line('article.related', { titles: locale.markupList(related.map(linked), 'semicolons') }),
    outlet === null ? '' : line('feed.source', { outlet: new Markup(credit(outlet)) }),
    also.length === 0 ? '' : line('edition.also', { outlets: locale.markupList(also.map(credit), 'plain') }),
    status.state === 'corrected' ? `${open}<em>${locale.html('feed.correction', { note: status.note })}</em></p>` : '',
  ]
    .filter((part) => part !== '')
    .join('\n');
  if (body === '') return body;
  const whole = deckOf(article) + body;
  // Readers show an item in their own direction, whatever its language.
  return dir === 'ltr' ? whole : `<div lang="${language}" dir="rtl">${whole}</div>`;
}

/** Characters of a body among which its dek may be: an edition's is below the headline of its lead. */
const REPEATED_WITHIN = 500;

/** The dek as a line, unless the body begins with it: readers show the body without the summary. */
function deckOf({ dek, bodyHtml }: Article): string {
  const text = cleanLine(dek ?? '');
  if (text === '' || beginningOfText(bodyHtml, text.length + REPEATED_WITHIN).includes(text)) return '';
  return `<p><strong>${escapeHtml(text)}</strong></p>\n`;
}

function figure(image: FeedMedia, locale: Locale): string {
  const size = image.width === null || image.height === null ? '' : ` width="${image.width}" height="${image.height}"`;
  const caption =
    image.credit === null ? '' : `<figcaption>${escapeHtml(creditLine(image.credit, locale))}</figcaption>`;
  const alt = escapeHtml(image.description ?? '');
  return `<figure><img src="${escapeHtml(image.url)}" alt="${alt}"${size}>${caption}</figure>`;
}

function anchor({ url, title }: Link, locale: Locale): string {
  const href = strictUrl(url);
  const html = locale.value(title);
  return href === null ? html : `<a href="${escapeHtml(href)}">${html}</a>`;
}
