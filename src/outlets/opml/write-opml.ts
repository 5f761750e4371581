/** Writes a list of other outlets' feeds as OPML 2.0, for feed readers and for `sources import`. */
import { cleanLine } from '../../lib/text/clean-text.ts';
import { escapeHtml } from '../../lib/text/html.ts';

export interface ListedFeed {
  title: string;
  url: string;
  /** BCP 47. */
  language?: string | undefined;
}

/** The list, in its order: the same feeds, the same bytes. */
export function writeOpml(title: string, feeds: readonly ListedFeed[]): string {
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<opml version="2.0">',
    `  <head><title>${textOf(title)}</title></head>`,
    '  <body>',
    ...feeds.map(outline),
    '  </body>',
    '</opml>',
    '',
  ].join('\n');
}

function outline({ title, url, language }: ListedFeed): string {
  // OPML 2.0: "rss" is any syndicated feed, Atom included.
  const named = { type: 'rss', text: title, title, xmlUrl: url, ...(language === undefined ? {} : { language }) };
  const attributes = Object.entries(named).map(([name, value]) => ` ${name}="${textOf(value)}"`);
  return `    <outline${attributes.join('')}/>`;
}

function textOf(text: string): string {
  return escapeHtml(cleanLine(text));
}
