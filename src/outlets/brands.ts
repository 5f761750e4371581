/** Sources that are perhaps feeds of one outlet under two names: it would be counted and credited twice. Pure. */
import { getDomain } from 'tldts';
import { outletKey } from '../articles/outlets.ts';

/** Sites of many publishers that the public suffix list does not know: they tell nothing. */
const SHARED_SITES = new Set(
  (
    'acast.com apple.com buzzsprout.com dailymotion.com feedburner.com ghost.io google.com libsyn.com medium.com ' +
    'megaphone.fm openrss.org podbean.com reddit.com rss.app rsshub.app simplecast.com soundcloud.com spotify.com ' +
    'substack.com tumblr.com vimeo.com wordpress.com youtube.com'
  ).split(' '),
);

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

/** The registered domain of an address; none where many publishers share it, or in the own network. */
function siteKeys(url: string): string[] {
  const site = getDomain(url, { allowPrivateDomains: true });
  return site === null || SHARED_SITES.has(site) ? [] : [site];
}
