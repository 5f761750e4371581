/**
 * The outbox from feeds to the hub: what changed is noted in the transaction that stores it, and told after. No hub can hold up, or
 * undo, a publish.
 */
import type { Config } from '../config/config.ts';
import { isTopicPath } from '../feeds/topics.ts';
import type { Db } from '../store/store.ts';
import { notePings } from './ping-outbox.ts';
import { oweSubscribers } from './subscriptions.ts';

/**
 * Notes that documents changed: for the subscribers of the embedded hub, or for the other hub that is configured. What is no feed
 * is passed over.
 * @param db the transaction that stores them
 * @param paths of documents, such as `latest.atom`
 * @param at the instant of the publish, in whole seconds (epoch milliseconds)
 */
export async function noteForHub(db: Db, config: Pick<Config, 'hub'>, paths: string[], at: number): Promise<void> {
  const topics = paths.filter(isTopicPath);
  if (config.hub === undefined || topics.length === 0) return;
  if (config.hub.url === 'self') await oweSubscribers(db, topics, at);
  else await notePings(db, topics, at);
}
