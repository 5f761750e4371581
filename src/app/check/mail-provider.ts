/**
 * Checks the reports of the mail provider: without them, invalid addresses and complaints stay unknown.
 */
import type { Config, MailProvider } from '../../core/config/config.ts';
import { type Finding, ok, problem, warning } from '../../core/finding.ts';
import type { Store } from '../../core/store/store.ts';
import { readLastProviderEvent } from '../../delivery/providers/last-event.ts';
import { readVerificationKey } from '../../delivery/providers/sendgrid.ts';
import { DAY } from '../../lib/time.ts';

const SECRET_NEEDED: Partial<Record<MailProvider, string>> = {
  postmark: "user:password, as in the webhook's URL",
  mailgun: 'the HTTP webhook signing key',
  sendgrid: 'the verification key of the event webhook',
  brevo: "user:password, as in the webhook's URL",
};

/** Checks that reports can be verified. */
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
        `ago: set up its webhook ${publication.url}/webhooks/${provider}, see "Mail providers" in docs/operating.md`,
    ),
  ];
}
