/** The domain of an address, in lower case; empty without an address. */
export function recipientDomain(email: string | null): string {
  return email === null ? '' : email.slice(email.lastIndexOf('@') + 1).toLowerCase();
}
