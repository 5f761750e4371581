/**
 * What every page and route is made from: handed to `createApp` by the shell that starts it, and never global.
 */
import type { Config } from '../../config/config.ts';
import type { SigningSecrets } from '../../config/signing-secrets.ts';
import { type SiteView, siteView } from '../../config/site-view.ts';
import type { ReaderCounter } from '../../feeds/readers/reader-counts.ts';
import type { Log } from '../../lib/log.ts';
import type { Templates } from '../../lib/templates.ts';
import type { Clock } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import { openDerivedFeeds } from '../feeds/derived-feeds.ts';
import type { FeedCache } from '../feeds/feed-cache.ts';
import { openPublishedFeeds } from '../feeds/published-feeds.ts';

export interface WebOptions {
  store: Store;
  config: Config;
  templates: Templates;
  /** They sign the tokens of links. */
  secrets: SigningSecrets;
  clock: Clock;
  /** Counts who reads the feeds. */
  readers?: Pick<ReaderCounter, 'count'>;
  /** Where errors are told. Addresses are not: they may hold a token. */
  log?: Log;
}

export interface WebContext extends WebOptions {
  /** Published documents. */
  feeds: FeedCache;
  /** Feeds that are made on demand. */
  derived: FeedCache;
  view: SiteView;
  /** The path of `publication.url`, without a slash at its end: empty where the site has a host of its own. */
  base: string;
}

/** The site, with what follows from its configuration. */
export function openWebContext(deps: WebOptions): WebContext {
  const base = new URL(deps.config.publication.url).pathname.replace(/\/+$/, '');
  const feeds = openPublishedFeeds(deps.store, deps.config);
  const derived = openDerivedFeeds(deps.store, deps.config, deps.clock);
  return { ...deps, feeds, derived, view: siteView(deps.config), base };
}
