/**
 * Programs that fetch feeds, by their names in User-Agent headers. A name covers all versions and platforms of a
 * program; nothing here identifies people.
 */

/** Programs whose product token is their name. */
const BY_OWN_NAME = `
  Akregator AntennaPod Awasu BazQux Blogtrottr Castbox Castro CommaFeed Feedbin Feedbro FeedBurner FeedDemon
  Feeder Feedly Feedspot Flipboard FreshRSS Fever Gnus gPodder Inoreader Lilina Liferea Livemarks MagpieRSS
  Miniflux MonitoRSS NetNewsWire Netvibes Newsbeuter NewsBlur Newsboat NewsFlash Newsify newsraft Overcast
  PodcastAddict PocketCasts Podverse QuiteRSS ReadKit Readwise Reeder RSSOwl rss2email selfoss SimplePie Stringer
  Superfeedr Thunderbird Vienna yarr Zapier feedparser sfeed snownews lire Slackbot Discordbot TelegramBot
  Mastodon Twitterbot LinkedInBot WhatsApp facebookexternalhit Mailchimp WordPress Googlebot Bingbot YandexBot
  DuckDuckBot Baiduspider Applebot PetalBot AhrefsBot SemrushBot MJ12bot DotBot GPTBot ClaudeBot CCBot Amazonbot
  Bytespider PerplexityBot ChatGPT-User OAI-SearchBot Meta-ExternalAgent ia_archiver FeedValidator W3C_Validator
  UptimeRobot Pingdom StatusCake
`
  .trim()
  .split(/\s+/);

/** Other tokens, and names of two words, in lower case. */
const BY_OTHER_WORDS: Record<string, string> = {
  'apple-pubsub': 'Apple PubSub',
  'archive.org_bot': 'Internet Archive',
  'bazqux.com': 'BazQux',
  'emacs elfeed': 'Elfeed',
  'feed wrangler': 'Feed Wrangler',
  'feedfetcher-google': 'Google FeedFetcher',
  'fiery feeds': 'Fiery Feeds',
  'fluent-reader': 'Fluent Reader',
  'ia_archiver-web.archive.org': 'Internet Archive',
  'ifttt-protocol': 'IFTTT',
  'livejournal.com': 'LiveJournal',
  'microsoft outlook': 'Outlook',
  'news flash': 'NewsFlash',
  'nextcloud-news': 'Nextcloud News',
  'planet venus': 'Planet Venus',
  'pocket casts': 'PocketCasts',
  'read you': 'Read You',
  'rss guard': 'RSS Guard',
  'slackbot-linkexpanding': 'Slackbot',
  'tiny tiny': 'Tiny Tiny RSS',
  'unread rss': 'Unread',
  'windows-rss-platform': 'Windows RSS Platform',
  'yahoo pipes': 'Yahoo Pipes',
  'dreamwidth.org': 'Dreamwidth',
  elfeed: 'Elfeed',
  feedlyapp: 'Feedly',
  feedlybot: 'Feedly',
  feedspotbot: 'Feedspot',
  feedwrangler: 'Feed Wrangler',
  fieryfeeds: 'Fiery Feeds',
  flipboardproxy: 'Flipboard',
  flipboardrss: 'Flipboard',
  fluentreader: 'Fluent Reader',
  'inoreader.com': 'Inoreader',
  itms: 'Apple Podcasts',
  monitorss: 'MonitoRSS',
  'newsgator online': 'NewsGator',
  newsgatoronline: 'NewsGator',
  podcasts: 'Apple Podcasts',
  rssguard: 'RSS Guard',
  spacecowboys: 'Feeder',
  theoldreader: 'The Old Reader',
  'theoldreader.com': 'The Old Reader',
  'tt-rss': 'Tiny Tiny RSS',
  universalfeedparser: 'feedparser',
  unread: 'Unread',
  yahoofeedseeker: 'Yahoo',
};

/** HTTP libraries: they name programs without another name. */
const LIBRARY_NAMES = [
  'aiohttp axios curl Dart Faraday Feedjira GuzzleHttp Go-http-client gofeed http.rb Java libwww-perl newspaper',
  'node-fetch okhttp python-httpx python-requests Python-urllib Ruby rss-parser undici Wget',
].flatMap((line) => line.split(' '));

const byWord = (names: readonly string[]): [word: string, name: string][] =>
  names.map((name) => [name.toLowerCase(), name]);

/** Names of readers, by product tokens in lower case. */
export const READERS: ReadonlyMap<string, string> = new Map([
  ...byWord(BY_OWN_NAME),
  ...Object.entries(BY_OTHER_WORDS),
]);

/** Names of libraries, by product tokens in lower case. */
export const LIBRARIES: ReadonlyMap<string, string> = new Map(byWord(LIBRARY_NAMES));
