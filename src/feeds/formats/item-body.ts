/** The body of an item: the image with its credit, the article's body, and closing lines as on the site's pages. */
import { type Article, creditLine, type Link, type Outlet } from '../../articles/article.ts';
import { contactLine } from '../../articles/contact-line.ts';
import { otherOutlets } from '../../articles/outlets.ts';
import { textDirection } from '../../lib/locale/direction.ts';
import { type Locale, Markup } from '../../lib/locale/locale.ts';
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
  const line = (name: string, values: Record<string, string>): string => {
    const markup = Object.entries(values).map(([key, html]) => [key, new Markup(html)]);
    return `${open}${locale.html(name, Object.fromEntries(markup))}</p>`;
  };
  const anchors = (links: Link[]): string[] => links.map((link) => anchor(link, locale));
  const credits = (outlets: Outlet[]): string[] =>
    anchors(outlets.map(({ name, url }) => ({ url: url ?? '', title: name })));
  const contact = contactLine(bylines, locale);
  const body = [
    image === null ? '' : figure(image, locale),
    bodyHtml.trim(),
    fullStory === null ? '' : line('article.fullStory', { title: anchor(fullStory, locale) }),
    contact === null ? '' : `${open}${contact}</p>`,
    related.length === 0 ? '' : line('article.related', { titles: locale.list(anchors(related), 'semicolons') }),
    outlet === null ? '' : line('feed.source', { outlet: credits([outlet]).join('') }),
    also.length === 0 ? '' : line('feed.also', { outlets: locale.list(credits(also), 'plain') }),
    status.state === 'corrected' ? `<p><em>${locale.html('feed.correction', { note: status.note })}</em></p>` : '',
  ]
    .filter((part) => part !== '')
    .join('\n');
  // Readers show an item in their own direction, whatever its language.
  return dir === 'ltr' || body === '' ? body : `<div lang="${language}" dir="rtl">${body}</div>`;
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
