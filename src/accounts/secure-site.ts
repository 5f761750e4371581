/** Whether browsers keep the cookie of a session. It is a secure one, so that nobody reads it on the way. */

/** RFC 6761 §6.3, and the loopback addresses: browsers treat these hosts as https. */
const LOOPBACK = /^(?:(?:[^.]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** @param publicUrl `publication.url` */
export function keepsSessions(publicUrl: string): boolean {
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === 'https:' || LOOPBACK.test(hostname);
}

/** Says to an operator why nobody can sign in, and what would be right. */
export function insecureSiteMessage(publicUrl: string): string {
  return (
    `publication.url is ${publicUrl}: nobody can sign in to the desk, because browsers keep its cookie only with ` +
    'https or on this machine; serve the site with https'
  );
}
