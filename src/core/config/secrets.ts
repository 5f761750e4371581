/**
 * Secrets, which come from environment variables or from the files that `<NAME>_FILE` names. They are never printed.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export type Secrets = { -readonly [Key in keyof typeof SECRETS]?: string | undefined };

export const SECRETS = {
  databaseUrl: {
    name: 'DAYWIRE_DATABASE_URL',
    rule: /^postgres(ql)?:\/\//,
    want: 'a postgres:// URL',
    description: 'PostgreSQL database, postgres://user:password@host/database. Default: the SQLite file paths.store.',
  },
  smtpUrl: {
    name: 'DAYWIRE_SMTP_URL',
    rule: /^smtps?:\/\//,
    want: 'an smtp:// or smtps:// URL',
    description:
      'SMTP server. smtps://user:password@host uses TLS from the start. smtp://user:password@host:587 uses STARTTLS ' +
      'if the server offers it, and requires it for a login unless the server is on this machine.',
  },
  signingSecret: {
    name: 'DAYWIRE_SECRET',
    rule: /^\S{32,}$/,
    want: 'at least 32 characters without white space',
    description:
      'Signs links and return paths. With SQLite, the first start writes one to the file secret in paths.data, ' +
      'readable by its owner alone. With PostgreSQL it is required, since all processes need the same. The store ' +
      'accepts no other one.',
  },
  previousSecrets: {
    name: 'DAYWIRE_SECRET_PREVIOUS',
    rule: /^\s*\S{32,}(\s+\S{32,})*\s*$/,
    want: 'secrets of at least 32 characters, separated by white space',
    description: 'Previous values of DAYWIRE_SECRET. Tokens that they signed stay valid.',
  },
  imapUrl: {
    name: 'DAYWIRE_IMAP_URL',
    rule: /^imaps?:\/\//,
    want: 'an imaps:// URL',
    description: 'Mailbox for bounces, imaps://user:password@host/INBOX.',
  },
  webhookSecret: {
    name: 'DAYWIRE_WEBHOOK_SECRET',
    rule: /^.{24,}$/s,
    want: 'at least 24 characters',
    description: 'Signs the requests to /webhooks/bounces.',
  },
  providerSecret: {
    name: 'DAYWIRE_PROVIDER_SECRET',
    rule: /^\S{16,2000}$/,
    want: 'at least 16 characters without white space',
    description:
      'Verifies the reports of the mail provider (delivery.provider). Mailgun: the HTTP webhook signing key. ' +
      "SendGrid: the verification key. Postmark and Brevo: user:password, as in the webhook's URL. Not used with " +
      'Amazon SES.',
  },
  sourceKeys: {
    name: 'DAYWIRE_SOURCE_KEYS',
    rule: /^\s*[a-z0-9][a-z0-9-]{0,63}=\S+(\s+[a-z0-9][a-z0-9-]{0,63}=\S+)*\s*$/,
    want: 'pairs such as our-site=0123abcd, separated by white space',
    description: 'Keys of the Ghost Content API, by id of the source: our-site=0123abcd.',
  },
  metricsToken: {
    name: 'DAYWIRE_METRICS_TOKEN',
    rule: /^\S{16,}$/,
    want: 'at least 16 characters without white space',
    description:
      'Bearer token of /metrics. With it, the public port has /metrics too; without it, only server.metrics has it.',
  },
  alertWebhook: {
    name: 'DAYWIRE_ALERT_WEBHOOK',
    rule: /^https?:\/\//,
    want: 'an http or https URL',
    description: 'Receives alerts as JSON, once when raised and once when resolved.',
  },
  heartbeatUrl: {
    name: 'DAYWIRE_HEARTBEAT_URL',
    rule: /^https?:\/\//,
    want: 'an http or https URL',
    description:
      'Requested once for each edition that is delivered, by a process with the role deliver, so that an external ' +
      'monitor notices a missing one.',
  },
} as const;

/** Reads the secrets, and adds every problem found to `problems`. */
export function readSecrets(env: NodeJS.ProcessEnv, cwd: string, problems: string[]): Secrets {
  const secrets: Secrets = {};
  for (const [key, { name, rule, want }] of Object.entries(SECRETS)) {
    const value = readSecret(name, env, cwd, problems);
    if (!value) continue;
    if (!rule.test(value) || (want.endsWith('URL') && !URL.canParse(value))) {
      problems.push(`${name} must be ${want}; its value is not shown`);
    } else {
      secrets[key as keyof Secrets] = value;
    }
  }
  return secrets;
}

function readSecret(name: string, env: NodeJS.ProcessEnv, cwd: string, problems: string[]): string | undefined {
  const value = env[name];
  const file = env[`${name}_FILE`];
  if (value && file) problems.push(`${name} and ${name}_FILE are both set: keep one`);
  if (value || !file) return value;
  try {
    return readFileSync(resolve(cwd, file), 'utf8').trim();
  } catch (error) {
    problems.push(`${name}_FILE is ${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}
