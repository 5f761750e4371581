/**
 * SPF records as they should be. An existing record keeps all that it has, since it authorises others, too.
 */

const ALL = /^([+\-~?]?)all$/i;
const MODIFIER = /^[a-z][a-z0-9_.-]*=/i;

/** A record that authorises the terms, such as `include:example.net`, and marks all others as suspicious. */
export function newSpf(terms: readonly string[]): string {
  return ['v=spf1', ...terms, '~all'].join(' ');
}

/** Adds terms where they count: before `all`, and before modifiers. */
export function addToSpf(text: string, terms: readonly string[]): string {
  const words = text.split(' ').filter((word) => word !== '');
  const end = words.findIndex((word) => ALL.test(word) || MODIFIER.test(word.replace(/^v=spf1$/i, '')));
  return (end < 0 ? [...words, ...terms] : [...words.slice(0, end), ...terms, ...words.slice(end)]).join(' ');
}

/** Replaces `+all`, `?all`, or a missing `all`. */
export function endWithSoftFail(text: string): string {
  const words = text.split(' ').filter((word) => word !== '' && !ALL.test(word));
  return [...words, '~all'].join(' ');
}

/**
 * Makes one record of several: everything that one of them authorises, and the most lenient of their endings. A
 * `redirect` becomes an `include`, since only the last of a record counts.
 */
export function mergeSpf(texts: readonly string[], terms: readonly string[]): string {
  const words = texts.flatMap((text) => text.split(' ').slice(1)).filter((word) => word !== '');
  const endings = words.flatMap((word) => ALL.exec(word)?.[1] ?? []);
  const kept = words
    .filter((word) => !ALL.test(word))
    .map((word) => word.replace(/^redirect=/i, 'include:'))
    .filter((word) => !MODIFIER.test(word));
  const isStrict = endings.length === texts.length && endings.every((sign) => sign === '-');
  return ['v=spf1', ...new Set([...kept, ...terms]), isStrict ? '-all' : '~all'].join(' ');
}
