/**
 * The list of feeds as OPML 2.0, for readers that import it.
 */
import type { Config } from '../config.ts';
import { feedView } from './feed-view.ts';
import { escapeXml } from './markup.ts';

/** One outline for each feed, with the address of its Atom document: the one format of the three that reports retractions. */
export function renderOpml(config: Config): string {
  const { publication, feeds } = config;
  const outlines = feeds.map((feed) => {
    const { title, description, language, siteUrl, urls } = feedView(feed, config);
    const attributes = Object.entries({
      type: 'rss', // OPML 2.0: any syndicated feed, Atom included.
      text: title,
      title,
      description,
      language,
      xmlUrl: urls.atom,
      htmlUrl: siteUrl,
    }).map(([name, value]) => ` ${name}="${escapeXml(value)}"`);
    return `    <outline${attributes.join('')}/>`;
  });
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
    ...outlines,
    '  </body>',
    '</opml>',
    '',
  ].join('\n');
}
