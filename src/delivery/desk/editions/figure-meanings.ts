/**
 * What the figures of an edition mean: a line for each, shown beside it. Pure. No figure says more than is known: a
 * message that a server accepted is submitted, and not delivered, and nobody knows who has read it.
 */

export const MEANINGS = {
  queued: 'Subscribers for whom a message was queued when this revision closed.',
  pending: 'Messages that wait to be submitted.',
  submitting: 'Messages that are being submitted, or whose submission was interrupted.',
  submitted: 'Messages that your mail server accepted. Whether they reached an inbox is not known.',
  delivered: 'Messages that a mailbox accepted, as your mail provider reports.',
  undelivered: 'Nobody reports whether messages reach mailboxes: no mail provider is set in delivery.provider.',
  unreported: 'Your mail provider has not reported any message as delivered yet.',
  failed: 'Messages that the server refused, or that could not be submitted in time.',
  suppressed: 'Messages that were not sent after all: the subscriber had left or paused, or the edition was cancelled.',
  hardBounces: 'Addresses that do not exist or refuse mail for good, each counted once.',
  softBounces: 'Recipients whose mailbox could not take the message, for example because it was full.',
  complaints: 'Recipients who marked the message as spam, as far as mailbox providers report it.',
  left:
    'People who left the newsletter after this edition closed and before the next one did. ' +
    'Links in mails do not tell which edition made them leave.',
  visits:
    'How often a browser opened the page of this edition. Scanners of mail that pretend to be browsers count, ' +
    'too. No cookie and no address is kept.',
  readers:
    'Subscribers of all feeds of this site, as feed services reported in the last seven days: not of this edition.',
} as const;
