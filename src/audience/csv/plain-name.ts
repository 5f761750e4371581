/** Header names, as they are compared. */

/** Lower case, letters and digits only: `Email Address`, `email_address` and `E-mail address` are the same name. */
export function plainName(header: string): string {
  return header
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Somebody has left, or must not get mail: English, and the usual words of a few other languages. */
const OPT_OUT = anyOf(
  'unsub|optout|optedout|unconfirm|bounc|complain|abuse|spam|block|blacklist|suppress|banned|delet|remov|cancel|clean',
  'disabl|donot|dontmail|nomail|noemail|unmailable|invalid|undeliver|inactiv|archiv|abmeld|abgemeld|ausgetragen',
  'gesperrt|désabo|desabo|désinscri|desinscri|desuscri|disiscri|uitgeschr|afgemeld',
  'withdr|revok|widerr|^stopped|^quit$|^left(?:at|on)?$',
);
/** Any state of somebody's subscription. */
const STATE = anyOf(
  'status|statut|^state$|^estado$|^stato$|^(is)?active$|^aktiv$|^actif$|^activo$|enabled|mailable|valid$',
);
/** Somebody has agreed to something. */
const CONSENT = anyOf(
  'subscri|optin|optedin|confirm|verif|consent|permission|gdpr|dsgvo|rgpd|marketing|newsletter|mailinglist|agree',
  'accept|allow|einwillig|zustimm|abonn|inscri|iscritt',
  '^(?:wants|receives?|gets?|sends?)(?:e?mails?|news)|e?mailok$',
);
/** A column about a consent which says when, whence or by whom it was given, but not whether. */
const DETAIL = /(?:ip|id|uuid|hash|time|date|(?:ed|in|tion)at|edon|since|source|url|form|name|language|address)$/;

/** Whether a column of that name may say that somebody must not get mail. @param name a plain name */
export function looksLikeConsent(name: string): boolean {
  return OPT_OUT.test(name) || STATE.test(name) || (CONSENT.test(name) && !DETAIL.test(name));
}

function anyOf(...words: string[]): RegExp {
  return new RegExp(words.join('|'));
}
