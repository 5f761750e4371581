/** WebSub topics: a topic is the public URL of a feed document, byte-equal to the self link in it. */
import type { Config } from '../core/config/config.ts';

// The name of a configured feed. Derived feeds are in folders.
const TOPIC_PATH = /^[a-z0-9][a-z0-9-]*\.(?:rss|atom|json)$/;

/** The URL of the hub that feeds name, or null. The embedded one is at `<publication.url>/hub`. */
export function hubAddress({ hub, publication }: Pick<Config, 'publication' | 'hub'>): string | null {
  if (hub === undefined) return null;
  return hub === 'self' ? `${publication.url}/hub` : hub;
}

/** `https://example.com/feeds/latest.atom` for the document `latest.atom`. */
export function topicAddress({ publication }: Pick<Config, 'publication'>, path: string): string {
  return `${publication.url}/feeds/${path}`;
}

/** The path of the feed document with this URL, byte for byte; null if no feed can have it. */
export function topicPath(config: Pick<Config, 'publication'>, address: string): string | null {
  const folder = topicAddress(config, '');
  const path = address.slice(folder.length);
  return address.startsWith(folder) && isTopicPath(path) ? path : null;
}

/** Whether a hub distributes the document: not derived feeds. */
export function isTopicPath(path: string): boolean {
  return TOPIC_PATH.test(path);
}
