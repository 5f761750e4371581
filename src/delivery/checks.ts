/**
 * Pre-flight checks of how mail leaves, and how bounces return: DKIM keys, the mail provider's reports and limits, the
 * logins to the SMTP server and the mailbox, and the records of the sending domain.
 */
import { alertText } from '../core/alerts/alerts.ts';
import type { Config } from '../core/config/config.ts';
import type { MailProvider } from '../core/config/schema.ts';
import { type Finding, firstLine, ok, problem, warning } from '../core/finding.ts';
import type { Signer } from '../core/keys.ts';
import type { Store } from '../core/store/store.ts';
import { wireAddress } from '../lib/address.ts';
import { DAY } from '../lib/time.ts';
import { verifyMailbox } from './bounces/mailbox.ts';
import { loadSigners, signersOf } from './message/dkim.ts';
import { findUnconfigured, unconfiguredAlert } from './monitor/waiting-alerts.ts';
import { readLastProviderEvent } from './providers/last-event.ts';
import { presetOf } from './providers/presets.ts';
import { readVerificationKey } from './providers/sendgrid.ts';
import { judgeSetup } from './sending-domain/judge-setup.ts';
import type { OpenSendingProbes } from './sending-domain/probes.ts';
import { sendingSetup } from './sending-domain/sending-setup.ts';
import { openTransport } from './transport/open-transport.ts';

export async function checkNewsletters(store: Store, config: Config): Promise<Finding[]> {
  return (await findUnconfigured({ store, config })).map((one) =>
    warning(`newsletters: ${alertText(unconfiguredAlert(one))}`),
  );
}

export function checkSigning(config: Config): Finding[] {
  let signers: Signer[];
  try {
    signers = loadSigners(config);
  } catch (error) {
    return [problem(`delivery.dkim: ${firstLine(error)}`)];
  }
  if (config.delivery.transport === 'file') return [];
  return config.newsletters.map(({ id, from }) => {
    const domain = wireAddress(from.email).replace(/^.*@/, '').toLowerCase();
    const names = signersOf(signers, domain).map((one) => `${one.selector}._domainkey.${one.domain}`);
    return names.length > 0
      ? ok(`newsletters ${id}: mail from ${domain} is signed by ${names.join(' and ')}, which must be in the DNS`)
      : warning(
          `newsletters ${id}: no key of delivery.dkim signs mail from ${domain}: unless your mail server signs it, ` +
            'large mailbox providers reject it and ignore its one-click unsubscribe',
        );
  });
}

const SECRET_NEEDED: Partial<Record<MailProvider, string>> = {
  postmark: "user:password, as in the webhook's URL",
  mailgun: 'the HTTP webhook signing key',
  sendgrid: 'the verification key of the event webhook',
  brevo: "user:password, as in the webhook's URL",
};

/** Checks that reports can be verified: without them, invalid addresses and complaints stay unknown. */
export function checkMailProvider({ delivery: { provider }, secrets, publication }: Config): Finding[] {
  if (provider === 'none') return [];
  const wanted = SECRET_NEEDED[provider];
  const { providerSecret: secret } = secrets;
  if (wanted !== undefined && secret === undefined) {
    return [
      problem(
        `delivery.provider is ${provider}, but DAYWIRE_PROVIDER_SECRET is not set: its reports of bounces and ` +
          `complaints cannot be verified, and are refused. Set it to ${wanted}`,
      ),
    ];
  }
  if (secret !== undefined && !isPlausible(provider, secret)) {
    return [problem(`DAYWIRE_PROVIDER_SECRET must be ${wanted}, since delivery.provider is ${provider}`)];
  }
  return [ok(`delivery: ${provider} reports to ${publication.url}/webhooks/${provider}`)];
}

function isPlausible(provider: MailProvider, secret: string): boolean {
  if (provider === 'sendgrid') return readVerificationKey(secret) !== null;
  return provider === 'postmark' ? secret.includes(':') : true;
}

/** Warns if nothing was ever reported, although messages were submitted more than a day ago. */
export async function checkProviderReports(
  { db }: Pick<Store, 'db'>,
  { delivery: { provider }, publication }: Pick<Config, 'delivery' | 'publication'>,
  now: number,
): Promise<Finding[]> {
  if (provider === 'none' || (await readLastProviderEvent(db, provider)) !== null) return [];
  const submitted = await db
    .selectFrom('editions')
    .innerJoin('delivery_counts', 'delivery_counts.edition_id', 'editions.id')
    .select('editions.id')
    .where('delivery_counts.state', '=', 'submitted')
    .where('delivery_counts.entered', '>', 0)
    .where('editions.closed_at', '<', now - DAY)
    .limit(1)
    .executeTakeFirst();
  if (submitted === undefined) return [];
  return [
    warning(
      `delivery.provider: nothing was ever reported by ${provider}, although messages were submitted more than a day ` +
        `ago: set up its webhook ${publication.url}/webhooks/${provider}, see docs/operating/mail-providers.md`,
    ),
  ];
}

