/** Content negotiation (RFC 9110 §12.5): the coding of a response, and the name of its media type. */
import { parseAccept } from 'hono/utils/accept';

export type Coding = 'identity' | 'gzip' | 'br';

/** The client's preferred coding; of those it prefers equally, the smallest. Without the header, identity. */
export function chooseCoding(acceptEncoding = ''): Coding {
  const weights = weightsOf(acceptEncoding);
  const weight = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  // Identity needs no mention to be acceptable, but is then the last choice (§12.5.3).
  const identity = weights.get('identity') ?? 0;
  const br = weight('br');
  const gzip = Math.max(weight('gzip'), weights.get('x-gzip') ?? 0);
  if (br > 0 && br >= gzip && br >= identity) return 'br';
  return gzip > 0 && gzip >= identity ? 'gzip' : 'identity';
}

/**
 * Whether an XML feed is sent as `application/xml`, which browsers show with its stylesheet. They show
 * `application/rss+xml` as source or not at all. Feed readers ask for the feed's own type or any type, and get its own.
 * @param own the feed's type, such as `application/rss+xml`
 */
export function prefersPlainXml(accept = '', own = ''): boolean {
  const type = own.startsWith('application/atom') ? 'application/atom+xml' : 'application/rss+xml';
  const weights = weightsOf(accept);
  const weight = (name: string): number => weights.get(name) ?? weights.get('application/*') ?? weights.get('*/*') ?? 0;
  const plain = Math.max(weight('application/xml'), weights.get('text/xml') ?? 0);
  if (plain !== weight(type)) return plain > weight(type);
  // Neither type is preferred: a client that accepts HTML is a browser.
  return (weights.get('text/html') ?? 0) > 0;
}

const FEED_TYPE = /^application\/(?:(?:rss|atom|rdf)\+xml|feed\+json)$/;

/** Whether HTML is preferred to any type, as by browsers that navigate. A client that names feeds reads them. */
export function prefersPage(accept = ''): boolean {
  const weights = weightsOf(accept);
  const namesFeed = [...weights.keys()].some((type) => FEED_TYPE.test(type));
  return !namesFeed && (weights.get('text/html') ?? 0) > (weights.get('*/*') ?? 0);
}

/** Names in lower case with their weights, without those whose weight is not one. */
function weightsOf(header: string): Map<string, number> {
  const valid = parseAccept(header.toLowerCase()).filter(({ params }) => {
    const weight = Number(params.q ?? 1);
    return weight >= 0 && weight <= 1;
  });
  return new Map(valid.map(({ type, q }) => [type, q]));
}
