/** Pages by which services keep programs out. Pure. */

/** What a response shows of itself. */
export interface ChallengedResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Uint8Array;
}

/** Statuses of the known challenges. */
const STATUSES = [200, 202, 401, 403, 405, 503];
/** Bytes of a page that are searched. */
const SEARCHED = 100_000;

const MARKS: [service: string, marks: string[]][] = [
  ['Cloudflare', ['_cf_chl_opt', '/cdn-cgi/challenge-platform/', 'cf-browser-verification']],
  ['DataDome', ['captcha-delivery.com']],
  ['Imperva', ['_Incapsula_Resource']],
  ['HUMAN', ['px-captcha', 'perimeterx.net']],
  ['Sucuri', ['sucuri_cloudproxy_js', 'Sucuri WebSite Firewall']],
  ['AWS WAF', ['awsWafCookieDomainList', 'token.awswaf.com']],
  ['Akamai', ['sec-if-cpt-container']],
  ['DDoS-Guard', ['/.well-known/ddos-guard/']],
  ['Anubis', ['/.within.website/x/cmd/anubis/']],
];

/** @returns the name of the service whose challenge a response is; null for any other response */
export function challengeOf({ status, headers, body }: ChallengedResponse): string | null {
  if (headers['cf-mitigated'] === 'challenge') return 'Cloudflare';
  if (/^(?:challenge|captcha)$/.test(String(headers['x-amzn-waf-action'] ?? ''))) return 'AWS WAF';
  if (!STATUSES.includes(status) || !isPage(headers, body)) return null;
  const page = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, SEARCHED)).toString('latin1');
  return MARKS.find(([, marks]) => marks.some((mark) => page.includes(mark)))?.[0] ?? null;
}

/** Whether a response is an HTML page. Some servers send feeds as HTML: those begin as feeds do. */
export function isPage(headers: ChallengedResponse['headers'], body: Uint8Array): boolean {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 500)).toString('latin1').trimStart();
  if (/^(?:\u00ef\u00bb\u00bf)?\s*<(?:\?xml|rss|feed|rdf:)/i.test(start)) return false;
  if (/^(?:\u00ef\u00bb\u00bf)?\s*<(?:!doctype\s+html|html|head|body)\b/i.test(start)) return true;
  return /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(String(headers['content-type'] ?? ''));
}
