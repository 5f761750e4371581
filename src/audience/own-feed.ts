/**
 * A subscriber's private feed of a newsletter: its articles, as the subscriber chose them. The token in its address is
 * the permission to read it. It ends by the subscriber's wish or erasure, and not with the mail.
 */
import { type BoundedQuery, findPublicArticlesBounded } from '../articles/bounded-queries.ts';
import { type Choice, choiceFacets, isChosen, isEverything, readChoice } from '../articles/choice.ts';
import { findFacetNames } from '../articles/facets/facets.ts';
import { type Config, KINDS, type NewsletterConfig, sectionTitle } from '../core/config/config.ts';
import type { SigningSecrets } from '../core/config/signing-secrets.ts';
import { editionLocale } from '../core/config/site-view.ts';
import { type Db, inTransaction } from '../core/store/store.ts';
import { buildFeed } from '../feeds/build-feed.ts';
import type { RenderedDocument } from '../feeds/documents.ts';
import { facetTitle } from '../feeds/feed-links.ts';
import { type Format, feedAddresses, feedPath } from '../feeds/formats/feed-view.ts';
import { byNewest, findTombstones } from '../feeds/select.ts';
import { type ConsentChannel, changeSubscriptions, lockSubscriber, recordConsent } from './consent/changes.ts';
import { type OwnFeedKey, ownFeedToken, type SubscriptionKey } from './tokens.ts';

/** Items; articles of the chosen tags or reporters that are examined. Older ones are too old for a feed. */
const LIMITS = { limit: 50, scanLimit: 1_000 };

/** `make` a feed, make one and end the mail (`only`), `renew` its address, `end` it. */
export const OWN_FEED_ACTS = ['make', 'only', 'renew', 'end'] as const;

/**
 * Lists the newsletters of which a subscriber has or can have a private feed, for the preferences.
 * @returns `address` is that of the feed as RSS, null if none is wanted; `language` is that of the title
 */
export async function listOwnFeeds(db: Db, config: Config, secrets: SigningSecrets, subscriberId: number) {
  const rows = await db.selectFrom('subscriptions').selectAll().where('subscriber_id', '=', subscriberId).execute();
  return config.newsletters.flatMap((newsletter) => {
    const { id, title, choices } = newsletter;
    const row = rows.find((one) => one.newsletter === id);
    if (row === undefined || (choices === undefined && row.feed_since === null)) return [];
    const token = ownFeedToken(secrets, { subscriberId, newsletter: id, version: row.feed_version });
    const address = row.feed_since === null ? null : feedAddresses(config, `mine/${token}`).rss;
    const { language } = editionLocale(config, newsletter);
    return [{ newsletter: id, title, language, isMailed: row.state === 'confirmed', address }];
  });
}

/** Finds the choice of a private feed. @returns null if its address was renewed, or the feed ended or erased */
export async function findOwnFeed(
  db: Db,
  { subscriberId, newsletter, version }: OwnFeedKey,
  { choices }: Pick<NewsletterConfig, 'choices'>,
): Promise<Choice | null> {
  const row = await db
    .selectFrom('subscriptions')
    .select('choice')
    .where((e) => e.and({ subscriber_id: subscriberId, newsletter, feed_version: version }))
    .where('feed_since', 'is not', null)
    .executeTakeFirst();
  if (row === undefined) return null;
  // As in editions, where nothing can be chosen any longer. Too few stories for an edition are enough for a feed.
  return { ...readChoice(choices === undefined ? null : row.choice), atLeast: 1 };
}

/** Does what a subscriber asks for a newsletter that the subscriber has or had. */
export async function changeOwnFeed(
  db: Db,
  { subscriberId, newsletter }: SubscriptionKey,
  act: (typeof OWN_FEED_ACTS)[number],
  via: ConsentChannel,
  now: number,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    if ((await lockSubscriber(tx, subscriberId)) === null) return;
    const subscription = { subscriber_id: subscriberId, newsletter };
    const rows = tx.selectFrom('subscriptions').selectAll();
    const row = await rows.where((e) => e.and(subscription)).executeTakeFirst();
    if (row === undefined) return;
    const wasWanted = row.feed_since !== null;
    const isWanted = act === 'renew' ? wasWanted : act !== 'end';
    if (isWanted !== wasWanted || (wasWanted && act === 'renew')) {
      const changes = { feed_version: row.feed_version + 1, feed_since: isWanted ? (row.feed_since ?? now) : null };
      const update = tx.updateTable('subscriptions').set(changes);
      await update.where((e) => e.and(subscription)).execute();
    }
    const change = isWanted ? 'feed-wanted' : 'feed-ended';
    if (isWanted !== wasWanted) await recordConsent(tx, subscriberId, [{ change, newsletter }], via, now);
    if (act !== 'only' || row.state !== 'confirmed') return;
    await changeSubscriptions(tx, subscriberId, [newsletter], 'unsubscribed', via, now);
  });
}

/**
 * Builds the private feed of all who made the same choice: the newest articles of the newsletter that were chosen.
 * @param own.token a placeholder, which is replaced by the token of a subscriber. No article may contain it.
 */
export async function buildOwnFeed(
  db: Db,
  config: Config,
  own: { newsletter: NewsletterConfig; choice: Choice; format: Format; token: string },
  now: number,
): Promise<RenderedDocument | null> {
  const { newsletter, choice } = own;
  // As in editions: their own articles are roundups.
  const kinds = (newsletter.select.kinds ?? KINDS).filter((kind) => kind !== 'roundup');
  const select = kinds.length === 0 ? newsletter.select : { ...newsletter.select, kinds };
  const namesOf = async (facet: 'tag' | 'reporter', slugs: readonly string[]): Promise<string[]> =>
    (await Promise.all(slugs.map((slug) => findFacetNames(db, facet, slug, now)))).flat();
  const tags = await namesOf('tag', choice.tags);
  const reporters = await namesOf('reporter', choice.reporters);
  const sections = choice.sections.filter((id) => select.sections?.includes(id) ?? true);
  const queries: Pick<BoundedQuery, 'select' | 'also'>[] = [
    ...(isEverything(choice) ? [{ select }] : []),
    ...(sections.length === 0 ? [] : [{ select: { ...select, sections } }]),
    ...(tags.length === 0 ? [] : [{ select: { tags }, also: select }]),
    ...(reporters.length === 0 ? [] : [{ select: { reporters }, also: select }]),
  ];
  const found = await Promise.all(queries.map((query) => findPublicArticlesBounded(db, { ...query, ...LIMITS, now })));
  const articles = new Map(found.flat().map((article) => [article.id, article]));
  const titles = choice.sections.flatMap((id) => sectionTitle(config, id) ?? []);
  const locale = editionLocale(config, newsletter);
  const words = { newsletter: newsletter.title, choice: facetTitle([...titles, ...tags, ...reporters]) };
  const feed = {
    id: `mine/${own.token}`,
    title: words.choice === '' ? newsletter.title : locale.text('ownFeed.title', words),
    description: locale.text('ownFeed.description', words),
    ...{ language: locale.language, select, content: 'full' as const },
  };
  const { documents } = buildFeed(feed, config, {
    articles: [...articles.values()].sort(byNewest).slice(0, LIMITS.limit),
    retracted: (await findTombstones(db, select, now)).filter((article) => isChosen(choiceFacets([article]), choice)),
  });
  return documents.find(({ path }) => path === feedPath(feed, own.format)) ?? null;
}
