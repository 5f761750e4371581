/**
 * What a client would rather have (RFC 9110 §12.5): the coding of a body, and by which of two names its type goes.
 */

export type Coding = 'identity' | 'gzip' | 'br';

/** The coding to answer with, by Accept-Encoding: the smallest of those the client likes best. Without the header, none. */
export const chooseCoding: (acceptEncoding: string | undefined) => Coding = remembering((header) => {
  const weights = weightsOf(header);
  const weight = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  // Unless it is named, it is what is left when nothing else is liked (§12.5.3).
  const identity = weights.get('identity') ?? 0;
  const br = weight('br');
  const gzip = Math.max(weight('gzip'), weights.get('x-gzip') ?? 0);
  if (br > 0 && br >= gzip && br >= identity) return 'br';
  return gzip > 0 && gzip >= identity ? 'gzip' : 'identity';
});

/**
 * Whether a feed in XML is to be called `application/xml`: browsers show that by its stylesheet, and `application/rss+xml` as bare
 * source or not at all. Feed readers ask for the feed's own type, or do not care, and get it.
 * @param own the feed's type, such as `application/rss+xml`
 */
export function prefersPlainXml(accept: string | undefined, own: string): boolean {
  return own.startsWith('application/atom') ? forAtom(accept) : forRss(accept);
}

const forRss = remembering((accept) => isPlainXmlBetter(accept, 'application/rss+xml'));
const forAtom = remembering((accept) => isPlainXmlBetter(accept, 'application/atom+xml'));

function isPlainXmlBetter(accept: string | undefined, own: string): boolean {
  if (accept === undefined) return false;
  const weights = weightsOf(accept);
  const weight = (name: string): number => weights.get(name) ?? weights.get('application/*') ?? weights.get('*/*') ?? 0;
  const plain = Math.max(weight('application/xml'), weights.get('text/xml') ?? 0);
  if (plain !== weight(own)) return plain > weight(own);
  // Neither is named: who wants a page for people is a browser.
  return (weights.get('text/html') ?? 0) > 0;
}

/** The members of a list and their weights, in lower case. What cannot be read is passed over; twice the same, the last counts. */
function weightsOf(header: string | undefined): Map<string, number> {
  const weights = new Map<string, number>();
  for (const member of (header ?? '').toLowerCase().split(',', MOST_MEMBERS)) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim());
    const q = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '');
    const weight = q === undefined ? 1 : Number(q);
    if (name !== '' && weight >= 0 && weight <= 1) weights.set(name, weight);
  }
  return weights;
}

const MOST_MEMBERS = 64;

/** Readers send the same few headers again and again. */
function remembering<T>(decide: (header: string | undefined) => T): (header: string | undefined) => T {
  const known = new Map<string | undefined, T>();
  return (header) => {
    let decision = known.get(header);
    if (decision === undefined) {
      decision = decide(header);
      if (known.size >= 200) known.clear();
      if ((header?.length ?? 0) <= 500) known.set(header, decision);
    }
    return decision;
  };
}
