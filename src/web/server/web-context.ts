/** The context of every request handler. `createApp` opens it; nothing of it is global. */
import type { Hono } from 'hono';
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { type SiteView, siteView } from '../../core/config/site-view.ts';
import type { Store } from '../../core/store/store.ts';
import type { VisitCounter } from '../../editions/visits/visit-rows.ts';
import type { ReaderCounter } from '../../feeds/readers/reader-counts.ts';
import { openRanges } from '../../lib/cidr.ts';
import { ConcurrencyLimit } from '../../lib/concurrency/bounded-queue.ts';
import type { FetchClient } from '../../lib/guarded-fetch/fetch-client.ts';
import { type Locale, localeOf } from '../../lib/locale/locale.ts';
import type { Log } from '../../lib/log.ts';
import type { Templates } from '../../lib/templates.ts';
import type { Clock } from '../../lib/time.ts';
import { PageCache } from '../pages/page-cache.ts';

export interface WebOptions {
  store: Store;
  config: Config;
  templates: Templates;
  /** They sign the tokens in links. */
  secrets: SigningSecrets;
  clock: Clock;
  /** Counts requests by feed readers. */
  readers?: Pick<ReaderCounter, 'count'>;
  /** Counts visits of past editions. */
  visits?: Pick<VisitCounter, 'count'>;
  /** Requests to Amazon SNS. Default: the guarded client for services. */
  serviceClient?: FetchClient;
  /** Receives errors, without the address of the request: it may hold a token. */
  log?: Log;
}

export interface WebContext extends WebOptions {
  publicPages: PageCache;
  /** Templates render one at a time, with other work in between. */
  rendering: ConcurrencyLimit;
  /** Whether an address is in `server.trustedProxies`. */
  isTrustedProxy: (address: string) => boolean;
  view: SiteView;
  /** The publication's. */
  locale: Locale;
  /** The path of `publication.url` without its last slash: empty where the site has a host of its own. */
  base: string;
}

/** Adds public pages or webhooks. @param site paths are below the path of `publication.url` */
export type AddRoutes = (site: Hono, web: WebContext) => void;

/** Opens the caches and derives the rest from the configuration. */
export function openWebContext(options: WebOptions): WebContext {
  const { config, clock } = options;
  return {
    ...options,
    publicPages: new PageCache(clock),
    rendering: new ConcurrencyLimit(1),
    isTrustedProxy: openRanges(config.server.trustedProxies),
    view: siteView(config),
    locale: localeOf(config.publication.language, config.ownMessages),
    base: new URL(config.publication.url).pathname.replace(/\/+$/, ''),
  };
}
