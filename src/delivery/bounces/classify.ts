/**
 * Hard or soft: whether a refusal says that nobody can be reached at that address, or that it could not be done this time.
 * A hard one suppresses the address at once, so only what is plain about the address counts; whatever may be the fault of the
 * sender, of the message or of the hour is soft, and is believed after a run of them.
 */

export type BounceSeverity = 'hard' | 'soft';

/** What a server says of a refusal. */
export interface ServerRefusal {
  /** RFC 3463, such as `5.1.1`; null where it gave none. */
  status: string | null;
  /** Its words, or the diagnostic code (RFC 3464 §2.3.6). */
  text: string;
}

/**
 * By subject and detail of the status (RFC 3463 §3; later ones from IANA's registry of enhanced status codes), for class 5. `words`:
 * the code is used for too many things, so the text decides. What is not listed is soft.
 */
const PERMANENT: Record<string, 'hard' | 'words'> = {
  '0.0': 'words', // other or undefined
  '1.0': 'words', // other address status: of the recipient with some servers, of the sender with others
  '1.1': 'hard', // bad destination mailbox
  '1.2': 'hard', // bad destination system: the domain takes no mail
  '1.3': 'hard', // bad syntax of the destination
  '1.6': 'hard', // mailbox has moved, no forwarding
  '1.10': 'hard', // null MX (RFC 7505); Exchange: recipient not found
  '2.0': 'words', // other mailbox status
  '2.1': 'hard', // mailbox disabled, not accepting messages
  // 2.2 mailbox full, 2.3 message too long, 2.4 mailing list expansion: it may take the next one
  // 3.x the receiving system, 5.x the protocol, 6.x the content: not the address
  '4.1': 'words', // no answer from host; Exchange Online: the recipient is not known there
  // 4.4 unable to route, 4.7 delivery time expired: the network's fault
  '7.1': 'words', // not authorised: policy mostly, and "user unknown" with some servers
  // 7.x otherwise: policy, authentication, reputation: the sender's fault
};

const NOBODY = new RegExp(
  [
    '(user|recipient|mailbox|account|address|addressee|alias)(\\s+\\S+)?\\s+(is\\s+)?(unknown|invalid|not (known|found|exist|valid)|does(n.t| not) exist|inactive|disabled|has been disabled|no longer)',
    '(unknown|no such|invalid|nonexistent|non-existent)\\s+(local\\s+)?(user|recipient|mailbox|account|address|addressee|person|alias)',
    "(doesn't|does not) have (an?|any) [\\w.-]+ account",
    'no mailbox (here )?by that name',
    'recipient ?not ?found',
    'not a valid (mailbox|recipient|user)',
    'recipient address rejected: access denied',
  ].join('|'),
  'i',
);

/** A permanent reply code (RFC 5321 §4.2.1). */
const REPLY_5XX = /(?:^|[^\d.])5[0-5]\d(?:[ -]|$)/;

/** Judges a refusal. A status that says nothing (`5.0.0`) gives way to one within the text. */
export function classifyRefusal({ status, text }: ServerRefusal): BounceSeverity {
  const known = tellingStatus(status, text);
  if (known === null) return REPLY_5XX.test(text) && NOBODY.test(text) ? 'hard' : 'soft';
  const [class_, ...detail] = known.split('.');
  if (class_ !== '5') return 'soft';
  const rule = PERMANENT[detail.join('.')];
  if (rule === 'words') return NOBODY.test(text) ? 'hard' : 'soft';
  return rule ?? 'soft';
}

/** The first status within a text, such as `5.1.1` in `550 5.1.1 <ada@example.com> …` or `(#5.1.1)`; null where there is none. */
export function findStatus(text: string): string | null {
  // Not within a version or an IP address: those go on with another dot and digit.
  return /(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)/.exec(text)?.[1] ?? null;
}

function tellingStatus(status: string | null, text: string): string | null {
  if (status !== null && !/^[45]\.0\.0$/.test(status)) return status;
  const within = findStatus(text);
  // Within its class only: a text that tells of an earlier, passing refusal does not make a failure pass.
  return within !== null && (status === null || within[0] === status[0]) ? within : status;
}
