/**
 * Signs messages (DKIM, RFC 6376; Ed25519 by RFC 8463): `c=relaxed/simple`, so that a header that a server folds anew is still good, and
 * a body is hashed as it stands.
 */
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { SECOND } from '../../lib/time.ts';
import { transportConfigError } from '../transport/connection.ts';
import { foldLine, type HeaderField, LINE_LIMIT, relaxed } from './header-field.ts';

export interface Signer {
  /** In lower case and A-labels. */
  domain: string;
  selector: string;
  key: KeyObject;
  algorithm: 'rsa-sha256' | 'ed25519-sha256';
}

// RFC 8301 §3.2: 1024 bits is the least, and 2048 what signers should use.
const LEAST_RSA_BITS = 2_048;

/**
 * Reads the private keys of the configuration.
 * @throws TransportError where a file cannot be read, is open to others, or holds no key that is good for signing mail
 */
export function loadSigners(config: Pick<Config, 'delivery'>): Signer[] {
  return config.delivery.dkim.map(({ domain, selector, keyFile }) => {
    const key = readKey(keyFile);
    return { domain, selector, key, algorithm: algorithmOf(key, keyFile) };
  });
}

function readKey(file: string): KeyObject {
  let pem: string;
  try {
    const { mode } = statSync(file);
    // Windows has no such bits: every file there shows as 666.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw transportConfigError(
        `${file} is open to other users (mode ${(mode & 0o777).toString(8)}): run "chmod 600 ${file}". If one of them may have ` +
          'read it, make another key, with a selector of its own',
      );
    }
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw transportConfigError(
      `${file} cannot be read (${code}): it must hold the private key of a domain that signs mail`,
    );
  }
  if (pem.includes('ENCRYPTED')) {
    throw transportConfigError(`${file} is protected by a passphrase: it must hold the private key without one`);
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw transportConfigError(`${file} holds no private key in PEM, which begins with "-----BEGIN PRIVATE KEY-----"`);
  }
}

function algorithmOf(key: KeyObject, file: string): Signer['algorithm'] {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519-sha256';
  if (key.asymmetricKeyType !== 'rsa') {
    throw transportConfigError(
      `${file} holds a key of type ${key.asymmetricKeyType}: mail is signed with RSA or Ed25519`,
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < LEAST_RSA_BITS) {
    throw transportConfigError(
      `${file} holds an RSA key of ${bits} bits: it must have ${LEAST_RSA_BITS} or more (RFC 8301)`,
    );
  }
  return 'rsa-sha256';
}

/** Those whose domain is the sender's or a parent of it, which is what DMARC calls aligned (RFC 7489 §3.1.1). */
export function signersOf(signers: readonly Signer[], senderDomain: string): Signer[] {
  return signers.filter(({ domain }) => senderDomain === domain || senderDomain.endsWith(`.${domain}`));
}

// Named once more than they occur: a second field of that name breaks the signature (RFC 6376 §8.15). Those of a list too: who mails a
// copy on could put a link of his own where mail programs look for the one to unsubscribe.
const ONLY_ONCE = [
  'From',
  'To',
  'Cc',
  'Reply-To',
  'Subject',
  'Date',
  'Content-Type',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
];
const NAMES_A_LINE = 5;

/**
 * Signs all of the fields, once with each key.
 * @param bodyHash SHA-256 of the body, base64
 * @param at the time of the signatures, epoch milliseconds: the same on every try, as every byte is
 * @returns the DKIM-Signature fields, to stand before the others
 */
export async function signHeaders(
  fields: readonly HeaderField[],
  bodyHash: string,
  signers: readonly Signer[],
  at: number,
): Promise<string> {
  let canonical = '';
  for (const field of fields) canonical += `${field.canonical}\r\n`;
  const signatures = signers.map(async (signer) => {
    const opening = openingOf(signer, fields, at);
    const hashed = `bh=${bodyHash};`;
    const signature = await signWith(signer, `${canonical}${opening.canonical} ${hashed} b=`);
    const between = opening.column + 1 + hashed.length > LINE_LIMIT ? '\r\n ' : ' ';
    const lines = signature.match(/.{1,72}/g) ?? [];
    return `${opening.text}${between}${hashed}\r\n b=${lines.join('\r\n ')}\r\n`;
  });
  return (await Promise.all(signatures)).join('');
}

/** A signature's field up to the hash of the body. */
interface Opening {
  /** Folded. */
  text: string;
  /** The length of its last line. */
  column: number;
  canonical: string;
}

// The same for all copies of an edition; it is half of the header to fold.
const lastOpenings = new WeakMap<Signer, { at: number; names: readonly string[]; opening: Opening }>();

function openingOf(signer: Signer, fields: readonly HeaderField[], at: number): Opening {
  const last = lastOpenings.get(signer);
  const isLast =
    last?.at === at &&
    last.names.length === fields.length &&
    last.names.every((name, index) => name === fields[index]?.name);
  if (isLast) return last.opening;
  const names = fields.map(({ name }) => name);
  const opening = makeOpening(signer, names.join(':'), at);
  lastOpenings.set(signer, { at, names, opening });
  return opening;
}

function makeOpening(signer: Signer, names: string, at: number): Opening {
  const { algorithm, domain, selector } = signer;
  // Colons with a space behind are where the line can be folded.
  const signed = [...names.split(':'), ...ONLY_ONCE]
    .map((name, index) => (index % NAMES_A_LINE === 0 ? ` ${name}` : name))
    .join(':')
    .trim();
  const tags = `v=1; a=${algorithm}; c=relaxed/simple; d=${domain}; s=${selector}; t=${Math.floor(at / SECOND)}; h=${signed};`;
  const text = foldLine(`DKIM-Signature: ${tags}`);
  return {
    text,
    column: text.length - text.lastIndexOf('\n') - 1,
    canonical: relaxed('DKIM-Signature', tags),
  };
}

function signWith({ algorithm, key }: Signer, words: string): Promise<string> {
  const data = Buffer.from(words, 'latin1');
  // RFC 8463 §3: what Ed25519 signs is the hash. It takes a tenth of what RSA takes, which goes to a thread of its own.
  if (algorithm === 'ed25519-sha256') {
    return Promise.resolve(sign(null, createHash('sha256').update(data).digest(), key).toString('base64'));
  }
  return new Promise((resolve, reject) => {
    sign('sha256', data, key, (error, signature) => {
      if (error === null) resolve(signature.toString('base64'));
      else reject(error);
    });
  });
}
