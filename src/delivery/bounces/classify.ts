/**
 * Classifies a refusal as hard (nobody can be reached at that address) or soft. A hard bounce suppresses the address at
 * once, so only statements about the address count. Anything that may be caused by the sender, the message or a
 * temporary problem is soft, and suppresses only after several in a row.
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
  '7.1': 'by-text', // not authorised: mostly policy, and "user unknown" with some servers
  // other 7.x: policy, authentication, reputation: caused by the sender
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

/** A permanent reply code (RFC 5321 §4.2.1). */
const REPLY_5XX = /(?:^|[^\d.])5[0-5]\d(?:[ -]|$)/;

/** Classifies a refusal. A status without meaning (`5.0.0`) yields to a status in the text. */
export function classifyRefusal({ status, text }: ServerRefusal): BounceSeverity {
  const known = meaningfulStatus(status, text);
  if (known === null) return REPLY_5XX.test(text) && UNKNOWN_RECIPIENT.test(text) ? 'hard' : 'soft';
  const [class_, ...detail] = known.split('.');
  if (class_ !== '5') return 'soft';
  const rule = PERMANENT[detail.join('.')];
  if (rule === 'by-text') return UNKNOWN_RECIPIENT.test(text) ? 'hard' : 'soft';
  return rule ?? 'soft';
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
