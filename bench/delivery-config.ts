/**
 * Configuration and signing key of the delivery benchmark.
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Config, type NewsletterConfig, parseConfig } from '../src/core/config/config.ts';

export const MESSAGE_BYTES = 97_000;
export const CONNECTIONS = 40;
export const SECRETS = ['a secret of the benchmark, thirty-two characters'] as const;
export const SELECTOR = 'bench';
const ROOT = resolve(import.meta.dirname, '..');

/** Makes the key of `benchConfig`. */
export function writeKey(folder: string): void {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  writeFileSync(keyFile(folder), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
}

export function keyFile(folder: string): string {
  return join(folder, 'dkim.pem');
}

/** The sample configuration, delivering signed messages to `smtpUrl`. */
export function benchConfig(folder: string, smtpUrl: string, connections: number): Config {
  const file = join(ROOT, 'config/daywire.yaml');
  const config = parseConfig(readFileSync(file, 'utf8'), { file, env: {}, cwd: ROOT });
  const domain = newsletterOf(config).from.email.split('@')[1] as string;
  const dkim = [{ domain, selector: SELECTOR, keyFile: keyFile(folder) }];
  return {
    ...config,
    publication: { ...config.publication, url: 'https://news.example.com' },
    bounces: { ...config.bounces, address: `bounces@${domain}` },
    delivery: { ...config.delivery, transport: 'smtp', smtpUrl, connections, dkim },
  };
}

export function newsletterOf(config: Config): NewsletterConfig {
  const [newsletter] = config.newsletters;
  if (newsletter === undefined) throw new Error('the sample configuration has no newsletter');
  return newsletter;
}
