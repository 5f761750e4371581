/**
 * Checks a composed edition, with what the store and the servers of its links know. Nothing is recorded but what was
 * found of links.
 */
import { isPublic } from '../../articles/article.ts';
import { hasPage } from '../../articles/article-link.ts';
import { findArticleBySlug, findArticles, findPublicHeads } from '../../articles/queries.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import { openConfiguredClient } from '../../core/config/fetching.ts';
import { legalPages } from '../../core/config/legal-pages.ts';
import { newsletterSite } from '../../core/config/site-view.ts';
import type { Db } from '../../core/store/store.ts';
import { hasDocument } from '../../feeds/documents.ts';
import type { FetchClient } from '../../lib/guarded-fetch/fetch-client.ts';
import { DAY, SECOND } from '../../lib/time.ts';
import type { ComposedEdition } from '../compose.ts';
import { readDraft } from '../draft/draft-store.ts';
import { findKnownLinks, isFresh, type LinkState, saveLinkStates } from '../links/link-cache.ts';
import { lookUpLinks } from '../links/look-up-links.ts';
import { findEdition, findEditionById, listEditionArticles } from '../queries.ts';
import type { Block } from '../selection/selection.ts';
import { type CheckFacts, checkEdition } from './check-edition.ts';
import { listLinks, readHtml } from './edition-links.ts';
import type { EditionProblem } from './edition-problem.ts';
import type { StoryIdentity } from './repeated-stories.ts';

export interface DraftCheckOptions {
  /** `cached`: only what was found of links on the last day, which takes no time. */
  links: 'look-up' | 'cached' | 'none';
  /** Default: as configured. */
  client?: FetchClient;
  /** How long links are looked up. Milliseconds. */
  timeLimitMs?: number;
  signal?: AbortSignal;
}

const TIME_LIMIT = 18 * SECOND;
/** Limits of one request for a link. */
const REQUEST_LIMITS = { connectLimitMs: 4 * SECOND, timeLimitMs: 6 * SECOND };
/** Where no links are looked up, earlier results are shown for this time. */
const SHOWN_FOR = DAY;

/** Checks an edition before it closes. @returns errors first, then in the order of the email */
export async function checkDraft(
  app: Pick<AppContext, 'config' | 'store' | 'clock'>,
  newsletter: NewsletterConfig,
  composed: ComposedEdition,
  options: DraftCheckOptions,
): Promise<EditionProblem[]> {
  const { db } = app.store;
  const last = composed.lastEditionId === null ? null : await findEditionById(db, composed.lastEditionId);
  const lastArticles = last === null ? [] : await listEditionArticles(db, last.id);
  const placed = composed.articles.map(({ articleId, block }) => ({ id: articleId, block }));
  const identities = await identify(db, [...placed, ...lastArticles]);
  const draft = await readDraft(db, newsletter.id, { label: composed.slot, slotAt: composed.slotAt });
  const { postalAddress, imprint } = newsletterSite(app.config, newsletter);
  const facts: CheckFacts = {
    edition: composed,
    blocks: newsletter.blocks,
    isSubjectEdited: draft.decisions.subject !== null,
    postalAddress,
    imprint: imprint?.url ?? null,
    stories: identities.slice(0, placed.length),
    last: last && { slot: last.slot, stories: identities.slice(placed.length) },
    links: await linkStates(app, composed, options),
  };
  return checkEdition(facts);
}

/** In the same order; articles that no longer exist have no headline. */
async function identify(db: Db, placed: readonly { id: string; block: string }[]): Promise<StoryIdentity[]> {
  const ids = [...new Set(placed.map(({ id }) => id))];
  const articles = new Map((await findArticles(db, ids)).map((article) => [article.id, article]));
  return placed.map(({ id, block }) => {
    const article = articles.get(id);
    return {
      articleId: id,
      block: block as Block,
      headline: article?.headline ?? '',
      url: article?.url ?? null,
      outletUrl: article?.outlet?.url ?? null,
      eventKey: article?.eventKey ?? null,
    };
  });
}

