/** The documents of a life, as its server answers them. */

import type { FetchClient } from '../../src/lib/guarded-fetch/fetch-client.ts';
import { sha256 } from '../../src/lib/sha256.ts';
import { rfc3339 } from '../../src/lib/time.ts';
import type { Life, Story } from './life.ts';

/** The feed at `/feed`, that of a section at `/section` with every other story, older pages at `?page=2`. */
export function serveLife(life: Life): FetchClient {
  return {
    async fetch({ url, headers = {} }) {
      const { pathname, searchParams } = new URL(url);
      const page = Number(searchParams.get('page') ?? '1');
      const body = write(life, storiesOf(life, pathname, page), url, page);
      const etag = life.has('304 for ever') ? '"always"' : `"${sha256(body).slice(0, 12)}"`;
      const known = Object.entries(headers).find(([name]) => name.toLowerCase() === 'if-none-match')?.[1];
      const isKnown = known === etag;
      const type = life.format === 'json' ? 'application/feed+json' : 'application/xml';
      return {
        ...{ kind: 'answered', status: isKnown ? 304 : 200, url, movedTo: null },
        ...{ headers: { etag, 'content-type': type }, body: Buffer.from(isKnown ? '' : body) },
      };
    },
  };
}

export function storiesOf(life: Life, pathname: string, page = 1): Story[] {
  const there = life.stories.filter(({ state }) => state === 'there');
  const shown = there.slice((page - 1) * life.length, page * life.length);
  return pathname === '/section' ? shown.filter(({ marker }) => Number(marker.split('x')[1]) % 2 === 0) : shown;
}

const escapeXml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function write(life: Life, stories: Story[], url: string, page: number): string {
  const { format, tracking, isHttps, host, shift } = life;
  const hasMore = life.has('archive pages') && stories.length === life.length;
  const next = hasMore ? `${url.split('?')[0]}?page=${page + 1}` : null;
  const query = tracking === 0 ? '' : `?utm_source=feed&utm_campaign=c${tracking}-${life.written++}`;
  const entries = stories.map(({ guid, path, title, words, at }) => ({
    ...{ guid, title, link: `http${isHttps ? 's' : ''}://${host}${path}${query}` },
    ...{ html: `<p>${words.join(' ')}.</p>`, at: at + shift },
  }));
  if (format === 'json') {
    return JSON.stringify({
      ...{ version: 'https://jsonfeed.org/version/1.1', title: 'Life', ...(next === null ? {} : { next_url: next }) },
      items: entries.map(({ guid, link, title, html, at }) => {
        return { id: guid, url: link, title, content_html: html, date_published: rfc3339(at) };
      }),
    });
  }
  if (format === 'atom') {
    const deleted = life.stories.filter(({ state }) => state === 'deleted');
    const items = entries.map(
      ({ guid, link, title, html, at }) =>
        `<entry><id>${escapeXml(guid)}</id><title>${title}</title><link href="${escapeXml(link)}"/>` +
        `<published>${rfc3339(at)}</published><updated>${rfc3339(at)}</updated>` +
        `<content type="html">${escapeXml(html)}</content></entry>`,
    );
    const gone = deleted.map(({ guid }) => `<at:deleted-entry ref="${escapeXml(guid)}" when="2026-12-01T00:00:00Z"/>`);
    const more = next === null ? '' : `<link rel="next" href="${next}"/>`;
    const open = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0">';
    return `${open}<title>Life</title>${more}${gone.join('')}${items.join('')}</feed>`;
  }
  const items = entries.map(
    ({ guid, link, title, html, at }) =>
      `<item><guid isPermaLink="false">${escapeXml(guid)}</guid><title>${title}</title><link>${escapeXml(link)}</link>` +
      `<pubDate>${new Date(at).toUTCString()}</pubDate><description>${escapeXml(html)}</description></item>`,
  );
  const more = next === null ? '' : `<atom:link rel="next" href="${next}"/>`;
  const open = '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>';
  return `${open}<title>Life</title>${more}${items.join('')}</channel></rss>`;
}
