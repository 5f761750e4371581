/** Feeds of an outlet as documents, and their entries as a poll reads them. */
import { rfc3339 } from '../../../src/lib/time.ts';

export interface Report {
  guid: string | null;
  link: string;
  title: string;
  publishedAt: number | null;
}

/** One report as an outlet publishes it. */
export function report(number: number, publishedAt: number | null, change: Partial<Report> = {}): Report {
  return {
    guid: `https://outlet.example/?p=${number}`,
    link: `https://outlet.example/2026/report-${number}`,
    title: `Report number ${number}`,
    publishedAt,
    ...change,
  };
}

const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export const FORMATS = {
  rss: (reports: readonly Report[]): string =>
    `<rss version="2.0"><channel><title>The Outlet</title><link>https://outlet.example/</link>${reports
      .map(
        ({ guid, link, title, publishedAt }) =>
          `<item>${guid === null ? '' : `<guid isPermaLink="false">${xml(guid)}</guid>`}<link>${xml(link)}</link>
          <title>${xml(title)}</title>${
            publishedAt === null ? '' : `<pubDate>${new Date(publishedAt).toUTCString()}</pubDate>`
          }</item>`,
      )
      .join('')}</channel></rss>`,
  atom: (reports: readonly Report[]): string =>
    `<feed xmlns="http://www.w3.org/2005/Atom"><title>The Outlet</title><id>urn:feed</id>${reports
      .map(
        ({ guid, link, title, publishedAt }) =>
          `<entry><id>${xml(guid ?? '')}</id><link href="${xml(link)}"/><title>${xml(title)}</title>${
            publishedAt === null ? '' : `<published>${rfc3339(publishedAt)}</published>`
          }</entry>`,
      )
      .join('')}</feed>`,
  json: (reports: readonly Report[]): string =>
    JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'The Outlet',
      items: reports.map(({ guid, link, title, publishedAt }) => ({
        ...{ id: guid ?? '', url: link, title, content_text: '' },
        ...(publishedAt === null ? {} : { date_published: rfc3339(publishedAt) }),
      })),
    }),
};
