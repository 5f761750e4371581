/** Parameters of addresses that count clicks, and change nothing of what a page shows. */

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
export function isTrackingParameter(name: string, value: string): boolean {
  const lower = name.toLowerCase();
  if (NAMES.has(lower) || PREFIXES.some((prefix) => lower.startsWith(prefix))) return true;
  return PLACES.has(lower) && IS_PLACE.test(value);
}
