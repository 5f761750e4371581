/**
 * Removes addresses from texts that are shown to others: a server that refuses a recipient often quotes the address, or
 * our return path, whose token identifies the subscriber.
 */

// Any character that does not separate words can be next to an @: apostrophes, slashes and equals signs
// (RFC 5322 §3.2.3), and letters of any script (RFC 6531).
const WORD = String.raw`[^\s<>()[\]{}",;:|\\@]`;
// In a link that explains a refusal, such as one about SPF, the @ is escaped.
const AT = '(?:@|%40)+';
// The end of a sentence is not part of a domain.
const DOMAIN = String.raw`(?:\[[^\]\s]*\]?|${WORD}*(?![.!?'…])${WORD})`;
// Only from the beginning of a word: otherwise a long text without any @ is searched from each of its characters.
const ADDRESS = new RegExp(`<?(?:(?<!${WORD})${WORD}+|"[^"]*")(?:${AT}${DOMAIN})+>?`, 'gu');
// A path or a link keeps its folders, so that the operator can find what it names.
const FOLDERS = /^\/(?:(?!%40)[^@])*\/(?=[^/@])/;

/**
 * Replaces everything that looks like an email address, with its angle brackets, by `<address>`.
 * @param text a server's reply or an error message, not truncated: an address that is cut before its @ is not
 *   recognised
 */
export function redactAddresses(text: string): string {
  return text.replace(ADDRESS, (address) => `${FOLDERS.exec(address)?.[0] ?? ''}<address>`);
}
