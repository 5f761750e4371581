/**
 * All subscribers as CSV (RFC 4180, but with LF line ends), in flat memory. What is exported can be imported again: only
 * subscriptions that still wait for a confirmation are left out then, since the mail that asks for it is not in the file.
 */
import type { Db } from '../../store/store.ts';
import { listSubscribers } from '../subscriptions.ts';
import { csvField } from './csv-row.ts';

const HEADER = 'email,zone,newsletters,unconfirmed,unsubscribed,paused_until,suppressed,since';
const AT_ONCE = 1_000;

/**
 * The file in parts of many lines, its header first.
 * @param newsletter only those that have a subscription to it, in whatever state
 */
export async function* exportSubscribers(db: Db, newsletter?: string): AsyncGenerator<string> {
  yield `${HEADER}\n`;
  let afterId = 0;
  for (;;) {
    const page = await listSubscribers(db, { newsletter, afterId, limit: AT_ONCE });
    const last = page.at(-1);
    if (last === undefined) return;
    afterId = last.id;
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
        ]
          .map(csvField)
          .join(',');
      })
      .map((line) => `${line}\n`)
      .join('');
  }
}
