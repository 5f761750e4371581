/**
 * Which passwords an account may have: long ones (NIST SP 800-63B §5.1.1). Nothing demands digits or signs, which
 * people add in ways that are easy to guess.
 */

export const PASSWORD_LENGTH = { min: 12, max: 200 };

/** What is known of the account, and must not be its password. */
export interface PasswordOwner {
  email: string;
  name: string;
  /** Of the publication. */
  publication: string;
}

/** @returns what would be right, to be shown beneath the field; null if the password is acceptable */
export function passwordProblem(password: string, owner: PasswordOwner): string | null {
  const { min, max } = PASSWORD_LENGTH;
  if (isTooLong(password)) return `Use at most ${max} characters.`;
  const characters = [...normalisePassword(password)];
  if (characters.length < min) return `Use at least ${min} characters. Several words are easy to remember.`;
  if (characters.length > max) return `Use at most ${max} characters.`;
  const plain = plainForm(password);
  if (plain === plainForm(owner.email)) return 'Use something other than the email address.';
  if (plain === plainForm(owner.name)) return 'Use something other than the name.';
  if (plain === plainForm(owner.publication)) return 'Use something other than the name of the publication.';
  if (new Set(characters).size < 4) return 'Use at least 4 different characters.';
  return null;
}

/** Whether a text is longer than any password, before it is normalised. */
export function isTooLong(password: string): boolean {
  return password.length > 2 * PASSWORD_LENGTH.max;
}

/**
 * Equal for all encodings of the same typed text, which keyboards of different systems send differently.
 * @param password not too long: ordering combining characters takes quadratic time, two seconds for 20,000 of them
 */
export function normalisePassword(password: string): string {
  return password.toWellFormed().normalize('NFKC');
}

/** Letters and digits in lower case. */
function plainForm(text: string): string {
  return normalisePassword(text)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
