/** Fixtures for tests of editions: a configuration, articles, composing and closing. */
import type { Article } from '../../src/articles/article.ts';
import type { NewsletterConfig } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { type ComposedEdition, type CompositionOptions, composeEdition } from '../../src/editions/compose.ts';
import { findEdition } from '../../src/editions/queries.ts';
import { recordEdition } from '../../src/editions/record.ts';
import { editionSlot } from '../../src/editions/slot.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { HOUR } from '../../src/lib/time.ts';
import { articleFactory, saveAll, saveAsPublished } from '../support/articles.ts';
import { sampleConfig } from '../support/sample.ts';

export const config = sampleConfig();
export const newsletter = config.newsletters[0] as NewsletterConfig;
export const templates = openTemplates(config.paths.templates, config.publication.zone);

/** 07:30 on Tuesday, November 24, 2026 in Shanghai. */
export const CUTOFF = Date.UTC(2026, 10, 23, 23, 30);
export const NONCE = '0123456789abcdef0123456789abcdef';

/** Makes an article, published an hour before CUTOFF unless `change` says otherwise. */
export const article = articleFactory({ publishedAt: CUTOFF - HOUR });

/** Makes as many stories as an edition needs at least, published in the hours before `at`. */
export const threeStories = (day: string, at: number) =>
  [1, 2, 3].map((n) => article(`${day}-${n}`, { publishedAt: at - n * HOUR }));

/** Makes a roundup item of an outlet. */
export function roundupItem(id: string, outlet: string, rest: Partial<Article> = {}): Article {
  return article(id, {
    kind: 'roundup-item',
    outlet: { name: outlet, url: `https://example.com/${encodeURIComponent(outlet)}`, publishedAt: null },
    ...rest,
  });
}

/** Stores articles. @param storedAt omitted, their publication times */
export function save(store: Store, articles: Article[], storedAt?: number): Promise<void> {
  return storedAt === undefined ? saveAsPublished(store, articles) : saveAll(store, articles, storedAt);
}

/** Composes an edition with `now` at the cut-off. */
export function tryCompose(
  store: Store,
  cutoffAt = CUTOFF,
  change: Partial<NewsletterConfig & CompositionOptions> = {},
) {
  const options: CompositionOptions = {
    slot: change.slot ?? editionSlot(cutoffAt, config.publication.zone, false),
    cutoffAt,
    now: change.now ?? cutoffAt,
    nonce: NONCE,
    reissueOf: change.reissueOf,
  };
  return composeEdition(store, config, templates, { ...newsletter, ...change }, options);
}

/** Composes an edition. @throws Error if it is skipped or closed */
export async function compose(store: Store, ...rest: [cutoffAt?: number, change?: Parameters<typeof tryCompose>[2]]) {
  const outcome = await tryCompose(store, ...rest);
  if (outcome.kind !== 'composed') throw new Error(outcome.kind === 'skipped' ? outcome.reason : 'it is closed');
  return outcome;
}

/** Closes an edition at its cut-off. @returns its id */
export function closeEdition(store: Store, edition: ComposedEdition, now = edition.cutoffAt): Promise<number> {
  return store.db.transaction().execute((tx) => recordEdition(tx, edition, now));
}

/** Composes the next revision of the edition of a slot, an hour after its cut-off. */
export async function recompose(
  store: Store,
  label: string,
  now = CUTOFF + HOUR,
  change: Partial<NewsletterConfig> = {},
): Promise<ComposedEdition> {
  const reissueOf = await findEdition(store.db, newsletter.id, label);
  if (reissueOf === null) throw new Error(`there is no edition ${label}`);
  return compose(store, reissueOf.cutoffAt, { slot: { label, slotAt: reissueOf.slotAt }, now, reissueOf, ...change });
}

/** The ids of an edition's articles by block. */
export function idsByBlock(edition: ComposedEdition): Record<string, string[]> {
  const grouped = Map.groupBy(edition.articles, ({ block }) => block);
  return Object.fromEntries([...grouped].map(([block, stories]) => [block, stories.map((one) => one.articleId)]));
}

/** The articles omitted from an edition, with reasons. */
export async function omissions(store: Store, editionId: number): Promise<Record<string, string>> {
  const rows = await store.db
    .selectFrom('edition_omissions')
    .selectAll()
    .where('edition_id', '=', editionId)
    .orderBy('article_id')
    .execute();
  return Object.fromEntries(rows.map((row) => [row.article_id, row.reason]));
}
