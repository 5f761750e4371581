/**
 * Renders the documents beside the feeds: the page that lists them, the same list as OPML, and the stylesheet with
 * which browsers display a feed. They depend on the configuration; the page also on the facets in recent use.
 */
import encodeQR from 'qr';
import { listUsedFacets, type UsedFacet } from '../../articles/facets/used-facets.ts';
import { type Config, KINDS } from '../../core/config/config.ts';
import { siteView } from '../../core/config/site-view.ts';
import type { Db } from '../../core/store/store.ts';
import { localeOf } from '../../lib/locale/locale.ts';
import { oncePer } from '../../lib/once-per.ts';
import type { Templates } from '../../lib/templates.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import type { SingleFacet } from '../derived/derived-address.ts';
import type { RenderedDocument } from '../documents.ts';
import { type FeedLinks, facetTitle, feedLinks, KIND_TITLES, singleFeed } from '../feed-links.ts';
import { renderOpml } from '../formats/opml.ts';

/** Their paths. */
export const SHARED_DOCUMENTS = ['index.html', 'feeds.opml', 'feed.css'];

/** Renders `index.html`, `feeds.opml` and `feed.css`. @throws Error that names template and line */
export async function sharedDocuments(
  db: Db,
  config: Config,
  templates: Templates,
  now: number,
): Promise<RenderedDocument[]> {
  const site = siteView(config);
  const groups = groupsOf(config, await listUsedFacets(db, now));
  const locale = localeOf(site.language, config.ownMessages);
  const kinds = KINDS.map((value) => ({ value, title: locale.text(KIND_TITLES[value]) }));
  const data = { site, dir: locale.dir, feeds: configuredFeeds(config), groups, kinds };
  return [
    {
      path: 'index.html',
      mediaType: 'text/html; charset=utf-8',
      body: await templates.html('feeds/index.liquid', data, site.language),
    },
    { path: 'feeds.opml', mediaType: 'text/x-opml; charset=utf-8', body: renderOpml(config) },
    {
      path: 'feed.css',
      mediaType: 'text/css; charset=utf-8',
      body: await templates.text('feeds/feed.css.liquid', { site }, site.language),
    },
  ];
}

/** Web readers that add a feed by a link, and the prefix of the link: from their documentation or bookmarklets. */
const WEB_READERS: [name: string, prefix: string][] = [
  ['Feedly', 'https://feedly.com/i/subscription/feed/'],
  ['Inoreader', 'https://www.inoreader.com/?add_feed='],
  ['NewsBlur', 'https://www.newsblur.com/?url='],
  ['The Old Reader', 'https://theoldreader.com/feeds/subscribe?url='],
  ['Feedbin', 'https://feedbin.com/?subscribe='],
  ['BazQux', 'https://bazqux.com/add?url='],
];

/** The QR codes take ten times as long as the rest of the page, and depend on the configuration only. */
const configuredFeeds = oncePer((config: Config) => config.feeds.map((feed) => configuredFeed(feed, config)));

function configuredFeed(feed: Config['feeds'][number], config: Config) {
  const links = feedLinks(feed, config);
  return {
    id: feed.id,
    title: feed.title,
    fullTitle: links.title,
    description: feed.description ?? null,
    language: feed.language ?? config.publication.language,
    formats: links.formats,
    ...waysToFollow(links),
  };
}

/** Ways to add a feed to a reader by one click. */
export function waysToFollow({ formats }: FeedLinks) {
  // Atom: the only format that reports retractions.
  const { url } = formats.find(({ name }) => name === 'Atom') as FeedLinks['formats'][number];
  return {
    // Feed readers may be registered as applications for this scheme.
    appUrl: `feed:${url}`,
    readers: WEB_READERS.map(([name, prefix]) => ({ name, url: prefix + encodeURIComponent(url) })),
    qr: qrCode(url),
  };
}

/** Feeds by one facet. */
interface FeedGroup {
  facet: SingleFacet;
  /** Messages: `By section`, `Section`. */
  title: string;
  choice: string;
  entries: { value: string; title: string; fullTitle: string; formats: FeedLinks['formats'] }[];
}

function groupsOf(config: Config, used: Record<Exclude<SingleFacet, 'section'>, UsedFacet[]>): FeedGroup[] {
  const group = (facet: SingleFacet, [title, choice]: [string, string], facets: UsedFacet[]): FeedGroup => ({
    ...{ facet, title, choice },
    entries: facets.map(({ slug, names }) => {
      const links = feedLinks(singleFeed(facet, slug, names), config);
      return { value: slug, title: facetTitle(names), fullTitle: links.title, formats: links.formats };
    }),
  });
  const { compare } = new Intl.Collator(config.publication.language);
  const alphabetic = (facets: UsedFacet[]): UsedFacet[] =>
    facets.toSorted((a, b) => compare(a.names[0] as string, b.names[0] as string));
  const sections = config.sections.map(({ id, title }) => ({ slug: id, names: [title] }));
  return [
    group('section', ['feeds.bySection', 'feeds.section'], sections),
    group('kicker', ['feeds.byKicker', 'feeds.kicker'], withLeadKickers(config.leadKickers, alphabetic(used.kicker))),
    group('reporter', ['feeds.byReporter', 'feeds.reporter'], alphabetic(used.reporter)),
    group('tag', ['feeds.byTag', 'feeds.tag'], alphabetic(used.tag)),
  ].filter(({ entries }) => entries.length > 0);
}

/** The configured lead kickers, in their order, before the others. */
function withLeadKickers(leadKickers: string[], used: UsedFacet[]): UsedFacet[] {
  const all = new Map<string, string[]>();
  const named = [...leadKickers.map((name) => ({ slug: facetSlug(name), names: [name] })), ...used];
  for (const { slug, names } of named) {
    if (slug !== null) all.set(slug, [...new Set([...(all.get(slug) ?? []), ...names])]);
  }
  return [...all].map(([slug, names]) => ({ slug, names }));
}

export interface QrCode {
  /** Modules on each side, including the quiet zone. */
  size: number;
  /** The dark modules, as the `d` of an SVG path. */
  path: string;
}

/** ISO/IEC 18004 §5.3.8: four light modules around the code. */
const QUIET_ZONE = 4;

/** Encodes a text with error correction level M. */
export function qrCode(text: string): QrCode {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_ZONE });
  return { size: rows.length, path: rows.flatMap(darkRuns).join('') };
}

function darkRuns(row: boolean[], y: number): string[] {
  const runs: string[] = [];
  for (let x = 0; x < row.length; x++) {
    if (row[x] !== true) continue;
    const from = x;
    while (row[x + 1] === true) x++;
    const width = x + 1 - from;
    runs.push(`M${from} ${y}h${width}v1h-${width}z`);
  }
  return runs;
}
