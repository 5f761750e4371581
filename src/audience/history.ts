/** The history of a subscriber: consent, deliveries, service messages, bounces. */
import { sql } from 'kysely';
import { type Db, dialectOf } from '../core/store/store.ts';
import { readNewsletters } from './service-messages.ts';

/** Each list newest first; instants are epoch milliseconds. */
export type SubscriberHistory = Awaited<ReturnType<typeof subscriberHistory>>;

/** @param limit maximum length of each list; omitted, the lists are complete */
export async function subscriberHistory(db: Db, subscriberId: number, limit?: number) {
  return {
    consent: await listConsent(db, subscriberId, limit),
    deliveries: await listDeliveries(db, subscriberId, limit),
    serviceMessages: await listServiceMessages(db, subscriberId, limit),
    bounces: await listBounces(db, subscriberId, limit),
  };
}

function listConsent(db: Db, subscriberId: number, limit?: number) {
  return (
    db
      .selectFrom('consent_events')
      .leftJoin('consent_texts', 'consent_texts.id', 'consent_events.consent_text')
      .select(['at', 'change', 'newsletter', 'channel', 'source', 'detail'])
      // The wording that was agreed to.
      .select(['consent_texts.version as consentVersion', 'consent_texts.text as consentText'])
      .where('subscriber_id', '=', subscriberId)
      .orderBy('consent_events.id', 'desc')
      .$if(limit !== undefined, (q) => q.limit(limit as number))
      .execute()
  );
}

/** `copy`: what it had of an edition with choices, of `of` stories; null without choices, and if it was suppressed. */
async function listDeliveries(db: Db, subscriberId: number, limit?: number) {
  const path = dialectOf(db) === 'sqlite' ? "json_extract(segments, '$.stories')" : "segments::json->>'stories'";
  // The document has half a megabyte. Only its list of stories is read, and only for the rows within the limit.
  const all = sql<string | null>`(select ${sql.raw(path)} from editions as e where e.id = editions.id)`;
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .leftJoin('edition_copies', 'edition_copies.id', 'deliveries.copy_id')
    .select(['editions.newsletter', 'editions.slot', 'editions.revision', 'edition_copies.choice'])
    .select(['deliveries.state', 'deliveries.attempts', 'deliveries.reply', 'deliveries.reason'])
    .select(['deliveries.changed_at as changedAt', 'deliveries.delivered_at as deliveredAt', 'edition_copies.stories'])
    .select(all.as('allStories'))
    // By edition: an index by subscriber would cost every edition more than these few lookups.
    .where('deliveries.edition_id', 'in', (e) => e.selectFrom('editions').select('editions.id'))
    .where('deliveries.subscriber_id', '=', subscriberId)
    .orderBy('deliveries.edition_id', 'desc')
    .$if(limit !== undefined, (q) => q.limit(limit as number))
    .execute();
  return rows.map(({ choice, stories, allStories, ...one }) => {
    if (allStories === null || one.state === 'suppressed') return { ...one, copy: null };
    const ids = (JSON.parse(allStories) as { articleId: string }[]).map(({ articleId }) => articleId);
    const own = stories === null ? ids : (JSON.parse(stories) as number[]).flatMap((number) => ids[number] ?? []);
    return { ...one, copy: { choice, stories: own, of: ids.length } };
  });
}

async function listServiceMessages(db: Db, subscriberId: number, limit?: number) {
  const rows = await db
    .selectFrom('service_messages')
    .select(['kind', 'newsletters', 'zone', 'choices', 'state', 'attempts', 'reply', 'reason'])
    .select(['created_at as createdAt', 'expires_at as expiresAt', 'used_at as usedAt', 'changed_at as changedAt'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('id', 'desc')
    .$if(limit !== undefined, (q) => q.limit(limit as number))
    .execute();
  return rows.map((row) => ({ ...row, newsletters: readNewsletters(row) }));
}

function listBounces(db: Db, subscriberId: number, limit?: number) {
  return db
    .selectFrom('bounces')
    .leftJoin('editions', 'editions.id', 'bounces.edition_id')
    .select(['at', 'kind', 'status', 'detail', 'editions.newsletter', 'editions.slot'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('bounces.id', 'desc')
    .$if(limit !== undefined, (q) => q.limit(limit as number))
    .execute();
}
