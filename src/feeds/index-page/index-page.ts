/**
 * What stands beside the feeds in their folder: the page that lists them for people, the list for programs, and the stylesheet that
 * a browser shows a feed with. They depend on the configuration, and the page on what the newsroom's stories have been filed under.
 */
import { listUsedFacets, type UsedFacet } from '../../articles/used-facets.ts';
import { type Config, KINDS } from '../../config/config.ts';
import { siteView } from '../../config/site-view.ts';
import { facetSlug } from '../../lib/facet-slug.ts';
import type { Templates } from '../../lib/templates.ts';
import type { Db } from '../../store/store.ts';
import type { SingleFacet } from '../derived/derived-address.ts';
import { facetTitle, KIND_TITLES } from '../derived/facet-title.ts';
import type { RenderedDocument } from '../documents.ts';
import { type FeedLinks, feedLinks, singleFeed } from '../feed-links.ts';
import { renderOpml } from '../formats/opml.ts';
import { qrCode } from './qr-code.ts';
import { readerLinks } from './web-readers.ts';

/** `index.html`, `feeds.opml` and `feed.css`. @param now what is public then is listed @throws Error that names template and line */
export async function sharedDocuments(
  db: Db,
  config: Config,
  templates: Templates,
  now: number,
): Promise<RenderedDocument[]> {
  const site = siteView(config);
  const groups = groupsOf(config, await listUsedFacets(db, now));
  const data = { site, feeds: configuredFeeds(config), groups, kinds: KIND_CHOICES };
  return [
    {
      path: 'index.html',
      mediaType: 'text/html; charset=utf-8',
      body: await templates.html('feeds/index.liquid', data),
    },
    { path: 'feeds.opml', mediaType: 'text/x-opml; charset=utf-8', body: renderOpml(config) },
    {
      path: 'feed.css',
      mediaType: 'text/css; charset=utf-8',
      body: await templates.text('feeds/feed.css.liquid', { site }),
    },
  ];
}

const KIND_CHOICES = KINDS.map((value) => ({ value, title: KIND_TITLES[value] }));

/** The codes take ten times as long as the rest of the page, and follow from the configuration alone. */
const known = new WeakMap<Config, ReturnType<typeof configuredFeed>[]>();

function configuredFeeds(config: Config): ReturnType<typeof configuredFeed>[] {
  const feeds = known.get(config) ?? config.feeds.map((feed) => configuredFeed(feed, config));
  known.set(config, feeds);
  return feeds;
}

function configuredFeed(feed: Config['feeds'][number], config: Config) {
  const links = feedLinks(feed, config);
  // Atom: the one format of the three that reports retractions.
  const { url } = links.formats.find(({ name }) => name === 'Atom') as FeedLinks['formats'][number];
  return {
    id: feed.id,
    title: feed.title,
    fullTitle: links.title,
    description: feed.description ?? null,
    formats: links.formats,
    // An application that reads feeds may be registered for addresses that begin so.
    appUrl: `feed:${url}`,
    readers: readerLinks(url),
    qr: qrCode(url),
  };
}

/** Feeds that have one of something in common. */
interface Group {
  facet: SingleFacet;
  /** `By section` */
  title: string;
  entries: { value: string; title: string; fullTitle: string; formats: FeedLinks['formats'] }[];
}

function groupsOf(config: Config, used: Record<Exclude<SingleFacet, 'section'>, UsedFacet[]>): Group[] {
  const group = (facet: SingleFacet, title: string, values: { value: string; names: string[] }[]): Group => ({
    facet,
    title,
    entries: values.map(({ value, names }) => {
      const links = feedLinks(singleFeed(facet, value, names), config);
      return { value, title: facetTitle(names), fullTitle: links.title, formats: links.formats };
    }),
  });
  const bySlug = (facets: UsedFacet[]) => facets.map(({ slug, names }) => ({ value: slug, names }));
  const sections = config.sections.map(({ id, title }) => ({ value: id, names: [title] }));
  return [
    group('section', 'By section', sections),
    group('kicker', 'By kicker', bySlug(withLeading(config.leadKickers, used.kicker))),
    group('reporter', 'By reporter', bySlug(used.reporter)),
    group('tag', 'By tag', bySlug(used.tag)),
  ].filter(({ entries }) => entries.length > 0);
}

/** What the configuration names as leading, in its order, before what else is in use. */
function withLeading(leading: string[], used: UsedFacet[]): UsedFacet[] {
  const all = new Map<string, string[]>();
  const named = [...leading.map((name) => ({ slug: facetSlug(name), names: [name] })), ...used];
  for (const { slug, names } of named) {
    if (slug !== null) all.set(slug, [...new Set([...(all.get(slug) ?? []), ...names])]);
  }
  return [...all].map(([slug, names]) => ({ slug, names }));
}
