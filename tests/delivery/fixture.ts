/**
 * An edition that is closed and queued, without composing one: deliveries need only its row.
 */
import { readFileSync } from 'node:fs';
import { type Config, parseConfig } from '../../src/config/config.ts';
import type { Edition } from '../../src/editions/queries.ts';
import { HOUR } from '../../src/lib/time.ts';
import type { Store } from '../../src/store/store.ts';

export const NOW = Date.UTC(2026, 10, 24, 7, 30);
export const SECRETS = ['a secret of the tests, thirty-two characters at least'] as const;
const NONCE = '0123456789abcdef';

/** The sample newsroom's configuration, mailing from https://news.example. */
export function testConfig(
  changes: { url?: string; delivery?: Partial<Config['delivery']>; cwd?: string } = {},
): Config {
  const config = parseConfig(readFileSync('config/daywire.yaml', 'utf8'), {
    file: 'config/daywire.yaml',
    env: {},
    cwd: changes.cwd ?? '/nowhere',
  });
  const url = changes.url ?? 'https://news.example';
  return {
    ...config,
    publication: { ...config.publication, url },
    delivery: { ...config.delivery, ...changes.delivery },
  };
}

/** What stands in a closed edition's row. */
export function testEdition(changes: Partial<Edition> = {}): Edition {
  return {
    id: 1,
    newsletter: 'daily-roundup',
    slot: '2026-11-24',
    slotAt: NOW,
    cutoffAt: NOW,
    number: 1,
    headline: 'Tech Roundup: Battery Makers Cut Prices, Chips Go East',
    subject: 'Tech Roundup: Battery Makers Cut Prices, Chips Go East',
    preheader: 'Prices fell by a fifth.',
    nonce: NONCE,
    html: `<html lang="en"><body><h1>Ünter & 三星</h1><a href="%%${NONCE}:unsubscribe%%">Unsubscribe</a></body></html>`,
    text: `Battery makers cut prices.\n.A line that begins with a dot.\n\nUnsubscribe: %%${NONCE}:unsubscribe%%\n`,
    archiveHtml: '<html></html>',
    articleId: 'daily-roundup-2026-11-24',
    closedAt: NOW,
    ...changes,
  };
}

/**
 * Stores an edition and queues it for so many subscribers, `reader1@example.com` and so on, who are stored where they are missing.
 * @param readers how many, or their addresses
 * @returns the edition's id, and the subscribers' ids in that order
 */
export async function queueEdition(
  store: Store,
  readers: number | string[],
  changes: Partial<Edition> = {},
): Promise<{ editionId: number; subscriberIds: number[] }> {
  const edition = testEdition(changes);
  const emails = Array.isArray(readers)
    ? readers
    : Array.from({ length: readers }, (_, n) => `reader${n + 1}@example.com`);
  const editionId = await storeEdition(store, edition);
  const subscriberIds: number[] = [];
  for (let n = 0; n < emails.length; n += 1_000) {
    const ids = await storeReaders(store, emails.slice(n, n + 1_000), edition.newsletter);
    await store.db
      .insertInto('deliveries')
      .values(
        ids.map((subscriber_id) => ({
          edition_id: editionId,
          subscriber_id,
          state: 'pending' as const,
          attempts: 0,
          due_at: NOW,
          fence: 0,
          changed_at: NOW,
        })),
      )
      .execute();
    subscriberIds.push(...ids);
  }
  return { editionId, subscriberIds };
}

async function storeEdition(store: Store, edition: Edition): Promise<number> {
  await store.db
    .insertInto('articles')
    .values({
      id: edition.articleId,
      tag_uri: `tag:example.com,2026:articles/${edition.articleId}`,
      slug: edition.articleId,
      kind: 'roundup',
      pinned: 0,
      state: 'published',
      published_at: NOW,
      updated_at: NOW,
      created_at: NOW,
      digest: '',
      document: '{}',
    })
    .execute();
  const { id } = await store.db
    .insertInto('editions')
    .values({
      newsletter: edition.newsletter,
      slot: edition.slot,
      slot_at: edition.slotAt,
      cutoff_at: edition.cutoffAt,
      number: edition.number,
      headline: edition.headline,
      subject: edition.subject,
      preheader: edition.preheader,
      nonce: edition.nonce,
      html: edition.html,
      text: edition.text,
      archive_html: edition.archiveHtml,
      article_id: edition.articleId,
      closed_at: edition.closedAt,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Stores subscribers, confirmed for the newsletter. @returns their ids, in that order */
async function storeReaders({ db }: Store, emails: string[], newsletter: string): Promise<number[]> {
  await db
    .insertInto('subscribers')
    .values(emails.map((email) => ({ email, email_key: email, created_at: NOW })))
    .onConflict((conflict) => conflict.column('email_key').doNothing())
    .execute();
  const rows = await db
    .selectFrom('subscribers')
    .select(['id', 'email_key'])
    .where('email_key', 'in', emails)
    .execute();
  const idOf = new Map(rows.map((row) => [row.email_key, row.id]));
  const ids = emails.map((email) => idOf.get(email) as number);
  await db
    .insertInto('subscriptions')
    .values(ids.map((subscriber_id) => ({ subscriber_id, newsletter, state: 'confirmed' as const, changed_at: NOW })))
    .onConflict((conflict) => conflict.columns(['subscriber_id', 'newsletter']).doNothing())
    .execute();
  return ids;
}

/** Queues a confirmation for a subscriber who is stored where missing. @returns the ids of both */
export async function queueConfirmation(
  store: Store,
  email: string,
  changes: { kind?: 'confirm' | 'already'; expiresAt?: number; dueAt?: number } = {},
): Promise<{ messageId: number; subscriberId: number }> {
  const { kind = 'confirm', expiresAt = NOW + 72 * HOUR, dueAt = NOW } = changes;
  const [subscriberId] = (await storeReaders(store, [email], 'weekly')) as [number];
  const { id } = await store.db
    .insertInto('service_messages')
    .values({
      kind,
      subscriber_id: subscriberId,
      newsletters: JSON.stringify(['daily-roundup']),
      state: 'pending',
      attempts: 0,
      due_at: dueAt,
      expires_at: expiresAt,
      fence: 0,
      created_at: NOW,
      changed_at: NOW,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { messageId: id, subscriberId };
}

/** The service's own messages as they stand. */
export function serviceMessagesOf(store: Store) {
  return store.db.selectFrom('service_messages').selectAll().orderBy('id').execute();
}

/** The deliveries as they stand, by subscriber. */
export function deliveriesOf(store: Store) {
  return store.db.selectFrom('deliveries').selectAll().orderBy('edition_id').orderBy('subscriber_id').execute();
}
