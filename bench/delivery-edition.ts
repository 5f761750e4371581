/**
 * The edition of the delivery benchmark: its subscribers and articles, and copies of the required size.
 */
import { sql } from 'kysely';
import type { Config } from '../src/core/config/config.ts';
import type { Store } from '../src/core/store/store.ts';
import { type ClosedEdition, closeEdition } from '../src/delivery/closing/close.ts';
import { loadSigners } from '../src/delivery/message/dkim.ts';
import { prepareMessages } from '../src/delivery/message/edition-message.ts';
import { type ComposedEdition, composeEdition } from '../src/editions/compose.ts';
import { editionSlot } from '../src/editions/slot.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { CUTOFF, saveStories } from './compose.ts';
import { MESSAGE_BYTES, newsletterOf, SECRETS } from './delivery-config.ts';

/** Fills an empty store with the articles of an edition and confirmed subscribers at a hundred domains. */
export async function fillStore(store: Store, config: Config, subscribers: number): Promise<void> {
  await saveStories(store);
  const series =
    store.dialect === 'sqlite'
      ? sql`with recursive counted(n) as (select 1 union all select n + 1 from counted where n < ${subscribers})`
      : sql`with counted(n) as (select generate_series(1, cast(${subscribers} as integer)))`;
  const address = sql`'subscriber' || n || '@domain' || (n % 100) || '.example.com'`;
  await sql`insert into subscribers (email, email_key, created_at)
    ${series} select ${address}, ${address}, 0 from counted`.execute(store.db);
  await sql`insert into subscriptions (subscriber_id, newsletter, state, changed_at)
    select id, ${newsletterOf(config).id}, 'confirmed', 0 from subscribers`.execute(store.db);
  // As in production, where they were inserted over months and autovacuum has analysed them.
  await sql`analyze`.execute(store.db);
}

/** Composes the edition, with HTML added until a copy has `MESSAGE_BYTES`. */
export async function composeLarge(store: Store, config: Config): Promise<ComposedEdition> {
  const { publication, paths } = config;
  const templates = openTemplates(paths.templates, publication.zone);
  const slot = editionSlot(CUTOFF, publication.zone, false);
  const options = { slot, cutoffAt: CUTOFF, now: CUTOFF, nonce: '5f2c9a71d04be83c6e1f7a90b4d8c215' };
  const composed = await composeEdition(store, config, templates, newsletterOf(config), options);
  if (composed.kind !== 'composed') throw new Error(`nothing was composed: ${composed.kind}`);
  const { html } = composed;
  for (let fill = 0; ; fill += 50) {
    composed.html = html.replace('</body>', `${'<p>The ministry said so on Tuesday.</p>\n'.repeat(fill)}</body>`);
    if ((await sizeOf(composed, config)) >= MESSAGE_BYTES) return composed;
  }
}

async function sizeOf(composed: ComposedEdition, config: Config): Promise<number> {
  const make = prepareMessages(
    { ...composed, id: 1, closedAt: CUTOFF, messageIdDomain: null },
    newsletterOf(config),
    config,
    SECRETS,
    loadSigners(config),
  );
  const recipient = { subscriberId: 1, email: 'subscriber1@domain1.example.com', tokenVersion: 1, expiresAt: null };
  return (await make({ ...recipient, now: CUTOFF })).size;
}

/** Closes the edition and queues its deliveries. */
export function closeLarge(store: Store, config: Config, composed: ComposedEdition): Promise<ClosedEdition> {
  return closeEdition(store, composed, { ...newsletterOf(config), zone: config.publication.zone }, Date.now());
}
