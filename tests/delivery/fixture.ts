/**
 * An edition that is closed and queued, without composing one: deliveries need only its row.
 */
import { readFileSync } from 'node:fs';
import { type Config, parseConfig } from '../../src/config.ts';
import type { Edition } from '../../src/editions/queries.ts';
import type { Store } from '../../src/store/store.ts';
import { addSubscriber } from '../../src/subscribers/subscriptions.ts';

export const NOW = Date.UTC(2026, 10, 24, 7, 30);
export const SECRET = 'a secret of the tests, thirty-two characters at least';
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
 * Stores an edition and queues it for so many new subscribers, `reader1@example.com` and so on.
 * @returns the edition's id, and the subscribers' ids in that order
 */
export async function queueEdition(
  store: Store,
  readers: number,
  changes: Partial<Edition> = {},
): Promise<{ editionId: number; subscriberIds: number[] }> {
  const edition = testEdition(changes);
  const subscriberIds: number[] = [];
  for (let n = 1; n <= readers; n++) {
    const email = `reader${n}@example.com`;
    const added = await addSubscriber(store.db, { email, newsletters: [edition.newsletter] }, NOW);
    if (added.is === 'refused') throw new Error(added.reason);
    subscriberIds.push(added.subscriberId);
  }
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
  await store.db
    .insertInto('deliveries')
    .values(
      subscriberIds.map((subscriber_id) => ({
        edition_id: id,
        subscriber_id,
        state: 'pending' as const,
        attempts: 0,
        due_at: NOW,
        fence: 0,
        changed_at: NOW,
      })),
    )
    .execute();
  return { editionId: id, subscriberIds };
}

/** The deliveries as they stand, by subscriber. */
export function deliveriesOf(store: Store) {
  return store.db.selectFrom('deliveries').selectAll().orderBy('edition_id').orderBy('subscriber_id').execute();
}
