/** Closed editions and service messages as rows, with nothing in their texts unless a test says otherwise. */
import type { Insertable } from 'kysely';
import type { Store } from '../../src/core/store/store.ts';
import type { Tables } from '../../src/core/store/tables.ts';
import { article, saveAll } from './articles.ts';

type EditionRow = Insertable<Tables['editions']>;
type ServiceMessageRow = Insertable<Tables['service_messages']>;

/** Stores an edition, and its article unless that is given. @returns the id of the edition */
export async function storeEdition(
  store: Store,
  row: Pick<EditionRow, 'newsletter' | 'number' | 'closed_at'> & Partial<EditionRow>,
): Promise<number> {
  const articleId = row.article_id ?? `${row.newsletter}-${row.number}`;
  if (row.article_id === undefined) {
    await saveAll(store, [article(articleId, { kind: 'roundup', publishedAt: row.closed_at })], row.closed_at);
  }
  const { id } = await store.db
    .insertInto('editions')
    .values({
      ...{ slot: `2026-11-${20 + row.number}`, slot_at: row.closed_at, cutoff_at: row.closed_at },
      ...{ headline: '', subject: '', preheader: '', nonce: '', html: '', text: '', archive_html: '' },
      ...{ article_id: articleId, ...row },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Stores a confirmation email, in its present state since `changed_at`. */
export async function storeServiceMessage(
  { db }: Store,
  row: Pick<ServiceMessageRow, 'subscriber_id' | 'state' | 'changed_at'>,
): Promise<void> {
  const at = row.changed_at;
  const times = { due_at: at, expires_at: at, created_at: at };
  const message = { kind: 'confirm' as const, newsletters: '[]', attempts: 1, fence: 0, ...times, ...row };
  await db.insertInto('service_messages').values(message).execute();
}
