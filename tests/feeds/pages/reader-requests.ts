/**
 * Requests of feeds as readers and browsers send them. Recorded: the program itself requested a feed from a local
 * server that wrote down what it got, in 2026. Source: what the reader's public code sets, read at that commit.
 */
export interface ReaderRequest {
  name: string;
  from: 'recorded' | `https://${string}`;
  headers: Record<string, string>;
  /** What a request of a feed is answered with. */
  gets?: 'page';
}

const CODINGS = 'gzip, deflate, br, zstd';
const CHROMIUM =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36';

const NAVIGATION = {
  'Upgrade-Insecure-Requests': '1',
  'Sec-Fetch-Site': 'none',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-User': '?1',
  'Sec-Fetch-Dest': 'document',
};
const RSS_BRIDGE = {
  ...NAVIGATION,
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language': 'en-US,en;q=0.5',
  TE: 'trailers',
};
const CHROMIUM_ACCEPT =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,' +
  'application/signed-exchange;v=b3;q=0.7';
/** Its scripts send what these browsers send when somebody opens an address. */
const IMPERSONATED: [browser: string, accept: string][] = [
  ['Chrome 146', CHROMIUM_ACCEPT],
  ['Firefox 147', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['Safari 26', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
];

export const READER_REQUESTS: ReaderRequest[] = [
  {
    name: 'newsboat 2.36',
    from: 'recorded',
    headers: {
      'User-Agent': 'Newsboat/2.36.0 (Linux x86_64)',
      Accept: '*/*',
      'Accept-Encoding': 'deflate, gzip, br, zstd',
    },
  },
  { name: 'sfeed 2.2', from: 'recorded', headers: { Accept: '*/*' } },
  {
    name: 'rss2email 3.14, which uses feedparser',
    from: 'recorded',
    headers: {
      'User-Agent': 'rss2email/3.14 (https://github.com/rss2email/rss2email)',
      'Accept-Encoding': 'gzip, deflate',
      Accept:
        'application/atom+xml,application/rdf+xml,application/rss+xml,application/x-netcdf,' +
        'application/xml;q=0.9,text/xml;q=0.2,*/*;q=0.1',
      'A-Im': 'feed',
      Connection: 'close',
    },
  },
  {
    name: 'feed2exec 0.22',
    from: 'recorded',
    headers: { 'User-Agent': 'feed2exec/0.22.0', 'Accept-Encoding': 'gzip, deflate', Accept: '*/*' },
  },
  {
    name: 'Thunderbird 153',
    from: 'recorded',
    headers: {
      'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Thunderbird/153.8.0',
      Accept:
        'application/atom+xml,application/rss+xml;q=0.9,application/rdf+xml;q=0.8,application/xml;q=0.7,' +
        'text/xml;q=0.7,*/*;q=0.1',
      'Accept-Language': 'en-US,en;q=0.9',
      'Accept-Encoding': CODINGS,
      'If-Modified-Since': 'Sat, 01 Jan 2000 00:00:00 GMT',
      Pragma: 'no-cache',
      'Cache-Control': 'no-cache',
    },
  },
  {
    name: 'an extension of Chromium 156 that calls fetch()',
    from: 'recorded',
    headers: {
      'User-Agent': CHROMIUM,
      Accept: '*/*',
      'Sec-Fetch-Site': 'none',
      'Sec-Fetch-Mode': 'cors',
      'Sec-Fetch-Dest': 'empty',
      'Sec-Fetch-Storage-Access': 'active',
      'Accept-Encoding': CODINGS,
      'Accept-Language': 'en-US,en;q=0.9',
    },
  },
  {
    name: 'a web page in Chromium 156 that uses XMLHttpRequest',
    from: 'recorded',
    headers: {
      'User-Agent': CHROMIUM,
      Accept: '*/*',
      'Sec-Fetch-Site': 'same-origin',
      'Sec-Fetch-Mode': 'cors',
      'Sec-Fetch-Dest': 'empty',
      'Accept-Encoding': CODINGS,
    },
  },
  {
    name: 'a download in Chromium 156',
    from: 'recorded',
    headers: {
      'User-Agent': CHROMIUM,
      'Sec-Fetch-Site': 'same-origin',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'empty',
      'Accept-Encoding': CODINGS,
    },
  },
  {
    name: 'curl 8.14',
    from: 'recorded',
    headers: { 'User-Agent': 'curl/8.14.1', Accept: '*/*' },
  },
  {
    name: 'Miniflux',
    from: 'https://github.com/miniflux/v2/blob/08138eb5a40658a2205fa4a6ecd3c44b44e8be5d/internal/reader/fetcher/request_builder.go',
    headers: {
      'User-Agent': 'Mozilla/5.0 (compatible; Miniflux/2.2; +https://miniflux.app)',
      Accept:
        'application/xml, application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, ' +
        'text/html, */*;q=0.9',
      'Accept-Encoding': 'br, gzip',
      Connection: 'close',
    },
  },
  {
    name: 'Feedbin',
    from: 'https://github.com/feedbin/feedkit/blob/0aafc2e60fb4d32263099c9a3b07eb5e09ab57a2/lib/feedkit/request.rb',
    headers: { 'User-Agent': 'Feedbin feed-id:1373711 - 142 subscribers', 'Accept-Encoding': 'gzip, deflate' },
  },
  {
    // Beside the User-Agent, only what the system's URLSession adds.
    name: 'NetNewsWire',
    from: 'https://github.com/Ranchero-Software/NetNewsWire/blob/0406bd4456193435eb02a739cc52a206384e2142/Modules/RSWeb/Sources/RSWeb/DownloadSession.swift',
    headers: {
      'User-Agent': 'NetNewsWire (RSS Reader; https://netnewswire.com/)',
      Accept: '*/*',
      'Accept-Language': 'en-US,en;q=0.9',
      'Accept-Encoding': 'gzip, deflate, br',
    },
  },
  {
    name: 'FreshRSS',
    from: 'https://github.com/FreshRSS/FreshRSS/blob/00bd6323a7aa26154ca7a06924650b972322f766/app/Utils/httpUtil.php',
    headers: {
      'User-Agent': 'FreshRSS/1.26 (Linux; https://freshrss.org)',
      Accept: 'application/xml,application/xhtml+xml,text/xml;q=0.9,*/*;q=0.8',
      'Accept-Encoding': 'deflate, gzip, br',
    },
  },
  {
    name: 'RSS-Bridge, which expands a feed',
    from: 'https://github.com/RSS-Bridge/rss-bridge/blob/2e93bfaba6a57114b8a1bd4a4872a41efc07d345/lib/FeedExpander.php',
    headers: {
      ...RSS_BRIDGE,
      Accept: 'application/rss+xml, application/atom+xml, */*',
    },
  },
  {
    name: 'RSS-Bridge, which reads any address',
    from: 'https://github.com/RSS-Bridge/rss-bridge/blob/29e1fc81a22cd0d31647664b7a9a372d195d57e7/lib/contents.php',
    headers: RSS_BRIDGE,
    gets: 'page',
  },
  ...IMPERSONATED.map(
    ([name, Accept]): ReaderRequest => ({
      name: `curl-impersonate as ${name}`,
      from: 'https://github.com/lexiforest/curl-impersonate/tree/280150fd4b7f63d9ac1e401df20ce3cfb1ce06aa/bin',
      headers: { ...NAVIGATION, Accept },
      gets: 'page',
    }),
  ),
  ...['*/*', 'application/rss+xml, text/html;q=0.9, */*;q=0.8', 'application/feed+json, text/html'].map(
    (Accept): ReaderRequest => ({
      name: `curl-impersonate with the option -H "Accept: ${Accept}"`,
      from: 'https://github.com/lexiforest/curl-impersonate/tree/280150fd4b7f63d9ac1e401df20ce3cfb1ce06aa/bin',
      headers: { ...NAVIGATION, Accept },
    }),
  ),
  {
    name: 'a person with Chromium 156',
    from: 'recorded',
    headers: {
      ...NAVIGATION,
      'User-Agent': CHROMIUM,
      Accept: CHROMIUM_ACCEPT.replace('image/avif', 'image/jxl,image/avif'),
      'Accept-Encoding': CODINGS,
    },
    gets: 'page',
  },
];
