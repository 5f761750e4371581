/**
 * SPF records as they should be. An existing record keeps all that counts in it, since it authorises others, too.
 */

const ALL = /^([+\-~?]?)all$/i;
const MODIFIER = /^[a-z][a-z0-9_.-]*=/i;
/** A directive that, where it matches, ends the evaluation without authorising anyone. */
const REFUSAL = /^[-~?]/;

/** A record that authorises the terms, such as `include:example.net`, and marks all others as suspicious. */
export function newSpf(terms: readonly string[]): string {
  return ['v=spf1', ...terms, '~all'].join(' ');
}

/** Adds terms where they count, and as late as possible: before whatever refuses, and before modifiers. */
export function addToSpf(text: string, terms: readonly string[]): string {
  const words = wordsOf(text);
  const end = words.findIndex((word) => REFUSAL.test(word) || ALL.test(word) || MODIFIER.test(word));
  const place = end < 0 ? words.length : end;
  return ['v=spf1', ...words.slice(0, place), ...terms, ...words.slice(place)].join(' ');
}

/** Replaces `+all`, `?all`, or a missing `all`. */
export function endWithSoftFail(text: string): string {
  return ['v=spf1', ...untilAll(text), '~all'].join(' ');
}

/** What a record lacks. */
export interface SpfRepair {
  terms: readonly string[];
  /** Whether it must end with `~all`. */
  softFail: boolean;
}

/** Repairs everything at once, since a name may have one record only. */
export function repairSpf(text: string, { terms, softFail }: SpfRepair): string {
  const longer = terms.length > 0 ? addToSpf(text, terms) : text;
  return softFail ? endWithSoftFail(longer) : longer;
}

/**
 * Makes one record of several: everything that one of them authorises, and the most lenient of their endings. A
 * `redirect` becomes an `include`, since only the last of a record counts.
 */
export function mergeSpf(texts: readonly string[], terms: readonly string[]): string {
  const endings = texts.map((text) => wordsOf(text).flatMap((word) => ALL.exec(word)?.[1] ?? [])[0]);
  const kept = texts.flatMap((text, index) =>
    untilAll(text)
      // After all, it does not count.
      .filter((word) => endings[index] === undefined || !/^redirect=/i.test(word))
      .map((word) => word.replace(/^redirect=/i, 'include:'))
      .filter((word) => !MODIFIER.test(word)),
  );
  const refusals = kept.filter((word) => REFUSAL.test(word));
  const others = kept.filter((word) => !REFUSAL.test(word));
  const ending = endings.every((sign) => sign === '-') ? '-all' : '~all';
  return ['v=spf1', ...new Set([...others, ...terms, ...refusals]), ending].join(' ');
}

/** Without the version. */
function wordsOf(text: string): string[] {
  return text
    .split(' ')
    .slice(1)
    .filter((word) => word !== '');
}

/** RFC 7208 §5.1: directives after `all` never count. */
function untilAll(text: string): string[] {
  const words = wordsOf(text);
  const end = words.findIndex((word) => ALL.test(word));
  return end < 0 ? words : words.slice(0, end);
}
