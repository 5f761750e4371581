/**
 * Feeds as WebSub sees them: a topic is the public address of a feed document, byte-equal to the self link in it.
 */
import type { Config } from '../config/config.ts';

// Named as feeds of the configuration are: in folders lie archives, and feeds that are made on demand.
const TOPIC_PATH = /^[a-z0-9][a-z0-9-]*\.(?:rss|atom|json)$/;

/** The address of the hub that feeds name, or null where there is none. The embedded one is at `<publication.url>/hub`. */
export function hubAddress({ hub, publication }: Pick<Config, 'publication' | 'hub'>): string | null {
  if (hub === undefined) return null;
  return hub.url === 'self' ? `${publication.url}/hub` : hub.url;
}

/** `https://example.com/feeds/latest.atom`, of the document at `latest.atom`. */
export function topicAddress({ publication }: Pick<Config, 'publication'>, path: string): string {
  return `${publication.url}/feeds/${path}`;
}

/** The path of the feed document that has this address, byte for byte; null where no feed can have it. */
export function topicPath(config: Pick<Config, 'publication'>, address: string): string | null {
  const folder = topicAddress(config, '');
  const path = address.slice(folder.length);
  return address.startsWith(folder) && isTopicPath(path) ? path : null;
}

/** Whether the document is a feed that a hub distributes. Archives are none, for nobody waits for what does not change; nor are derived feeds. */
export function isTopicPath(path: string): boolean {
  return TOPIC_PATH.test(path);
}
