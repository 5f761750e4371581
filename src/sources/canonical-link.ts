/**
 * One spelling for the addresses of one report, to compare them by. It is not for requests: the scheme, the host and
 * the path that it names may not exist.
 *
 * Hosts of versions for phones (`m.`, `amp.`) stay as they are. Some of them have other reports than the host without,
 * and a feed rarely changes between the two.
 */

/**
 * The address with https, without `www.`, default port, fragment, trailing slash, index page and tracking parameters;
 * its other parameters sorted by name. Applied twice, it gives the same.
 * @returns null unless it is an http or https address without a login
 */
export function canonicalLink(link: string): string | null {
  if (!URL.canParse(link)) return null;
  const url = new URL(link);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  if (url.username !== '' || url.password !== '') return null;
  // The URL parser has made the host lower-case, and its international characters Punycode.
  const host = url.hostname.replace(/\.$/, '').replace(/^(?:www\.)+(?=[^.]+\.)/, '');
  const port = url.port === '' || url.port === '443' || url.port === '80' ? '' : `:${url.port}`;
  return `https://${host}${port}${canonicalPath(url.pathname)}${canonicalQuery(url.search)}`;
}

/** Whether a canonical link is the front page of a site, which is the address of no report. */
export function isFrontPage(canonical: string): boolean {
  return /^https:\/\/[^/?]*\/$/.test(canonical);
}

const INDEX_PAGE = /^(?:index|default)\.(?:x?html?|php|aspx?|jsp|shtml)$/i;

function canonicalPath(path: string): string {
  const parts = normalisePercents(path).split('/');
  const names = parts.filter((part) => part !== '');
  while (INDEX_PAGE.test(names.at(-1) ?? '')) names.pop();
  return `/${names.join('/')}`;
}

/** An address without its tracking parameters; the rest of it stays byte by byte. */
export function withoutTracking(address: string): string {
  const [, page, query, fragment = ''] = /^([^?#]*)\?([^#]*)(#.*)?$/s.exec(address) ?? [];
  if (page === undefined || query === undefined) return address;
  const kept = query.split('&').filter((pair) => {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    return !isTrackingParameter(normaliseInQuery(name), normaliseInQuery(value));
  });
  return page + (kept.length === 0 ? '' : `?${kept.join('&')}`) + fragment;
}

/** Bytes stay bytes: a query may be in any charset. */
function canonicalQuery(search: string): string {
  const parameters: { name: string; value: string }[] = [];
  for (const pair of search.slice(1).split('&')) {
    if (pair === '' || pair === '=') continue;
    const equals = pair.indexOf('=');
    const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    const parameter = { name: normaliseInQuery(name), value: normaliseInQuery(value) };
    if (!isTrackingParameter(parameter.name, parameter.value)) parameters.push(parameter);
  }
  if (parameters.length === 0) return '';
  // A parameter that is given several times may depend on the order of its values: the sort is stable.
  parameters.sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
  return `?${parameters.map(({ name, value }) => (value === '' ? name : `${name}=${value}`)).join('&')}`;
}

function normaliseInQuery(text: string): string {
  return normalisePercents(text.replaceAll('+', '%20'));
}

/** Unreserved characters as themselves, other escapes in upper case (RFC 3986 §6.2.2), a lone `%` as `%25`. */
function normalisePercents(text: string): string {
  return text.replace(/%(?:([0-9a-f]{2})|)/gi, (written, hex: string | undefined) => {
    if (hex === undefined) return '%25';
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[a-z0-9._~-]/i.test(character) ? character : written.toUpperCase();
  });
}

/** Beginnings of names that belong to one product each. In lower case. */
const PREFIXES = [
  'utm_', // Google Analytics, and what imitates it
  'mc_', // Mailchimp
  'at_', // Piano (AT Internet)
  'pk_', // Matomo, formerly Piwik
  'piwik_',
  'mtm_',
  'matomo_',
  'hsa_', // HubSpot ads
  '_hs', // HubSpot email: _hsenc, _hsmi
  '__hs',
  'ns_', // Comscore: ns_mchannel, ns_campaign
  'oly_', // Omeda
  'vero_',
  'wt_', // Webtrekk, Mapp
  'wt.',
  'trk_',
  '__cft__', // Facebook
];

/** Whole names, in lower case. */
const NAMES = new Set([
  ...['gclid', 'gclsrc', 'gbraid', 'wbraid', 'dclid', '_ga', '_gl'], // Google
  ...['fbclid', '__tn__', 'mibextid', 'igshid', 'igsh'], // Facebook, Instagram
  ...['msclkid', 'ocid', 'cvid'], // Microsoft
  ...['twclid', 'ref_src', 'ref_url', '__twitter_impression', 'ttclid', 'li_fat_id', 'epik', 'irclickid'],
  ...['yclid', 'ysclid', '_openstat'], // Yandex
  ...['spm', 'scm'], // Alibaba
  ...['mkt_tok', 's_cid', 's_kwcid', 'sr_share', 'sref', 'xtor', 'guccounter', 'guce_referrer', 'guce_referrer_sig'],
  ...['cmp', 'cmpid', 'intcmp', 'int_cmp', 'icid', 'icmp', 'ncid'], // campaigns of Adobe Analytics
  ...['smid', 'smtyp', 'emc', 'ito', 'ftag', 'ftcamp', 'wpisrc', 'wpmm', 'wprss', 'srnd', 'taid'], // of outlets
]);

/** Names that some sites need for what a page shows. Removed only where the value names where links come from. */
const PLACES = new Set(['ref', 'source', 'src', 'from', 'via', 'origin', 'partner', 'mod', 'medium', 'referrer']);
const IS_PLACE =
  /^(?:rss|feed|atom|rdf|e-?mail|newsletter|social|share|twitter|x\.com|facebook|linkedin|reddit|google|yahoo|app\b)/i;

/** @param name with its percent-encoding, as in an address; `value` also */
function isTrackingParameter(name: string, value: string): boolean {
  const lower = name.toLowerCase();
  if (NAMES.has(lower) || PREFIXES.some((prefix) => lower.startsWith(prefix))) return true;
  return PLACES.has(lower) && IS_PLACE.test(value);
}