async function linkStates(
  app: Pick<AppContext, 'config' | 'store' | 'clock'>,
  { view, html, slotAt }: ComposedEdition,
  options: DraftCheckOptions,
): Promise<Map<string, LinkState>> {
  const states = new Map<string, LinkState>();
  if (options.links === 'none') return states;
  const { config, store, clock } = app;
  const foreign: string[] = [];
  // The page of a retracted article shows the note that the edition links to.
  const notes = new Set(view.corrections.map(({ url }) => url));
  for (const { url } of listLinks(view, readHtml(html).links)) {
    const path = ownPath(url, config.publication.url);
    if (path === null) foreign.push(url);
    else if (!notes.has(url)) states.set(url, await ownLinkState(app, path, Math.max(slotAt, clock())));
  }
  const known = await findKnownLinks(store.db, foreign);
  const now = clock();
  const due: string[] = [];
  for (const url of foreign) {
    const found = known.get(url);
    const isUsed =
      found !== undefined &&
      (options.links === 'cached' ? now - found.checkedAt < SHOWN_FOR : isFresh(found.state, found.checkedAt, now));
    if (isUsed) states.set(url, found.state);
    else due.push(url);
  }
  if (options.links === 'cached') return states;
  const { timeLimitMs = TIME_LIMIT, signal } = options;
  const client = options.client ?? openConfiguredClient(config, undefined, REQUEST_LIMITS);
  const timeout = AbortSignal.timeout(timeLimitMs);
  const stop = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  const found = await lookUpLinks(due, { client }, stop);
  await saveLinkStates(store.db, found, clock());
  const late: LinkState = { kind: 'unchecked', reason: `not looked up within ${timeLimitMs / SECOND} s` };
  for (const url of due) states.set(url, found.get(url) ?? late);
  return states;
}

type LinkedSite = Pick<AppContext, 'config' | 'store'>;

const WORKS: LinkState = { kind: 'works' };
const UNKNOWN: LinkState = { kind: 'unchecked', reason: 'daywire serves no such page of this site' };
const PAGES = ['/', '/archive', '/editions', '/newsletters', '/feeds/', '/feeds'];

/** The path of a link below the publication's URL, with its slash; null for a link to another site. */
function ownPath(url: string, publicUrl: string): string | null {
  const base = new URL(`${publicUrl}/`);
  const { origin, pathname } = new URL(url);
  return origin === base.origin && pathname.startsWith(base.pathname) ? pathname.slice(base.pathname.length - 1) : null;
}

/**
 * Target of a link to this site, looked up in the store as of the edition's slot: an article under embargo is not
 * public yet, and the site may not be reachable from here.
 * @param path as `ownPath` returns it
 * @param at the slot of the edition
 */
async function ownLinkState({ config, store }: LinkedSite, path: string, at: number): Promise<LinkState> {
  if (PAGES.includes(path) || legalPages(config).some((page) => page.path === path)) return WORKS;
  const [, folder, first, second, ...rest] = path.split('/').map(decoded);
  if (first === undefined || rest.length > 0) return UNKNOWN;
  const found = (isThere: boolean, reason: string): LinkState => (isThere ? WORKS : { kind: 'dead', reason });
  switch (folder) {
    case 'articles':
      return second === undefined ? articleState({ config, store }, first, at) : UNKNOWN;
    case 'sections': {
      const isThere = config.sections.some(({ id }) => id === first);
      return found(isThere, 'there is no such section');
    }
    case 'reporters': {
      if (second !== undefined) return UNKNOWN;
      const stories = await findPublicHeads(store.db, { select: { reporters: [first] }, now: at, limit: 1 });
      return found(stories.length > 0, 'no story of that reporter is public');
    }
    case 'editions': {
      if (second !== undefined) {
        return found((await findEdition(store.db, first, second)) !== null, 'there is no such edition');
      }
      return found(
        config.newsletters.some(({ id }) => id === first),
        'there is no such newsletter',
      );
    }
    case 'feeds': {
      const name = second === undefined ? first : `${first}/${second}`;
      return found(await hasDocument(store.db, name), 'there is no such feed');
    }
    default:
      return UNKNOWN;
  }
}

async function articleState({ config, store }: LinkedSite, slug: string, at: number): Promise<LinkState> {
  const article = await findArticleBySlug(store.db, slug);
  if (article === null || !hasPage(article, { config, base: '' })) {
    return { kind: 'dead', reason: 'there is no such article' };
  }
  if (article.status.state === 'retracted') return { kind: 'dead', reason: `${article.id} is retracted` };
  return isPublic(article, at) ? WORKS : { kind: 'dead', reason: `${article.id} is not public at the slot` };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
