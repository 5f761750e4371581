/** The copies of an edition that closes: decided once for each choice that its confirmed subscribers have made. */
import { type RawBuilder, sql } from 'kysely';
import { readChoice } from '../../articles/choice.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, type Tx } from '../../core/store/store.ts';
import type { openCopies } from '../../editions/copies/copy.ts';
import { chunks } from '../../lib/chunks.ts';
import type { DeliveryTerms } from '../queue/queue-deliveries.ts';

/** What an edition is closed with, besides its content. */
export interface ClosingTerms extends DeliveryTerms, Pick<NewsletterConfig, 'from'> {
  /** Null or undefined for a newsletter without choices: stored choices are ignored. */
  decide?: ReturnType<typeof openCopies> | null;
}

/** Choices that are read, or copies that are written, by one statement. */
const BATCH = 2_000;

/** A row of edition_copies without its edition. */
type CopyRow = [choice: string, stories: string, subject: string, suppressed: string | null];

/**
 * Decides the copies before the transaction that closes the edition, so that no other writer waits for it.
 * @returns the function that writes them in the transaction, and those of choices that were made in the meantime; it
 *   returns whether the edition has copies. On PostgreSQL a choice that is committed after that, and before the
 *   deliveries are queued, is not in the edition: its subscriber gets all stories.
 */
export async function decideCopies(
  db: Db,
  newsletter: string,
  decide: ClosingTerms['decide'],
): Promise<(tx: Tx, editionId: number) => Promise<boolean>> {
  if (decide == null) return async () => false;
  const rowOf = (choice: string): CopyRow => {
    const { stories, subject, suppressed } = decide(readChoice(choice));
    return [choice, JSON.stringify(stories), subject, suppressed];
  };
  const rows: CopyRow[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const choices = await listChoices(db, newsletter, sql`choice > ${after} order by choice limit ${BATCH}`);
    rows.push(...choices.map(rowOf));
    after = choices.at(-1);
  }
  return async (tx, editionId) => {
    await insertCopies(tx, editionId, rows);
    const isNew = sql`not exists (
      select 1 from edition_copies where edition_id = ${editionId} and edition_copies.choice = chosen.choice)`;
    await insertCopies(tx, editionId, (await listChoices(tx, newsletter, isNew)).map(rowOf));
    return true;
  };
}

/** The distinct choices of confirmed subscribers. @param which a condition on `choice` */
async function listChoices(db: Db, newsletter: string, which: RawBuilder<unknown>): Promise<string[]> {
  // Literals, so that the partial index subscriptions_by_choice is used.
  const { rows } = await sql<{ choice: string }>`select choice from (
      select distinct choice from subscriptions
      where newsletter = ${newsletter} and state = 'confirmed' and choice is not null
    ) as chosen where ${which}`.execute(db);
  return rows.map(({ choice }) => choice);
}

async function insertCopies(tx: Tx, editionId: number, rows: readonly CopyRow[]): Promise<void> {
  const columns = { choice: 'text', stories: 'text', subject: 'text', suppressed: 'text' } as const;
  for (const batch of chunks(rows, BATCH)) {
    await sql`insert into edition_copies (edition_id, choice, stories, subject, suppressed)
      select ${sql.lit(editionId)}, choice, stories, subject, suppressed
      from ${jsonRows(dialectOf(tx), batch, columns)} r`.execute(tx);
  }
}
