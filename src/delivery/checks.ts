/**
 * Pre-flight checks of how mail leaves, and how bounces return: DKIM keys, the mail provider's reports and limits, the
 * logins to the SMTP server and the mailbox, and the records of the sending domain.
 */
import { countSubscriptions } from '../audience/subscriptions.ts';
import { alertText } from '../core/alerts/alerts.ts';
import type { Config } from '../core/config/config.ts';
import type { MailProvider } from '../core/config/schema.ts';
import { type Finding, firstLine, ok, problem, warning } from '../core/finding.ts';
import type { Signer } from '../core/keys.ts';
import type { Store } from '../core/store/store.ts';
import { wireAddress } from '../lib/address.ts';
import { DAY, HOUR } from '../lib/time.ts';
import { verifyMailbox } from './bounces/mailbox.ts';
import { loadSigners, signersOf } from './message/dkim.ts';
import { allowanceUntil, expiringSentence, findExpiring } from './monitor/expiring.ts';
import { findUnconfigured, unconfiguredAlert } from './monitor/waiting-alerts.ts';
import { readLastProviderEvent } from './providers/record-events.ts';
import { readVerificationKey } from './providers/sendgrid.ts';
import type { OpenResolver } from './sending-domain/dns-resolver.ts';
import { judgeSetup, sendingSetup } from './sending-domain/judge-setup.ts';
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

/** Warns of editions that do not fit into the daily limits: what was queued, and what the next edition would queue. */
export async function checkExpiring(store: Store, config: Config, now: number): Promise<Finding[]> {
  const { perDay, warmUp } = config.delivery;
  if (perDay === undefined && warmUp === undefined) return [];
  const queued = (await findExpiring({ store, config }, now)).map((one) =>
    warning(`delivery: ${expiringSentence(one)}`),
  );
  const subscriptions = await countSubscriptions(store.db);
  const coming = config.newsletters.flatMap(({ id, expireAfterHours }) => {
    const { allowed, limit } = allowanceUntil(config, { counts: [], today: 0 }, now, now + expireAfterHours * HOUR);
    const count = subscriptions.find((one) => one.newsletter === id && one.state === 'confirmed')?.count ?? 0;
    if (count <= allowed) return [];
    const message =
      `newsletters ${id}: ${limit} allows ${allowed} messages in ${expireAfterHours} hours ` +
      `(expireAfterHours), so ${count - allowed} of ${count} deliveries of each edition would expire`;
    return [warning(message)];
  });
  return [...queued, ...coming];
}

/** Compares the limits of delivery with those that mail providers document. */
export function checkSendingLimits({ delivery }: Pick<Config, 'delivery'>): Finding[] {
  const { provider, perSecond, perDay, dkim } = delivery;
  const findings: Finding[] = [];
  // https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html
  if (provider === 'ses' && (perSecond === undefined || perDay === undefined)) {
    findings.push(
      warning(
        'delivery.perSecond and delivery.perDay: set both to the quotas of your account, which the console of Amazon ' +
          'SES shows (in the sandbox, 1 message a second and 200 in 24 hours): it refuses what exceeds them',
      ),
    );
  }
  if (provider === 'postmark' && dkim.length > 0) {
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

/** Judges the records of the sending domain. daywire works without them, so nothing is a problem. */
export async function checkSendingDomain(config: Config, open: OpenResolver): Promise<Finding[]> {
  if (config.delivery.transport !== 'smtp' || config.newsletters.length === 0) return [];
  let signers: Signer[];
  try {
    signers = loadSigners(config);
  } catch {
    // The check of the keys has reported it.
    return [];
  }
  const judgements = await judgeSetup(sendingSetup(config, signers), open());
  const failed = judgements.filter(({ verdict }) => verdict === 'fail');
  const findings = failed.map(({ id, message }) => warning(`sending domain: ${id}: ${message}`));
  const passed = judgements.filter(({ verdict }) => verdict === 'pass');
  const unknown = judgements.filter(({ verdict }) => verdict === 'unknown');
  if (passed.length > 0) findings.push(ok(`sending domain: right: ${namesOf(passed)}`));
  if (unknown.length > 0) {
    findings.push(ok(`sending domain: not known: ${namesOf(unknown)}; "daywire domain" says why`));
  }
  return findings;
}

/** `spf, dkim (2)`. */
function namesOf(judgements: readonly { id: string }[]): string {
  return [...Map.groupBy(judgements, ({ id }) => id)]
    .map(([id, those]) => (those.length > 1 ? `${id} (${those.length})` : id))
    .join(', ');
}
