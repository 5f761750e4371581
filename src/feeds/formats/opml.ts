/** Writes the list of feeds as OPML 2.0, for feed readers that import it. */
import type { Config } from '../../core/config/config.ts';
import { sectionFeed } from '../feed-links.ts';
import { type FeedHead, feedView } from './feed-view.ts';
import { escapeXml } from './markup.ts';

/**
 * Lists the configured feeds and a feed for each section, as two groups, which most readers import as folders. No feed
 * is in both. Outlines have the URL of the Atom document: the only format that reports retractions.
 */
export function renderOpml(config: Config): string {
  const { publication, feeds, sections } = config;
  const bySection = sections.map(({ id }) => sectionFeed(config, id));
  const groups: [title: string, feeds: FeedHead[]][] = [
    [publication.name, feeds.filter(({ id }) => !bySection.some((feed) => feed.id === id))],
    ['Sections', bySection],
  ];
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<opml version="2.0">',
    '  <head>',
    `    <title>${escapeXml(`${publication.name}: feeds`)}</title>`,
    `    <ownerName>${escapeXml(publication.contact.name)}</ownerName>`,
    `    <ownerEmail>${escapeXml(publication.contact.email)}</ownerEmail>`,
    '    <docs>http://opml.org/spec2.opml</docs>',
    '  </head>',
    '  <body>',
    ...groups
      .filter(([, held]) => held.length > 0)
      .flatMap(([title, held]) => [
        `    <outline${attributes({ text: title, title })}>`,
        ...held.map((feed) => `      ${feedOutline(feed, config)}`),
        '    </outline>',
      ]),
    '  </body>',
    '</opml>',
    '',
  ].join('\n');
}

function feedOutline(feed: FeedHead, config: Config): string {
  const { title, description, language, siteUrl, urls } = feedView(feed, config);
  // OPML 2.0: "rss" is any syndicated feed, Atom included.
  const named = { type: 'rss', text: title, title, description, language, xmlUrl: urls.atom, htmlUrl: siteUrl };
  return `<outline${attributes(named)}/>`;
}

function attributes(named: Record<string, string>): string {
  return Object.entries(named)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
}
