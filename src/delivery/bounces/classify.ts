/**
 * Classifies a refusal as hard (nobody can be reached at that address) or soft. A hard bounce suppresses the address at
 * once, so only statements about the address count. Anything that may be caused by the message or a temporary problem
 * is soft, and suppresses only after several in a row. A soft one that is about the sender never suppresses anybody.
 */

export type BounceSeverity = 'hard' | 'soft';

/** A server's refusal, as a report states it. */
export interface ServerRefusal {
  /** Enhanced status (RFC 3463), such as `5.1.1`; null without one. */
  status: string | null;
  /** The server's reply, or the diagnostic code (RFC 3464 §2.3.6). */
  text: string;
}

/**
 * By subject and detail of a status of class 5 (RFC 3463 §3; later ones from IANA's registry of enhanced status codes).
 * `by-text`: the code is used for too many things, so the text decides. Statuses that are not listed are soft.
 */
const PERMANENT: Record<string, 'hard' | 'by-text'> = {
  '0.0': 'by-text', // other or undefined
  '1.0': 'by-text', // other address status: of the recipient with some servers, of the sender with others
  '1.1': 'hard', // bad destination mailbox
  '1.2': 'hard', // bad destination system: the domain accepts no mail
  '1.3': 'hard', // bad syntax of the destination
  '1.6': 'hard', // mailbox has moved, no forwarding
  '1.10': 'hard', // null MX (RFC 7505); Exchange: recipient not found
  '2.0': 'by-text', // other mailbox status
  '2.1': 'hard', // mailbox disabled, not accepting messages
  // 2.2 mailbox full, 2.3 message too long, 2.4 mailing list expansion: the next message may be accepted
  '5.0': 'by-text', // outlook.com: also for an unknown user
  // 3.x the receiving system, other 5.x the protocol, 6.x the content: not the address
  '4.1': 'by-text', // no answer from host; Exchange Online: the recipient is not known there
  // 4.4 unable to route, 4.7 delivery time expired: caused by the network
  // 7.x policy, authentication, reputation: by text, as some servers have "user unknown" there
};

const UNKNOWN_RECIPIENT = new RegExp(
  [
    [
      '(user|recipient|mailbox|account|address|addressee|alias)(\\s+\\S+)?\\s+(is\\s+)?',
      '(unknown|invalid|not (known|found|exist|valid)|does(n.t| not) exist|',
      'inactive|disabled|has been disabled|no longer)',
    ].join(''),
    [
      '(unknown|no such|invalid|nonexistent|non-existent)\\s+(local\\s+)?',
      '(user|recipient|mailbox|account|address|addressee|person|alias)',
    ].join(''),
    "(doesn't|does not) have (an?|any) [\\w.-]+ account",
    'no mailbox (here )?by that name',
    'recipient ?not ?found',
    'not a valid (mailbox|recipient|user)',
    'recipient address rejected: access denied',
    // outlook.com: "Requested action not taken: mailbox unavailable", for a user that does not exist.
    '\\(S2017062302\\)',
  ].join('|'),
  'i',
);

/** An unknown sender is none. */
function namesUnknownRecipient(text: string): boolean {
  return UNKNOWN_RECIPIENT.test(text) && !/\bsend(er|ing)\b(?!@)/i.test(text);
}

/** A permanent reply code (RFC 5321 §4.2.1). */
const REPLY_5XX = /(?:^|[^\d.])5[0-5]\d(?:[ -]|$)/;

/** Classifies a refusal. A status without meaning (`5.0.0`) yields to a status in the text. */
export function classifyRefusal({ status, text }: ServerRefusal): BounceSeverity {
  const known = meaningfulStatus(status, text);
  if (known === null) return REPLY_5XX.test(text) && namesUnknownRecipient(text) ? 'hard' : 'soft';
  const [class_, ...detail] = known.split('.');
  if (class_ !== '5') return 'soft';
  const rule = detail[0] === '7' ? 'by-text' : PERMANENT[detail.join('.')];
  if (rule === 'by-text') return namesUnknownRecipient(text) ? 'hard' : 'soft';
  return rule ?? 'soft';
}

/** Words about the sender, where the status says nothing about the recipient. */
const SENDER_REFUSED = new RegExp(
  [
    '\\b(block(ed|ing|list(ed)?)?|black-?listed|banned|spam|dnsbl|rbl|reputation|unauthenticated|spf|dkim|dmarc)\\b',
    '\\bsend(er|ing)\\b.*\\b(quota|limit|rate|rejected|refused|denied)\\b',
  ].join('|'),
  'i',
);

/**
 * Whether a refusal is about the sender by its status alone: policy (x.7.x), the system (5.3.x), the sender's address
 * (5.1.7, 5.1.8). Not if the text names an unknown recipient.
 */
export function hasSenderStatus({ status, text }: ServerRefusal): boolean {
  return /^([45]\.7\.|5\.3\.|5\.1\.[78]$)/.test(meaningfulStatus(status, text) ?? '') && !namesUnknownRecipient(text);
}

/** Whether a soft refusal is about the sender, by its status or its words. It says nothing about the recipient. */
export function isAboutSender(refusal: ServerRefusal): boolean {
  const { status, text } = refusal;
  if (hasSenderStatus(refusal)) return true;
  const isOfMailbox = /^\d\.2\./.test(meaningfulStatus(status, text) ?? '');
  return !isOfMailbox && SENDER_REFUSED.test(text) && !namesUnknownRecipient(text);
}

/** The first status in a text, such as `5.1.1` in `550 5.1.1 <ada@example.com> …` or `(#5.1.1)`; null without one. */
export function findStatus(text: string): string | null {
  // Not in a version or an IP address, where another dot and digit follow.
  return /(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)/.exec(text)?.[1] ?? null;
}

function meaningfulStatus(status: string | null, text: string): string | null {
  if (status !== null && !/^[45]\.0\.0$/.test(status)) return status;
  const found = findStatus(text);
  // Only a status of the same class: a text that mentions an earlier, temporary refusal makes no failure temporary.
  return found !== null && (status === null || found[0] === status[0]) ? found : status;
}

// RFC 5965 §7.3 and RFC 6591.
const NO_COMPLAINT = ['not-spam', 'virus', 'auth-failure', 'dkim'];

/**
 * Whether a feedback report is a complaint. Unknown types are (RFC 5965 §3.1: as `other`).
 * @param type the Feedback-Type in lower case
 */
export function isComplaint(type: string): boolean {
  return !NO_COMPLAINT.includes(type);
}
