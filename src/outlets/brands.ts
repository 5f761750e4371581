/** Sources that are perhaps feeds of one outlet under two names: it would be counted and credited twice. Pure. */
import { outletKey } from '../articles/outlets.ts';

/** Sites of many publishers, which tell nothing. */
const SHARED_SITES = new Set(
  (
    'acast.com apple.com blogspot.com buzzsprout.com dailymotion.com feedburner.com ghost.io github.io google.com ' +
    'libsyn.com medium.com megaphone.fm netlify.app openrss.org pages.dev podbean.com reddit.com rss.app rsshub.app ' +
    'simplecast.com soundcloud.com spotify.com substack.com tumblr.com vercel.app vimeo.com wordpress.com youtube.com'
  ).split(' '),
);
/** In countries, names are registered below these. One too many only costs suggestions. */
const SECOND_LEVEL = new Set('ac co com edu gob gouv gov in me ne net nom or org web'.split(' '));

/** Words that a brand adds to the name of a feed: "The Example Video", but not "The Example of Orlen". */
const FORM = new RegExp(
  '(?: (?:breaking|business|channel|headlines|home|latest|live|news|online|podcasts?|sports?|stories|top|tv|videos?|' +
    'world|youtube))+$',
);

/**
 * Finds sources on the site of another one, or with a name that differs from that of another one by words such as
 * "Video" alone. Sources without an outlet are skipped.
 * @returns what to do, as a sentence part, by id of the source with the longer name
 */
export function findSameBrands(sources: readonly { id: string; url: string; outlet: string | null }[]) {
  const [known, hints] = [new Map<string, { id: string; outlet: string }>(), new Map<string, string>()];
  for (const { id, url, outlet } of sources.toSorted((a, b) => (a.outlet ?? '').length - (b.outlet ?? '').length)) {
    if (outlet === null) continue;
    const words = outletKey(outlet).match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
    const keys = [words.join(' ').replace(FORM, ''), ...siteKeys(url)];
    const other = keys.map((key) => known.get(key)).find((one) => one && outletKey(one.outlet) !== outletKey(outlet));
    const advice = `perhaps a feed of ${other?.outlet}, as ${other?.id} is: if so, write "outlet: ${other?.outlet}"`;
    if (other !== undefined) hints.set(id, `${advice} for both`);
    for (const key of keys) if (!known.has(key)) known.set(key, { id, outlet });
  }
  return hints;
}

/** The registered domain of an address; none where many publishers share it, as a bridge in the own network may be. */
function siteKeys(url: string): string[] {
  const { hostname } = new URL(url);
  const labels = hostname.split('.');
  const [country = '', second = ''] = labels.toReversed();
  const site = labels.slice(country.length === 2 && SECOND_LEVEL.has(second) ? -3 : -2).join('.');
  return SHARED_SITES.has(site) || !/\.[a-z][a-z0-9-]*$/.test(hostname) ? [] : [site];
}
