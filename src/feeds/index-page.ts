/**
 * What stands beside the feeds in their folder: the page that lists them for people, the list for programs, and the stylesheet that
 * a browser shows a feed with. All three depend on the configuration alone.
 */
import type { Config } from '../config.ts';
import { siteView, type Templates } from '../templates.ts';
import type { Draft } from './documents.ts';
import { feedView } from './feed-view.ts';
import { renderOpml } from './opml.ts';

/** `index.html`, `feeds.opml` and `feed.css`. @throws Error that names template and line */
export async function sharedDocuments(config: Config, templates: Templates): Promise<Draft[]> {
  const site = siteView(config);
  const feeds = config.feeds.map((feed) => {
    const { title, urls } = feedView(feed, config);
    return {
      id: feed.id,
      title: feed.title,
      fullTitle: title,
      description: feed.description ?? null,
      addresses: [
        { format: 'RSS', url: urls.rss, file: `${feed.id}.rss`, type: 'application/rss+xml' },
        { format: 'Atom', url: urls.atom, file: `${feed.id}.atom`, type: 'application/atom+xml' },
        { format: 'JSON Feed', url: urls.json, file: `${feed.id}.json`, type: 'application/feed+json' },
      ],
    };
  });
  return [
    {
      path: 'index.html',
      mediaType: 'text/html; charset=utf-8',
      body: await templates.html('feeds/index.liquid', { site, feeds }),
    },
    { path: 'feeds.opml', mediaType: 'text/x-opml; charset=utf-8', body: renderOpml(config) },
    {
      path: 'feed.css',
      mediaType: 'text/css; charset=utf-8',
      body: await templates.text('feeds/feed.css.liquid', { site }),
    },
  ];
}
