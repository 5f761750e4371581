/** The body of an item: the image with its credit, the article's body, and closing lines as on the site's pages. */
import { type Article, type Byline, creditLine, type Link, type Outlet } from '../../articles/article.ts';
import { otherOutlets } from '../../articles/outlets.ts';
import { localeOf } from '../../lib/locale/locale.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import type { FeedMedia } from './feed-view.ts';
import { strictUrl } from './markup.ts';

const ENGLISH = localeOf('en', {});

export function itemBody(article: Article, image: FeedMedia | null): string {
  const { bodyHtml, fullStory, bylines, related, outlet, status } = article;
  const also = otherOutlets([article]);
  return [
    image === null ? '' : figure(image),
    bodyHtml.trim(),
    fullStory === null ? '' : `<p>Read the full story: ${anchor(fullStory)}</p>`,
    contactLine(bylines),
    related.length === 0 ? '' : `<p>Related: ${related.map(anchor).join('; ')}</p>`,
    outlet === null ? '' : `<p>Source: ${credit(outlet)}</p>`,
    also.length === 0 ? '' : `<p>Also: ${also.map(credit).join(', ')}</p>`,
    status.state === 'corrected' ? `<p><em>Correction: ${escapeHtml(status.note)}</em></p>` : '',
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function figure(image: FeedMedia): string {
  const size = image.width === null || image.height === null ? '' : ` width="${image.width}" height="${image.height}"`;
  const caption =
    image.credit === null ? '' : `<figcaption>${escapeHtml(creditLine(image.credit, ENGLISH))}</figcaption>`;
  const alt = escapeHtml(image.description ?? '');
  return `<figure><img src="${escapeHtml(image.url)}" alt="${alt}"${size}>${caption}</figure>`;
}

/** `Contact reporters A (a@…) and B (b@…), and editor C (c@…)`; empty if no byline has an address. */
function contactLine(bylines: Byline[]): string {
  const roles = (['reporter', 'editor'] as const).flatMap((role) => {
    const people = bylines.flatMap((byline) =>
      byline.role === role && byline.email !== null ? [person(byline.name, byline.email)] : [],
    );
    return people.length === 0
      ? []
      : [{ count: people.length, text: `${role}${people.length > 1 ? 's' : ''} ${list(people)}` }];
  });
  if (roles.length === 0) return '';
  const separator = roles.some(({ count }) => count > 1) ? ', and ' : ' and ';
  return `<p>Contact ${roles.map(({ text }) => text).join(separator)}</p>`;
}

function person(name: string, email: string): string {
  // RFC 6068 §2. Percent-encoded except for the @, so that an address cannot add header fields.
  const address = encodeURIComponent(email).replaceAll('%40', '@');
  return `${escapeHtml(name)} (<a href="mailto:${escapeHtml(address)}">${escapeHtml(email)}</a>)`;
}

function list(parts: string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function credit({ name, url }: Outlet): string {
  return anchor({ url: url ?? '', title: name });
}

function anchor({ url, title }: Link): string {
  const href = strictUrl(url);
  return href === null ? escapeHtml(title) : `<a href="${escapeHtml(href)}">${escapeHtml(title)}</a>`;
}
