/** Feeds of invented outlets. */
import { createHash } from 'node:crypto';
import type { OutletAnswer, OutletRequest } from './outlet-server.ts';

export interface OutletStory {
  /** Identifies it within its outlet. */
  number: number;
  /** Epoch milliseconds. */
  at: number;
}

/** An RSS feed with these stories. */
export function rssOf(host: string, stories: readonly OutletStory[]): string {
  const items = stories.map(
    ({ number, at }) => `<item>
<title>Report ${number} of ${host}</title>
<link>https://${host}/reports/${number}</link>
<guid isPermaLink="false">${host}-${number}</guid>
<pubDate>${new Date(at).toUTCString()}</pubDate>
</item>`,
  );
  const start = '<?xml version="1.0"?><rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">';
  return `${start}<channel><title>${host}</title><language>en</language>\n${items.join('\n')}\n</channel></rss>`;
}

/** Answers 200, or 304 to a request that names the same validator. */
export function answerConditionally(
  { headers }: OutletRequest,
  body: string,
  validators: { etag?: true; modifiedAt?: number },
  more: Record<string, string> = {},
): OutletAnswer {
  const etag = `W/"${createHash('sha256').update(body).digest('hex').slice(0, 12)}"`;
  const sent: Record<string, string> = { 'Content-Type': 'application/rss+xml; charset=utf-8', ...more };
  if (validators.etag) sent.ETag = etag;
  if (validators.modifiedAt !== undefined) sent['Last-Modified'] = new Date(validators.modifiedAt).toUTCString();
  const isSame =
    validators.etag === undefined
      ? validators.modifiedAt !== undefined && headers['if-modified-since'] === sent['Last-Modified']
      : headers['if-none-match'] === etag;
  return isSame ? { status: 304, headers: sent } : { status: 200, headers: sent, body };
}
