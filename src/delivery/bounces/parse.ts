/**
 * What kind of message came in: a delivery report (RFC 3464), a plain bounce as older servers write it, a complaint (RFC 5965),
 * a machine's reply (RFC 3834), or a letter. Everything in it is a stranger's text.
 */
import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { cleanLine } from '../../lib/clean-text.ts';
import { type BounceSeverity, classifyRefusal, findStatus } from './classify.ts';
import { type FieldGroup, fieldOf, readFieldGroups } from './fields.ts';

export type MailContent =
  | { kind: 'bounce'; verdict: BounceSeverity; status: string | null; detail: string }
  | { kind: 'complaint'; detail: string }
  /** Nothing to act on, and why. */
  | { kind: 'passing'; reason: string }
  /** Written by a person, or on a person's behalf. */
  | { kind: 'letter' }
  /** Not understood: a person should look at it. */
  | { kind: 'unclear'; reason: string };

export interface IncomingMail {
  content: MailContent;
  /** To whom it was delivered, as its own header says. */
  recipients: string;
  /** What it says and brings back of our own message: where tokens may stand. */
  returnedText: string;
}

const LIMITS = { maxNestingDepth: 20, maxHeadersSize: 256 * 1024, attachmentEncoding: 'arraybuffer' } as const;
const MOST_DETAIL = 500;
/** The parser takes up to 30 µs a line, measured: two megabytes of empty ones would take half a minute. */
const MOST_LINES = 20_000;
/** Of a server's words so many are read. */
const MOST_WORDS = 5_000;

/** Reads a message (RFC 5322), with or without the `From ` line that a mail server's pipe puts before it. Never throws. */
export async function parseIncomingMail(raw: Buffer): Promise<IncomingMail> {
  const message = await parseMail(firstLines(withoutFromLine(raw)));
  if (message === null) {
    return { content: { kind: 'unclear', reason: 'it is no well-formed message' }, recipients: '', returnedText: '' };
  }
  const recipients = RECIPIENT_FIELDS.flatMap((name) => headers(message, name)).join('\n');
  const original = await returnedMessage(message);
  const report = part(message, ['message/delivery-status', 'message/global-delivery-status']);
  if (report !== null) {
    const kind = readDeliveryReport(readFieldGroups(report));
    return { content: kind, recipients, returnedText: `${report}\n${headerText(original)}` };
  }
  const feedback = part(message, ['message/feedback-report']);
  if (feedback !== null) {
    // Original-Mail-From (RFC 5965 §3.2) is our return path, where it is not blotted out.
    return {
      content: readFeedback(readFieldGroups(feedback)),
      recipients,
      returnedText: `${feedback}\n${wholeText(original)}`,
    };
  }
  const kind = readPlain(message);
  // A plain bounce has our message's header in its text.
  return {
    content: kind,
    recipients,
    returnedText: kind.kind === 'bounce' ? (message.text ?? '') + headerText(original) : '',
  };
}

// What servers note of the envelope, surest first; To as the last of them.
const RECIPIENT_FIELDS = ['delivered-to', 'x-original-to', 'envelope-to', 'x-envelope-to', 'x-rcpt-to', 'to'];

async function parseMail(raw: Uint8Array): Promise<Email | null> {
  try {
    return await PostalMime.parse(raw, { ...LIMITS, forceRfc822Attachments: true });
  } catch {
    return null;
  }
}

function withoutFromLine(raw: Buffer): Buffer {
  return raw.subarray(0, 5).toString('latin1') === 'From ' ? raw.subarray(raw.indexOf(10) + 1) : raw;
}

function firstLines(raw: Buffer): Buffer {
  let end = -1;
  for (let lines = 0; lines < MOST_LINES; lines++) {
    end = raw.indexOf(10, end + 1);
    if (end < 0) return raw;
  }
  return raw.subarray(0, end + 1);
}

function headers(message: Email, name: string): string[] {
  return message.headers.filter((header) => header.key === name).map((header) => header.value);
}

function part(message: Email, types: string[]): string | null {
  const found = message.attachments.find((one) => types.includes(one.mimeType));
  return found === undefined ? null : textOf(found);
}

// RFC 6522 §3 and RFC 6533 §4 name these as the third part.
const RETURNED = ['message/rfc822', 'text/rfc822-headers', 'message/global', 'message/global-headers'];

async function returnedMessage(message: Email): Promise<Email | null> {
  const found = message.attachments.find((one) => RETURNED.includes(one.mimeType));
  return found === undefined ? null : parseMail(Buffer.from(found.content as ArrayBuffer));
}

function textOf(attachment: Attachment): string {
  return Buffer.from(attachment.content as ArrayBuffer).toString();
}

function headerText(message: Email | null): string {
  return message?.headers.map(({ key, value }) => `${key}: ${value}`).join('\n') ?? '';
}

function wholeText(message: Email | null): string {
  return [headerText(message), message?.text ?? '', message?.html ?? ''].join('\n');
}

