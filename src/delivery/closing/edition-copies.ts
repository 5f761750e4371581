/** The copies of an edition that closes: decided once for each choice that its confirmed subscribers have made. */
import { sql } from 'kysely';
import { readChoice } from '../../articles/choice.ts';
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import { editionLocale } from '../../core/config/site-view.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, type Tx } from '../../core/store/store.ts';
import type { ComposedEdition } from '../../editions/compose.ts';
import { openCopies } from '../../editions/copies/copy.ts';
import { chunks } from '../../lib/chunks.ts';
import { TurnTimer } from '../../lib/concurrency/turn-timer.ts';
import { senderOf } from '../message/message-fields.ts';
import {
  type DeliveryTerms,
  type QueuedDeliveries,
  queueDeliveries,
  type RevisionTerms,
} from '../queue/queue-deliveries.ts';

/** What an edition is closed with, besides its content. */
export interface ClosingTerms extends DeliveryTerms, Pick<NewsletterConfig, 'from'> {
  /** Null or undefined for a newsletter without choices: stored choices are ignored. */
  decide?: ReturnType<typeof openCopies> | null;
}

export function closingTerms(config: Config, newsletter: NewsletterConfig, composed: ComposedEdition): ClosingTerms {
  const decide = composed.segments && openCopies(composed, editionLocale(config, newsletter));
  return { ...newsletter, zone: config.publication.zone, decide };
}

/**
 * Decides the copies before the transaction that closes the edition, so that no other writer waits for it.
 * @returns the function that records the edition's terms and copies in the transaction, also those of choices that were
 *   made in the meantime, and queues its deliveries. On PostgreSQL a choice that is committed after that, and before
 *   the deliveries are queued, is not in the edition: its subscriber gets all stories.
 */
export async function prepareQueueing(
  db: Db,
  newsletter: string,
  terms: ClosingTerms,
): Promise<(tx: Tx, editionId: number, now: number, revision?: RevisionTerms) => Promise<QueuedDeliveries>> {
  const recordCopies = terms.decide == null ? null : await decideCopies(db, newsletter, terms.decide);
  // A retry must have the same bytes, also after a change of the sender's address.
  const { domain } = senderOf(terms.from, undefined);
  return async (tx, id, now, revision) => {
    await tx.updateTable('editions').set({ message_id_domain: domain }).where('id', '=', id).execute();
    await recordCopies?.(tx, id);
    return queueDeliveries(tx, { id, newsletter, hasCopies: recordCopies !== null }, terms, now, revision);
  };
}

async function decideCopies(
  db: Db,
  newsletter: string,
  decide: ReturnType<typeof openCopies>,
): Promise<(tx: Tx, editionId: number) => Promise<void>> {
  const rows = new Map<string, (string | null)[]>();
  const timer = new TurnTimer();
  const decideAll = async (choices: string[]): Promise<void> => {
    for (const choice of choices) {
      if (rows.has(choice)) continue;
      await timer.rest();
      const { stories, subject, suppressed } = decide(readChoice(choice));
      rows.set(choice, [choice, JSON.stringify(stories), subject, suppressed]);
    }
  };
  await decideAll(await listChoices(db, newsletter));
  return async (tx, editionId) => {
    await decideAll(await listChoices(tx, newsletter));
    const columns = { choice: 'text', stories: 'text', subject: 'text', suppressed: 'text' } as const;
    for (const batch of chunks([...rows.values()], 2_000)) {
      await sql`insert into edition_copies (edition_id, choice, stories, subject, suppressed)
        select ${sql.lit(editionId)}, choice, stories, subject, suppressed
        from ${jsonRows(dialectOf(tx), batch, columns)} r`.execute(tx);
    }
  };
}

/** The distinct choices of confirmed subscribers. */
async function listChoices(db: Db, newsletter: string): Promise<string[]> {
  // Literals, so that the partial index subscriptions_by_choice is used.
  const { rows } = await sql<{ choice: string }>`select distinct choice from subscriptions
    where newsletter = ${newsletter} and state = 'confirmed' and choice is not null order by choice`.execute(db);
  return rows.map(({ choice }) => choice);
}
