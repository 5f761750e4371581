/**
 * Recognises an incoming message: a delivery report (RFC 3464), a bounce in plain text as older servers write it, a
 * complaint (RFC 5965), an automatic reply (RFC 3834), or a message from a person. All of its content is untrusted.
 */
import PostalMime, { type Email } from 'postal-mime';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { type BounceSeverity, classifyRefusal, findStatus, isComplaint } from './classify.ts';

export type MailContent =
  | { kind: 'bounce'; severity: BounceSeverity; status: string | null; detail: string }
  | { kind: 'complaint'; detail: string }
  /** Nothing to act on, and why. */
  | { kind: 'no-action'; reason: string }
  /** Written by a person, or by a provider on a person's behalf. */
  | { kind: 'personal' }
  /** Not recognised: an operator should read it. */
  | { kind: 'unclear'; reason: string };

export interface IncomingMail {
  content: MailContent;
  /** The addresses it was delivered to, according to its own header. */
  recipients: string;
  /** The parts that quote our message, where tokens can be found. */
  quoted: string;
}

const PARSER_LIMITS = { maxNestingDepth: 20, maxHeadersSize: 256 * 1024, attachmentEncoding: 'arraybuffer' } as const;
const MAX_DETAIL_LENGTH = 500;
/** The parser takes up to 30 µs a line, measured: two megabytes of empty lines would take half a minute. */
const MAX_LINES = 20_000;
/** Characters of a server's text that are searched. */
const MAX_TEXT_LENGTH = 5_000;

/** Parses a message (RFC 5322), with or without the `From ` line that a mail server's pipe prepends. Never throws. */
export async function parseIncomingMail(raw: Buffer): Promise<IncomingMail> {
  const message = await parseMail(firstLines(withoutFromLine(raw)));
  if (message === null) {
    return { content: { kind: 'unclear', reason: 'the message is not well-formed' }, recipients: '', quoted: '' };
  }
  const recipients = RECIPIENT_FIELDS.flatMap((name) => headers(message, name)).join('\n');
  const original = await returnedMessage(message);
  const report = part(message, ['message/delivery-status', 'message/global-delivery-status']);
  if (report !== null) {
    const content = readDeliveryReport(readFieldGroups(report));
    return { content, recipients, quoted: `${report}\n${headerText(original)}` };
  }
  const feedback = part(message, ['message/feedback-report']);
  if (feedback !== null) {
    // Original-Mail-From (RFC 5965 §3.2) is our return path, unless it is redacted.
    const content = readFeedback(readFieldGroups(feedback));
    return { content, recipients, quoted: `${feedback}\n${wholeText(original)}` };
  }
  if (original !== null && looksLikeComplaint(message)) {
    const content = { kind: 'complaint', detail: 'a report that only encloses the message' } as const;
    return { content, recipients, quoted: wholeText(original) };
  }
  const content = readPlain(message);
  // A bounce in plain text quotes our message's header in its text.
  return { content, recipients, quoted: content.kind === 'bounce' ? (message.text ?? '') + headerText(original) : '' };
}

// Fields in which servers record the envelope, most reliable first; To comes last.
const RECIPIENT_FIELDS = ['delivered-to', 'x-original-to', 'envelope-to', 'x-envelope-to', 'x-rcpt-to', 'to'];

async function parseMail(raw: Uint8Array): Promise<Email | null> {
  try {
    return await PostalMime.parse(raw, { ...PARSER_LIMITS, forceRfc822Attachments: true });
  } catch {
    return null;
  }
}

function withoutFromLine(raw: Buffer): Buffer {
  return raw.subarray(0, 5).toString('latin1') === 'From ' ? raw.subarray(raw.indexOf(10) + 1) : raw;
}

