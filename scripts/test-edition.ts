/**
 * A closed edition and its queued deliveries, without composing one: delivery needs only these rows.
 */
import { sql } from 'kysely';
import { countQueued } from '../src/core/store/counts.ts';
import type { Store } from '../src/core/store/store.ts';
import type { EditionSegments } from '../src/editions/copies/copy.ts';
import type { Edition } from '../src/editions/queries.ts';

export const NOW = Date.UTC(2026, 10, 24, 7, 30);
const NONCE = '0123456789abcdef';

/** A closed edition. */
export function testEdition(changes: Partial<Edition> = {}): Edition {
  return {
    id: 1,
    newsletter: 'daily-roundup',
    slot: '2026-11-24',
    slotAt: NOW,
    cutoffAt: NOW,
    number: 1,
    revision: 1,
    supersededBy: null,
    headline: 'Tech Roundup: Battery Makers Cut Prices, Chips Go East',
    subject: 'Tech Roundup: Battery Makers Cut Prices, Chips Go East',
    preheader: 'Prices fell by a fifth.',
    nonce: NONCE,
    html: `<html lang="en"><body><h1>Ünter & 三星</h1><a href="%%${NONCE}:unsubscribe%%">Unsubscribe</a></body></html>`,
    text: `Battery makers cut prices.\n.A line that begins with a dot.\n\nUnsubscribe: %%${NONCE}:unsubscribe%%\n`,
    archiveHtml: '<html></html>',
    articleId: 'daily-roundup-2026-11-24',
    closedAt: NOW,
    messageIdDomain: 'example.com',
    ...changes,
  };
}

const STORY = { tags: [], reporters: [], isForAll: false, minutes: 1 };

/** Parts of the test edition, for copies with either of two stories, or both. */
export const TEST_SEGMENTS: EditionSegments = {
  stories: [
    { ...STORY, articleId: 'batteries', sections: ['finance'] },
    { ...STORY, articleId: 'chips', sections: ['world'] },
  ],
  minutes: 1,
  preheaders: [
    { story: 0, text: 'Prices fell by a fifth & more.' },
    { story: null, text: 'Chips go east.' },
  ],
  html: [
    `<html lang="en"><body><p>%%${NONCE}:preheader%%</p><h1>%%${NONCE}:headline%%</h1>`,
    { when: { any: [0] }, parts: ['<h2>Ünter & 三星</h2>', { when: { any: [1] }, parts: ['<hr>'] }] },
    { when: { any: [1] }, parts: ['<h2>Chips</h2>.\n'] },
    `<a href="%%${NONCE}:unsubscribe%%">Unsubscribe</a></body></html>`,
  ],
  text: [
    `%%${NONCE}:headline%%\n\n`,
    { when: { any: [0] }, parts: ['Battery makers cut prices.\n\n'] },
    { when: { any: [1] }, parts: ['.Chips go east.\n\n'] },
    `Unsubscribe: %%${NONCE}:unsubscribe%%\n`,
  ],
};

/** Copies of the test edition. */
export const TEST_COPIES = [
  { choice: '{"sections":["finance"]}', stories: '[0]', subject: 'Battery Makers Cut Prices' },
  { choice: '{"sections":["finance","world"]}', stories: '[0,1]', subject: 'Battery Makers Cut Prices, Chips Go East' },
  { choice: '{"sections":["world"]}', stories: '[1]', subject: 'Chips Go East' },
];

/** Gives the queued deliveries of the test edition its copies by turns; each fourth is still of the whole edition. */
export async function giveCopies({ db }: Store, editionId: number): Promise<void> {
  await db
    .updateTable('editions')
    .set({ segments: JSON.stringify(TEST_SEGMENTS) })
    .where('id', '=', editionId)
    .execute();
  const rows = TEST_COPIES.map((copy) => ({ edition_id: editionId, ...copy }));
  const copies = await db.insertInto('edition_copies').values(rows).returning('id').execute();
  for (const [turn, { id }] of copies.entries()) {
    await db
      .updateTable('deliveries')
      .set({ copy_id: id })
      .where('edition_id', '=', editionId)
      .where(sql<boolean>`subscriber_id % 4 = ${turn}`)
      .execute();
  }
}

/**
 * Stores an edition and queues it for subscribers, who are stored if they are missing.
 * @param subscribers addresses, or a number: `subscriber1@example.com` and so on
 * @returns the edition's id, and the subscribers' ids in order
 */
export async function queueEdition(
  store: Store,
  subscribers: number | string[],
  changes: Partial<Edition> = {},
): Promise<{ editionId: number; subscriberIds: number[] }> {
  const edition = testEdition(changes);
  const emails = Array.isArray(subscribers)
    ? subscribers
    : Array.from({ length: subscribers }, (_, n) => `subscriber${n + 1}@example.com`);
  const editionId = await storeEdition(store, edition);
  const subscriberIds: number[] = [];
  for (let n = 0; n < emails.length; n += 1_000) {
    const ids = await storeSubscribers(store, emails.slice(n, n + 1_000), edition.newsletter);
    const pending = { edition_id: editionId, state: 'pending' as const, attempts: 0, due_at: NOW, fence: 0 };
    await store.db.transaction().execute(async (tx) => {
      const rows = ids.map((subscriber_id) => ({ ...pending, subscriber_id, changed_at: NOW }));
      await tx.insertInto('deliveries').values(rows).execute();
      await countQueued(tx, editionId, rows.length);
    });
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
      document: new Uint8Array(),
      json_bytes: 0,
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
      revision: edition.revision,
      superseded_by: edition.supersededBy,
      headline: edition.headline,
      subject: edition.subject,
      preheader: edition.preheader,
      nonce: edition.nonce,
      html: edition.html,
      text: edition.text,
      archive_html: edition.archiveHtml,
      article_id: edition.articleId,
      closed_at: edition.closedAt,
      message_id_domain: edition.messageIdDomain,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Stores subscribers with a confirmed subscription to the newsletter. @returns their ids, in order */
export async function storeSubscribers({ db }: Store, emails: string[], newsletter: string): Promise<number[]> {
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