/** Compares the limits of delivery with those that the mail provider documents. */
export function checkSendingLimits({ delivery }: Pick<Config, 'delivery'>): Finding[] {
  const preset = presetOf(delivery);
  if (preset === null) return [];
  const { perSecond, perDay, connections, dkim } = delivery;
  const { name, messageBytes, messagesPerConnection, quotas } = preset;
  const documented = [
    ...(messageBytes === null ? [] : [`${messageBytes / 1_000_000} MB a message`]),
    ...(preset.connections === null ? [] : [`${preset.connections} connections`]),
    ...(messagesPerConnection === null ? [] : [`${messagesPerConnection} messages a connection`]),
  ];
  const configured = [
    `${connections} connections of each process`,
    ...(perSecond === undefined ? [] : [`${perSecond} messages a second`]),
    ...(perDay === undefined ? [] : [`${perDay} messages in 24 hours`]),
  ];
  const findings = [
    ok(`delivery: ${configured.join(', ')}; ${name} documents: ${documented.join(', ') || 'no limits'}`),
  ];
  if (preset.connections !== null && connections > preset.connections) {
    findings.push(
      warning(
        `delivery.connections is ${connections}: ${name} asks for at most ${preset.connections} from one address`,
      ),
    );
  }
  const missing = [
    ...(perSecond === undefined ? ['delivery.perSecond'] : []),
    ...(perDay === undefined ? ['delivery.perDay'] : []),
  ];
  if (quotas !== null && missing.length > 0) {
    findings.push(
      warning(
        `${missing.join(' and ')}: not set, although ${name} refuses what exceeds the quotas of your account ` +
          `(${quotas}). Set ${missing.length > 1 ? 'them' : 'it'} to your quota`,
      ),
    );
  }
  if (delivery.provider === 'postmark' && dkim.length > 0) {
    findings.push(
      warning(
        'delivery.dkim is not used: Postmark rebuilds each message, which breaks a signature of ours. It signs ' +
          'for your domain with its own key',
      ),
    );
  }
  return findings;
}

export async function checkBounces({ bounces, secrets, delivery, newsletters }: Config): Promise<Finding[]> {
  if (delivery.transport === 'file' || newsletters.length === 0) return [];
  const { address } = bounces;
  if (address === undefined) {
    // Its reports do not need our return path.
    if (delivery.provider !== 'none') return [];
    return [
      warning('bounces.address is not set: bounces go to the sender, and invalid addresses are never suppressed'),
    ];
  }
  const { imapUrl, webhookSecret } = secrets;
  if (imapUrl === undefined) {
    const condition = webhookSecret === undefined ? ', if your mail server pipes its mail into "daywire bounce"' : '';
    return [ok(`bounces: ${address}${condition}`)];
  }
  try {
    await verifyMailbox(imapUrl);
    return [ok(`bounces: ${address}, and its mailbox can be read`)];
  } catch (error) {
    return [problem(`bounces: ${firstLine(error)}`)];
  }
}

export async function checkTransport(config: Config): Promise<Finding[]> {
  if (config.newsletters.length === 0) return [];
  try {
    await openTransport(config).verify();
    const { transport } = config.delivery;
    return [
      ok(
        transport === 'file'
          ? 'delivery: messages are written to files'
          : 'delivery: the SMTP server accepts the login',
      ),
    ];
  } catch (error) {
    return [problem(`delivery: ${firstLine(error)}`)];
  }
}

/** daywire works whatever the DNS says, so nothing is a problem. What other checks report is left out. */
const CHECKED_ELSEWHERE = ['one-click'];

/** @param now epoch milliseconds */
export async function checkSendingDomain(config: Config, open: OpenSendingProbes, now: number): Promise<Finding[]> {
  if (config.delivery.transport !== 'smtp' || config.newsletters.length === 0) return [];
  let signers: Signer[];
  try {
    signers = loadSigners(config);
  } catch {
    // The check of the keys has reported it.
    return [];
  }
  const { judgements: all } = await judgeSetup(sendingSetup(config, signers), open(), now);
  const judgements = all.filter(({ id }) => !CHECKED_ELSEWHERE.includes(id));
  const failed = judgements.filter(({ verdict }) => verdict === 'fail');
  const findings = failed.map(({ id, message }) => warning(`sending domain: ${id}: ${message}`));
  const passed = judgements.filter(({ verdict }) => verdict === 'pass');
  const unknown = judgements.filter(({ verdict }) => verdict === 'unknown');
  if (passed.length > 0) findings.push(ok(`sending domain: right: ${namesOf(passed)}`));
  if (unknown.length > 0) {
    findings.push(ok(`sending domain: not known: ${namesOf(unknown)}; "daywire domain" says why`));
  }
  if (failed.length > 0) findings.push(ok('sending domain: "daywire domain" prints the records that are missing'));
  return findings;
}

/** `spf, dkim (2)`. */
function namesOf(judgements: readonly { id: string }[]): string {
  return [...Map.groupBy(judgements, ({ id }) => id)]
    .map(([id, those]) => (those.length > 1 ? `${id} (${those.length})` : id))
    .join(', ');
}