function firstLines(raw: Buffer): Buffer {
  let end = -1;
  for (let lines = 0; lines < MAX_LINES; lines++) {
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
  return found === undefined ? null : Buffer.from(found.content as ArrayBuffer).toString();
}

// The third part of a report, by RFC 6522 §3 and RFC 6533 §4.
const RETURNED = ['message/rfc822', 'text/rfc822-headers', 'message/global', 'message/global-headers'];

async function returnedMessage(message: Email): Promise<Email | null> {
  const found = message.attachments.find((one) => RETURNED.includes(one.mimeType));
  return found === undefined ? null : parseMail(Buffer.from(found.content as ArrayBuffer));
}

function headerText(message: Email | null): string {
  return message?.headers.map(({ key, value }) => `${key}: ${value}`).join('\n') ?? '';
}

function wholeText(message: Email | null): string {
  return [headerText(message), message?.text ?? '', message?.html ?? ''].join('\n');
}

/** Fields by lower-case name, each with its values in order, unfolded. */
type FieldGroup = ReadonlyMap<string, readonly string[]>;

/**
 * Reads groups of `Name: value` lines, separated by empty lines and continued by lines that begin with white space.
 * Delivery reports (RFC 3464 §2.1) and feedback reports (RFC 5965 §3) have this form. Other lines are ignored.
 */
function readFieldGroups(text: string): FieldGroup[] {
  const groups: Map<string, string[]>[] = [];
  let group = new Map<string, string[]>();
  let values: string[] | null = null;
  const close = (): void => {
    if (group.size > 0) groups.push(group);
    group = new Map();
    values = null;
  };
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.trim() === '') {
      close();
      continue;
    }
    if (/^[ \t]/.test(line)) {
      if (values !== null) values[values.length - 1] += ` ${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) {
      values = null;
      continue;
    }
    values = group.get(name) ?? [];
    values.push(line.slice(colon + 1).trim());
    group.set(name, values);
  }
  close();
  return groups;
}

/** The first value of a field, or null. */
function fieldOf(fields: FieldGroup | undefined, name: string): string | null {
  return fields?.get(name)?.[0] ?? null;
}

/** RFC 3464: one group for the message, then one for each recipient. Ours have one recipient, who may be an alias. */
function readDeliveryReport(groups: FieldGroup[]): MailContent {
  const recipients = groups.filter((group) => group.has('action'));
  if (recipients.length === 0) return { kind: 'unclear', reason: 'the delivery report names no recipient' };
  const failed = recipients.filter((group) => actionOf(group) === 'failed');
  if (failed.length === 0) {
    // RFC 3464 §2.3.3: delayed, delivered, relayed, expanded.
    return { kind: 'no-action', reason: `the report says "${actionOf(recipients[0])}", not "failed"` };
  }
  const refusals = failed.map(readRefusal);
  // An alias of which one address may be reachable later is not a dead address.
  const decisive = refusals.find(({ severity }) => severity === 'soft') ?? (refusals[0] as (typeof refusals)[number]);
  return { kind: 'bounce', ...decisive };
}

function readRefusal(group: FieldGroup): { severity: BounceSeverity; status: string | null; detail: string } {
  const status = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fieldOf(group, 'status') ?? '')?.[0] ?? null;
  const diagnostic = cleanLine((fieldOf(group, 'diagnostic-code') ?? '').slice(0, MAX_TEXT_LENGTH));
  // `smtp; 550 5.1.1 …`: the prefix names the type of diagnostic (RFC 3464 §2.3.6).
  const text = diagnostic.replace(/^[\w.-]+\s*;\s*/, '');
  return {
    severity: classifyRefusal({ status, text }),
    status: status ?? findStatus(text),
    detail: text.slice(0, MAX_DETAIL_LENGTH),
  };
}

function actionOf(group: FieldGroup | undefined): string {
  return /^[a-z]{1,20}/.exec(fieldOf(group, 'action')?.toLowerCase() ?? '')?.[0] ?? '';
}

function readFeedback(groups: FieldGroup[]): MailContent {
  const type = cleanLine(fieldOf(groups[0], 'feedback-type') ?? '')
    .toLowerCase()
    .slice(0, 40);
  if (type === '') return { kind: 'unclear', reason: 'the feedback report has no type' };
  if (!isComplaint(type)) return { kind: 'no-action', reason: `a feedback report of type ${type}` };
  return { kind: 'complaint', detail: type };
}

/**
 * Whether a message that encloses another one reports it as spam, although it has no report for programs (RFC 5965
 * §2d), as with some feedback loops. A person who forwards a message complains about nothing.
 */
function looksLikeComplaint(message: Email): boolean {
  const subject = cleanLine(message.subject ?? '');
  if (FAILURE_SUBJECT.test(subject) || isFromMailSystem(message) || autoReplySign(message, subject) !== null)
    return false;
  return (
    /report-type\s*=\s*"?feedback-report/i.test(headers(message, 'content-type').join()) ||
    /^(complaint|abuse report|spam report|email abuse|feedback loop)\b/i.test(subject) ||
    /^(fbl|feedback|feedback-?loop|complaints?|abuse|staff)@/i.test(message.from?.address ?? '')
  );
}

const FAILURE_SUBJECT = new RegExp(
  [
    'undeliver|failure notice|returned mail|mail delivery fail|could not be delivered|non remis|unzustellbar',
    'delivery (status notification|failure|has failed)',
  ].join('|'),
  'i',
);
const DELAY_SUBJECT = /\bdelayed\b|^warning:/i;
const AUTO_SUBJECT = new RegExp(
  [
    '^(automatic reply|auto(matic)?[- ]?(reply|response)|out of (the )?office',
    'abwesenheits|automatische antwort|réponse automatique)',
  ].join('|'),
  'i',
);

/** Recognises a message that is not formatted as a report. */
function readPlain(message: Email): MailContent {
  const subject = cleanLine(message.subject ?? '');
  const reply = autoReplySign(message, subject);
  const failed = FAILURE_SUBJECT.test(subject) || headers(message, 'x-failed-recipients').length > 0;
  const hasNoSender =
    isFromMailSystem(message) || headers(message, 'return-path').some((path) => /^<\s*>$/.test(path.trim()));
  if (hasNoSender && !failed && reply === null && DELAY_SUBJECT.test(subject)) {
    return { kind: 'no-action', reason: 'the message is delayed' };
  }
  if (hasNoSender && (failed || reply === null)) return readPlainBounce(message, failed);
  if (reply !== null) return { kind: 'no-action', reason: reply };
  return { kind: 'personal' };
}

function readPlainBounce(message: Email, failed: boolean): MailContent {
  const text = textAboveCopy(message.text ?? '');
  const status = findStatus(text);
  // An out-of-office reply may have neither a return path nor a sign of being automatic.
  if (!failed && status === null && !/fail|unable|reject|undeliver|unknown|not delivered/i.test(text)) {
    return { kind: 'unclear', reason: 'it has no return path and reports no failure' };
  }
  const detail = cleanLine(text);
  const at = status === null ? detail.search(/\b[45]\d\d[ -]/) : detail.indexOf(status);
  const start = Math.max(0, at - MAX_DETAIL_LENGTH / 2);
  return {
    kind: 'bounce',
    // Such a reply may mention a version 5.1.1, so only a message that is a bounce by its form can be hard.
    severity: failed || isFromMailSystem(message) ? classifyRefusal({ status, text: detail }) : 'soft',
    status,
    detail: detail.slice(start, start + MAX_DETAIL_LENGTH),
  };
}

/** The server's text without the copy of our message below it, whose stories may contain any number. */
function textAboveCopy(text: string): string {
  const lines = text.slice(0, MAX_TEXT_LENGTH).split('\n');
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

const AUTO_REPLY_FIELDS = ['x-autoreply', 'x-autorespond', 'x-autoresponder', 'x-auto-reply', 'x-auto-reply-from'];

/** Why a message is an automatic reply, or null (RFC 3834 §5; the other signs are those of older responders). */
function autoReplySign(message: Email, subject: string): string | null {
  const submitted = headers(message, 'auto-submitted').join().toLowerCase();
  // Not `auto-generated`: providers set it on mail on behalf of a subscriber who pressed "unsubscribe".
  if (/auto-(replied|notified)/.test(submitted)) return 'an automatic reply (Auto-Submitted)';
  const field = AUTO_REPLY_FIELDS.find((name) => headers(message, name).some((value) => value.toLowerCase() !== 'no'));
  if (field !== undefined) return `an automatic reply (${field})`;
  if (/auto_reply|bulk|junk/i.test(headers(message, 'precedence').join())) return 'an automatic reply (Precedence)';
  if (/report-type\s*=\s*"?disposition-notification/i.test(headers(message, 'content-type').join())) {
    return 'a read receipt (RFC 8098)';
  }
  return AUTO_SUBJECT.test(subject) ? 'an automatic reply, by its subject' : null;
}
