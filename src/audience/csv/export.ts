/**
 * Exports all subscribers as CSV (RFC 4180, but with LF line ends), in constant memory. The file can be imported again,
 * except for unconfirmed subscriptions: the file does not have their confirmation messages.
 */
import type { Db } from '../../core/store/store.ts';
import { subscriberPages } from '../subscriptions.ts';
import { choiceValues } from './choices.ts';
import { csvField } from './row.ts';

const HEADER = 'email,zone,newsletters,unconfirmed,unsubscribed,paused_until,suppressed,since,choices';

/**
 * Yields the file in chunks of many lines, with the header first.
 * @param newsletter only subscribers with a subscription to it, in any state
 */
export async function* exportSubscribers(db: Db, newsletter?: string): AsyncGenerator<string> {
  yield `${HEADER}\n`;
  for await (const page of subscriberPages(db, newsletter)) {
    yield page
      .map((subscriber) => {
        const inState = (state: string): string =>
          subscriber.subscriptions
            .filter((one) => one.state === state)
            .map((one) => one.newsletter)
            .join(' ');
        return [
          subscriber.email,
          subscriber.zone ?? '',
          inState('confirmed'),
          inState('unconfirmed'),
          inState('unsubscribed'),
          subscriber.pausedUntil === null ? '' : new Date(subscriber.pausedUntil).toISOString(),
          subscriber.suppressedReason ?? '',
          new Date(subscriber.createdAt).toISOString(),
          subscriber.subscriptions.flatMap(choiceValues).join(','),
        ]
          .map(csvField)
          .join(',');
      })
      .map((line) => `${line}\n`)
      .join('');
  }
}
