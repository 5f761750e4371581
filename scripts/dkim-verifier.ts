/**
 * DKIM keys for tests, with the DNS records that "daywire domain" suggests for them, and another implementation that
 * verifies signatures.
 */

import { generateKeyPairSync } from 'node:crypto';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import type { Signer } from '../src/core/keys.ts';
import { dkimRecord } from '../src/delivery/sending-domain/dkim.ts';
import type { OutgoingMessage } from '../src/delivery/transport/connection.ts';
import { NOW } from './test-edition.ts';

const records = new Map<string, string>();

/** Makes an RSA key for a domain, and publishes the public key. */
export function rsaSigner(domain = 'example.com', selector = 'rsa', bits = 2_048): Signer {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  records.set(`${selector}._domainkey.${domain}`, dkimRecord(privateKey));
  return { domain, selector, key: privateKey, algorithm: 'rsa-sha256' };
}

/** Makes an Ed25519 key for a domain, and publishes the public key. */
export function ed25519Signer(domain = 'example.com', selector = 'ed'): Signer {
  const { privateKey } = generateKeyPairSync('ed25519');
  records.set(`${selector}._domainkey.${domain}`, dkimRecord(privateKey));
  return { domain, selector, key: privateKey, algorithm: 'ed25519-sha256' };
}

export interface VerifiedSignature {
  algorithm: string | undefined;
  domain: string | undefined;
  result: string;
  /** Whether the signing domain is the sender's or a parent of it. */
  aligned: boolean;
  /** The names of the signed fields, in lower case. */
  covers: string[];
}

/** Verifies each signature with mailauth, strictly by the RFCs. */
export async function verify(message: OutgoingMessage | Buffer): Promise<VerifiedSignature[]> {
  const raw = Buffer.isBuffer(message) ? message : Buffer.concat(message.chunks);
  const { results } = await dkimVerify(raw, { resolver: resolve, strict: true, curTime: new Date(NOW) } as never);
  return (results as unknown as MailauthResult[]).map(({ algo, signingDomain, status, signingHeaders }) => ({
    algorithm: algo,
    domain: signingDomain,
    result: status.result,
    aligned: Boolean(status.aligned),
    covers: (signingHeaders?.keys ?? '').split(/\s*:\s*/).map((name) => name.toLowerCase()),
  }));
}

interface MailauthResult {
  algo?: string;
  signingDomain?: string;
  status: { result: string; aligned?: string | false };
  signingHeaders?: { keys: string };
}

async function resolve(name: string, type: string): Promise<string[][]> {
  const record = records.get(name);
  if (type === 'TXT' && record !== undefined) return [[record]];
  throw Object.assign(new Error(`no ${type} record of ${name}`), { code: 'ENOTFOUND' });
}
