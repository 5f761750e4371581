/**
 * The records that Amazon SES publishes to Amazon SNS: of event publishing (`eventType`), and of the older
 * notifications of an identity (`notificationType`), which have no tags
 * (https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html).
 */
import { z } from 'zod';
import { classifyRefusal, isComplaint } from '../bounces/classify.ts';
import { findTokens } from '../bounces/record.ts';
import { eventId, fields, type ProviderEvent } from './report-reader.ts';

/** The tag that holds the token, in X-SES-MESSAGE-TAGS. */
const TAG = 'daywire';

const mail = z.object({
  messageId: fields.word,
  /** The sender's address in the envelope. */
  source: fields.word,
  destination: z.array(fields.email).catch([]),
  tags: z.object({ [TAG]: z.tuple([fields.token]).rest(z.unknown()).catch([null]) }).catch({ [TAG]: [null] }),
  headers: z.array(z.object({ name: fields.word, value: fields.token }).catch({ name: '', value: null })).catch([]),
});

const recipient = z
  .object({ emailAddress: fields.email, action: fields.word, status: fields.status, diagnosticCode: fields.detail })
  .catch({ emailAddress: null, action: '', status: null, diagnosticCode: '' });
const recipients = z.array(recipient).catch([]);

const bounce = z.object({
  bounceType: fields.word,
  bounceSubType: fields.word,
  bouncedRecipients: recipients,
  timestamp: fields.isoInstant,
  feedbackId: fields.word,
});
const complaint = z.object({
  complainedRecipients: recipients,
  timestamp: fields.isoInstant,
  feedbackId: fields.word,
  complaintSubType: fields.word,
  complaintFeedbackType: fields.word,
});
const delivery = z.object({
  recipients: z.array(fields.email).catch([]),
  timestamp: fields.isoInstant,
  smtpResponse: fields.detail,
});
const record = z.object({
  eventType: z.string().optional(),
  notificationType: z.string().optional(),
  mail,
  bounce: bounce.optional().catch(undefined),
  complaint: complaint.optional().catch(undefined),
  delivery: delivery.optional().catch(undefined),
  reject: z.object({ reason: fields.detail }).optional().catch(undefined),
});

type SesRecord = z.output<typeof record>;
type SesBounce = z.output<typeof bounce>;
type SesComplaint = z.output<typeof complaint>;

/** Facts of an event about one recipient. */
type SesFinding = Pick<ProviderEvent, 'kind' | 'email' | 'status' | 'detail'>;

/**
 * Reads the message of a notification. Anything but a known record gives no event, such as the text with which SES
 * tries a topic.
 * @param message.sentAt when SNS received it, epoch milliseconds
 * @returns one event for each recipient
 */
export function readSesRecord(message: { text: string; sentAt: number }): ProviderEvent[] {
  let value: unknown;
  try {
    value = JSON.parse(message.text);
  } catch {
    return [];
  }
  const one = record.safeParse(value).data;
  if (one === undefined) return [];
  const { id, at, findings } = read(one, one.eventType ?? one.notificationType ?? '');
  const token = tokenOf(one);
  // SES has its own id for each event: it may publish one to several topics.
  return findings.map((finding) => ({
    ...finding,
    id: eventId(id, one.mail.messageId, finding.kind, finding.email),
    token,
    at: at ?? message.sentAt,
  }));
}

interface SesReading {
  /** Empty if the message has at most one such event. */
  id: string;
  at: number | null;
  findings: SesFinding[];
}

const NOTHING: SesReading = { id: '', at: null, findings: [] };

function read(one: SesRecord, type: string): SesReading {
  switch (type) {
    case 'Bounce':
      return one.bounce === undefined ? NOTHING : readBounce(one.bounce);
    case 'Complaint':
      return one.complaint === undefined ? NOTHING : readComplaint(one.complaint);
    case 'Delivery':
      return one.delivery === undefined ? NOTHING : readDelivery(one.delivery);
    case 'Reject': {
      const detail = `rejected by Amazon SES: ${one.reject?.reason ?? ''}`;
      // SES found a virus, and has not sent it. That is no fault of the address, but the edition must not go on.
      return {
        ...NOTHING,
        findings: one.mail.destination.map((email) => ({ kind: 'soft', email, status: null, detail })),
      };
    }
    default:
      // DeliveryDelay: SES tries again, and reports the end. Others are of its templates and lists, which are not used.
      return NOTHING;
  }
}

function readBounce(bounce: SesBounce): SesReading {
  const findings = bounce.bouncedRecipients.flatMap((one): SesFinding[] => {
    const kind = bounceKind(bounce, one);
    if (kind === null) return [];
    const detail = one.diagnosticCode || `${bounce.bounceType}, ${bounce.bounceSubType}`;
    return [{ kind, email: one.emailAddress, status: one.status, detail }];
  });
  return { id: bounce.feedbackId, at: bounce.timestamp, findings };
}

function bounceKind(
  { bounceType, bounceSubType }: SesBounce,
  { action, status, diagnosticCode }: z.output<typeof recipient>,
): 'hard' | 'soft' | null {
  const isReport = action !== '' || status !== null || diagnosticCode !== '';
  if (bounceType === 'Permanent') {
    // Some general bounces are refusals of the sender or of the message.
    return bounceSubType === 'General' && status !== null ? classifyRefusal({ status, text: diagnosticCode }) : 'hard';
  }
  // Without a delivery report it may be any reply, such as that of a person who is out of office.
  return isReport || !['', 'General', 'Undetermined'].includes(bounceSubType) ? 'soft' : null;
}

function readComplaint(complaint: SesComplaint): SesReading {
  const type = complaint.complaintFeedbackType.toLowerCase();
  if (!isComplaint(type)) return NOTHING;
  const detail = type || complaint.complaintSubType;
  const findings = complaint.complainedRecipients.map(({ emailAddress }): SesFinding => {
    return { kind: 'complaint', email: emailAddress, status: null, detail };
  });
  return { id: complaint.feedbackId, at: complaint.timestamp, findings };
}

function readDelivery({ recipients, timestamp, smtpResponse }: z.output<typeof delivery>): SesReading {
  const findings = recipients.map((email): SesFinding => {
    return { kind: 'delivered', email, status: null, detail: smtpResponse };
  });
  return { ...NOTHING, at: timestamp, findings };
}

/** In the tags, in the original header, or in the return path if SES has kept ours. */
function tokenOf({ mail: { tags, headers, source } }: SesRecord): string | null {
  const header = headers.find(({ name }) => name.toLowerCase() === 'x-ses-message-tags');
  return tags[TAG][0] ?? header?.value ?? findTokens(source)[0] ?? null;
}
