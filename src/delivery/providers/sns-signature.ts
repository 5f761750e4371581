/**
 * The signatures of Amazon SNS, which carries the events of Amazon SES.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
import { verify, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { parseJsonBody } from './report-reader.ts';

/** SNS allows 256 KB for a message. */
const text = z.string().max(300_000);
const short = z.string().max(4_000);

const envelope = {
  MessageId: z.string().min(1).max(100),
  TopicArn: z.string().min(1).max(300),
  Message: text,
  /** RFC 3339, such as 2026-11-24T07:30:00.000Z. */
  Timestamp: z.string().max(40),
  SignatureVersion: z.string().max(10),
  Signature: short,
  SigningCertURL: short,
};

const snsMessage = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), ...envelope, Subject: short.nullish() }),
  z.object({
    Type: z.enum(['SubscriptionConfirmation', 'UnsubscribeConfirmation']),
    ...envelope,
    SubscribeURL: short,
    Token: short,
  }),
]);

/** The body of a request of Amazon SNS. Nothing of it is true before its signature is verified. */
export type SnsMessage = z.output<typeof snsMessage>;

/** @returns null if it has another form */
export function parseSnsMessage(body: Uint8Array): SnsMessage | null {
  return snsMessage.safeParse(parseJsonBody(body)).data ?? null;
}

/** The bytes that the signature covers: pairs of name and value, each on a line of its own, ordered by name. */
export function stringToSign(message: SnsMessage): string {
  const { Message, MessageId, Timestamp, TopicArn, Type } = message;
  const pairs =
    message.Type === 'Notification'
      ? { Message, MessageId, ...(message.Subject == null ? {} : { Subject: message.Subject }), Timestamp }
      : { Message, MessageId, SubscribeURL: message.SubscribeURL, Timestamp, Token: message.Token };
  return Object.entries({ ...pairs, TopicArn, Type })
    .map(([name, value]) => `${name}\n${value}\n`)
    .join('');
}

const HASHES: Record<string, string> = { '1': 'sha1', '2': 'sha256' };

/** @param certificate as `readSigningCertificate` returns it */
export function isSignedBy(message: SnsMessage, certificate: X509Certificate): boolean {
  const hash = Object.hasOwn(HASHES, message.SignatureVersion) ? HASHES[message.SignatureVersion] : undefined;
  if (hash === undefined) return false;
  return verify(
    hash,
    Buffer.from(stringToSign(message)),
    certificate.publicKey,
    Buffer.from(message.Signature, 'base64'),
  );
}

/**
 * The host of SNS in the region of a topic, such as `sns.eu-west-1.amazonaws.com`. It comes from the configured topic,
 * not from the request: names such as `sns.s3.amazonaws.com` can belong to anybody: to the owner of a bucket `sns`.
 * @returns null if it is no ARN of a topic
 */
export function snsHost(topicArn: string): string | null {
  const [, partition, region] =
    /^arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-\d+):\d{12}:\S+$/.exec(topicArn) ?? [];
  if (region === undefined) return null;
  return `sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}

/**
 * Checks the address of a signing certificate before it is requested: anyone can send a request that names one.
 * @param host as `snsHost` returns it
 * @returns why it is refused, or null
 */
export function whyForeignCertificate(address: string, host: string): string | null {
  const url = snsUrl(address, host);
  if (url === null) return `SigningCertURL is not an https address of ${host}, so it may be forged`;
  if (!/^\/SimpleNotificationService-[0-9A-Za-z]{1,100}\.pem$/.test(url.pathname) || url.search !== '') {
    return 'SigningCertURL is not the address of a certificate of Amazon SNS, so it may be forged';
  }
  return null;
}

/**
 * Checks the address that confirms a subscription, before it is requested.
 * @returns why it is refused, or null
 */
export function whyForeignConfirmation(
  address: string,
  { host, topic }: { host: string; topic: string },
): string | null {
  const url = snsUrl(address, host);
  if (url === null || url.pathname !== '/') return `SubscribeURL is not an https address of ${host}`;
  const isConfirmation = url.searchParams.get('Action') === 'ConfirmSubscription';
  if (!isConfirmation || url.searchParams.get('TopicArn') !== topic) {
    return 'SubscribeURL does not confirm the subscription of that topic';
  }
  return null;
}

function snsUrl(address: string, host: string): URL | null {
  // Compared as written: other spellings of the same address are refused, even if the parser accepts them.
  if (!address.startsWith(`https://${host}/`) || !URL.canParse(address)) return null;
  const url = new URL(address);
  return url.host === host && url.username === '' && url.password === '' && url.hash === '' ? url : null;
}

const MIN_MODULUS_LENGTH = 2_048;

/**
 * Reads a certificate that was received from the host of SNS, by TLS.
 * @param pem with the certificate first
 * @param host as `snsHost` returns it
 * @returns why it is refused, in words
 */
export function readSigningCertificate(pem: string, host: string, now: number): X509Certificate | string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return 'the signing certificate of Amazon SNS is not in PEM';
  }
  const { validFromDate, validToDate, publicKey } = certificate;
  if (now < validFromDate.getTime()) return 'the signing certificate of Amazon SNS is not valid yet';
  if (now > validToDate.getTime()) return 'the signing certificate of Amazon SNS has expired';
  if (!isForSns(certificate, host)) return 'the certificate is not one of Amazon SNS in the region of the topic';
  const { asymmetricKeyType, asymmetricKeyDetails } = publicKey;
  if (asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) < MIN_MODULUS_LENGTH) {
    return `the signing certificate of Amazon SNS has no RSA key of at least ${MIN_MODULUS_LENGTH} bits`;
  }
  return certificate;
}

/**
 * By region, certificates are issued to `sns.amazonaws.com`, `sns-signing.af-south-1.amazonaws.com`,
 * `sns-cn-north-1.amazonaws.com.cn` or, for both regions of GovCloud, `sns-us-gov-west-1.amazonaws.com`.
 */
function isForSns(certificate: X509Certificate, host: string): boolean {
  const [, region, domain] = /^sns\.([^.]+)\.(.+)$/.exec(host) as unknown as [string, string, string];
  const issuedTo = region.startsWith('us-gov-') ? 'us-gov-west-1' : region;
  const names = [host, `sns.${domain}`, `sns-signing.${region}.${domain}`, `sns-${issuedTo}.${domain}`];
  const [, commonName] = /^CN=(.*)$/m.exec(certificate.subject) ?? [];
  const alternatives = (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^DNS:/, ''));
  return [commonName ?? '', ...alternatives].some((name) => names.includes(name));
}