/** RFC 3464: one group for the message, then one for each recipient. Ours have one recipient, who may stand for several. */
function readDeliveryReport(groups: FieldGroup[]): MailContent {
  const recipients = groups.filter((group) => group.has('action'));
  if (recipients.length === 0) return { kind: 'unclear', reason: 'its delivery report tells of no recipient' };
  const failed = recipients.filter((group) => actionOf(group) === 'failed');
  if (failed.length === 0) {
    // RFC 3464 §2.3.3: delayed, delivered, relayed, expanded.
    return { kind: 'passing', reason: `the report says "${actionOf(recipients[0] as FieldGroup)}", not "failed"` };
  }
  const refusals = failed.map((group) => {
    const status = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fieldOf(group, 'status') ?? '')?.[0] ?? null;
    // `smtp; 550 5.1.1 …`: the type says whose words they are (RFC 3464 §2.3.6).
    const text = cleanLine((fieldOf(group, 'diagnostic-code') ?? '').slice(0, MOST_WORDS)).replace(
      /^[\w.-]+\s*;\s*/,
      '',
    );
    return {
      status: status ?? findStatus(text),
      detail: text.slice(0, MOST_DETAIL),
      verdict: classifyRefusal({ status, text }),
    };
  });
  // Where one of several could be reached some day, the address is no dead one.
  const telling = refusals.find((one) => one.verdict === 'soft') ?? (refusals[0] as (typeof refusals)[number]);
  return { kind: 'bounce', ...telling };
}

function actionOf(group: FieldGroup): string {
  return /^[a-z]{1,20}/.exec(fieldOf(group, 'action')?.toLowerCase() ?? '')?.[0] ?? '';
}

// RFC 5965 §7.3 and RFC 6591: these are no reader's complaint. A type that is not known counts as one (RFC 5965 §3.1: as `other`).
const NO_COMPLAINT = ['not-spam', 'virus', 'auth-failure', 'dkim'];

function readFeedback(groups: FieldGroup[]): MailContent {
  const type = cleanLine(fieldOf(groups[0] ?? new Map(), 'feedback-type') ?? '')
    .toLowerCase()
    .slice(0, 40);
  if (type === '') return { kind: 'unclear', reason: 'its feedback report has no type' };
  if (NO_COMPLAINT.includes(type)) return { kind: 'passing', reason: `a feedback report of the type ${type}` };
  return { kind: 'complaint', detail: type };
}

const FAILURE_SUBJECT =
  /undeliver|failure notice|returned mail|mail delivery fail|delivery (status notification|failure|has failed)|non remis|unzustellbar|could not be delivered/i;
const DELAY_SUBJECT = /\bdelayed\b|^warning:/i;
const AUTO_SUBJECT =
  /^(automatic reply|auto(matic)?[- ]?(reply|response)|out of (the )?office|abwesenheits|automatische antwort|réponse automatique)/i;

/** A message that is no report by its form. */
function readPlain(message: Email): MailContent {
  const subject = cleanLine(message.subject ?? '');
  const reply = autoReplySign(message, subject);
  const failed = FAILURE_SUBJECT.test(subject) || headers(message, 'x-failed-recipients').length > 0;
  const nobody =
    isFromMailSystem(message) || headers(message, 'return-path').some((path) => /^<\s*>$/.test(path.trim()));
  if (nobody && !failed && reply === null && DELAY_SUBJECT.test(subject)) {
    return { kind: 'passing', reason: 'the message is delayed' };
  }
  if (nobody && (failed || reply === null)) return readPlainBounce(message, failed);
  if (reply !== null) return { kind: 'passing', reason: reply };
  return { kind: 'letter' };
}

function readPlainBounce(message: Email, failed: boolean): MailContent {
  const words = aboveTheCopy(message.text ?? '');
  const status = findStatus(words);
  // A holiday note may come without a return path and without a sign: it is no bounce for that.
  if (!failed && status === null && !/fail|unable|reject|undeliver|unknown|not delivered/i.test(words)) {
    return { kind: 'unclear', reason: 'it has no return path, and tells of no failure' };
  }
  const detail = cleanLine(words);
  const at = Math.max(
    0,
    (status === null ? detail.search(/\b[45]\d\d[ -]/) : detail.indexOf(status)) - MOST_DETAIL / 2,
  );
  return {
    kind: 'bounce',
    // A holiday note again may tell of a version 5.1.1: only what calls itself a bounce is believed at once.
    verdict: failed || isFromMailSystem(message) ? classifyRefusal({ status, text: detail }) : 'soft',
    status,
    detail: detail.slice(at, at + MOST_DETAIL),
  };
}

/** What the server says, without our own message below it, in whose stories any number may stand. */
function aboveTheCopy(text: string): string {
  const lines = text.slice(0, MOST_WORDS).split('\n');
  const copy = lines.findIndex(
    (line) =>
      (line.startsWith('---') && /copy|original|unsent|message|header|below/i.test(line)) ||
      /^(return-path|received|dkim-signature|list-unsubscribe):/i.test(line),
  );
  return lines.slice(0, copy < 0 ? lines.length : copy).join('\n');
}

function isFromMailSystem(message: Email): boolean {
  return /^(mailer-daemon|postmaster)(@|$)/i.test(message.from?.address ?? '');
}

/** Why it is a machine's reply, or null (RFC 3834 §5; the rest is what responders do that came before it). */
function autoReplySign(message: Email, subject: string): string | null {
  const submitted = headers(message, 'auto-submitted').join().toLowerCase();
  // Not `auto-generated`: providers write so on behalf of a reader who pressed "unsubscribe".
  if (/auto-(replied|notified)/.test(submitted)) return 'an automatic reply (Auto-Submitted)';
  const named = ['x-autoreply', 'x-autorespond', 'x-autoresponder', 'x-auto-reply', 'x-auto-reply-from'].find((name) =>
    headers(message, name).some((value) => value.toLowerCase() !== 'no'),
  );
  if (named !== undefined) return `an automatic reply (${named})`;
  if (/auto_reply|bulk|junk/i.test(headers(message, 'precedence').join())) return 'an automatic reply (Precedence)';
  if (/report-type\s*=\s*"?disposition-notification/i.test(headers(message, 'content-type').join())) {
    return 'a receipt of its reading (RFC 8098)';
  }
  return AUTO_SUBJECT.test(subject) ? 'an automatic reply, by its subject' : null;
}
