/**
 * Keeps addresses out of words that others read than the person they are about: a server that refuses one reader often quotes the
 * address, or our return path, whose token stands for that reader.
 */

// Whatever does not part words may stand on either side of an @: apostrophes, slashes and equals signs (RFC 5322 §3.2.3), and letters of
// any script (RFC 6531).
const WORD = String.raw`[^\s<>()[\]{}",;:|\\@]`;
// In a link that explains a refusal, such as one about SPF, the @ is escaped.
const AT = '(?:@|%40)+';
// What ends a sentence stays.
const DOMAIN = String.raw`(?:\[[^\]\s]*\]?|${WORD}*(?![.!?'…])${WORD})`;
// Only from where a word begins, or a long text without any @ would be searched from every character of it.
const ADDRESS = new RegExp(`<?(?:(?<!${WORD})${WORD}+|"[^"]*")(?:${AT}${DOMAIN})+>?`, 'gu');
// A path and a link keep their folders, for the operator to find what they name.
const FOLDERS = /^\/(?:(?!%40)[^@])*\/(?=[^/@])/;

/**
 * Strikes out everything that looks like an email address, and its angle brackets: `<address>` stands in its place. All else stays.
 * @param text a server's reply or a transport's words, in one piece: of an address that was cut before its @ the rest would stay
 */
export function redactAddresses(text: string): string {
  return text.replace(ADDRESS, (address) => `${FOLDERS.exec(address)?.[0] ?? ''}<address>`);
}
