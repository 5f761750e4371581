/**
 * Addresses as operators see them. Pure.
 */

/**
 * The first character of the name, and the whole domain: `j…@example.com`. Enough to see which server refuses whom,
 * and not enough to write to a person. An address in a message to its owner hides its domain, too: `maskedAddress`.
 * @param email as stored; of text without an @, nothing is shown but an ellipsis
 */
export function maskAddress(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 0) return '…';
  const [first = ''] = email.slice(0, at);
  return `${first}…${email.slice(at)}`;
}
