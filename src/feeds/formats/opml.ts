/** Writes lists of feeds as OPML 2.0, for feed readers that import it. */
import type { Config } from '../../core/config/config.ts';
import { localeOf } from '../../lib/locale/locale.ts';
import { sectionFeed } from '../feed-links.ts';
import { type FeedHead, feedView } from './feed-view.ts';
import { escapeXml } from './markup.ts';

/**
 * Lists the configured feeds and a feed for each section, as two groups, which most readers import as folders. No feed
 * is in both. Outlines have the URL of the Atom document: the only format that reports retractions. A podcast has that
 * of RSS, which alone has its elements.
 */
export function renderOpml(config: Config): string {
  const { publication, feeds, sections } = config;
  const locale = localeOf(publication.language, config.ownMessages);
  const bySection = sections.map(({ id }) => sectionFeed(config, id));
  const groups: [title: string, feeds: FeedHead[]][] = [
    [publication.name, feeds.filter(({ id }) => !bySection.some((feed) => feed.id === id))],
    [locale.text('common.sections'), bySection],
  ];
  const outlines = groups
    .filter(([, held]) => held.length > 0)
    .map(([title, held]) => ({
      // Without a title: the W3C validator takes that for a feed's.
      attributes: { text: title },
      outlines: held.map((feed) => outlineOf(feed, config)),
    }));
  const { name, email } = publication.contact;
  const title = locale.text('feeds.opmlTitle', { site: publication.name });
  return writeOpml({ title, ownerName: name, ownerEmail: email }, outlines);
}

function outlineOf(feed: FeedHead, config: Config): Outline {
  const { title, description, language, siteUrl, urls } = feedView(feed, config);
  return feedOutline({
    title,
    description,
    language,
    xmlUrl: feed.podcast === undefined ? urls.atom : urls.rss,
    htmlUrl: siteUrl,
  });
}

export interface Outline {
  attributes: Record<string, string>;
  outlines?: Outline[];
}

/** OPML 2.0: "rss" is any syndicated feed, Atom included. */
export function feedOutline({ title, ...named }: { title: string; xmlUrl: string } & Record<string, string>): Outline {
  return { attributes: { type: 'rss', text: title, title, ...named } };
}

/** OPML 2.0: the same lists, the same bytes. */
export function writeOpml(head: Record<string, string>, outlines: readonly Outline[]): string {
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<opml version="2.0">',
    '  <head>',
    ...Object.entries(head).map(([name, text]) => `    <${name}>${escapeXml(text)}</${name}>`),
    '  </head>',
    '  <body>',
    ...outlines.flatMap((outline) => linesOf(outline, '    ')),
    '  </body>',
    '</opml>',
    '',
  ].join('\n');
}

function linesOf({ attributes, outlines = [] }: Outline, indent: string): string[] {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escapeXml(value)}"`);
  const tag = `${indent}<outline${written.join('')}`;
  if (outlines.length === 0) return [`${tag}/>`];
  return [`${tag}>`, ...outlines.flatMap((outline) => linesOf(outline, `${indent}  `)), `${indent}</outline>`];
}
