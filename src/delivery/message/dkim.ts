/**
 * Signs messages (DKIM, RFC 6376; Ed25519 by RFC 8463) with `c=relaxed/simple`: a server may fold the header
 * differently, and the body is hashed unchanged.
 */
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { type Config, ConfigError } from '../../core/config/config.ts';
import type { Signer } from '../../core/keys.ts';
import { SECOND } from '../../lib/time.ts';
import { foldLine, type HeaderField, LINE_LIMIT, relaxed } from './header-field.ts';

/** How a message is signed. */
export interface Signing {
  signers: readonly Signer[];
  /** Time of the signatures, epoch milliseconds: the same for each attempt, so that the bytes are, too. */
  signedAt: number;
  /** Names of fields that a mail provider changes. */
  unsigned: ReadonlySet<string>;
}

// RFC 8301 §3.2: signers must use at least 1024 bits and should use 2048.
const MIN_RSA_BITS = 2_048;

/**
 * Reads the configured private keys.
 * @throws ConfigError if a file cannot be read, is readable by other users, or does not hold a suitable key
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
    // Windows has no such bits: every file has 666.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new ConfigError([
        `${file} is readable by other users (mode ${(mode & 0o777).toString(8)}): run "chmod 600 ${file}". ` +
          'If one of them may have read it, create a new key with a new selector',
      ]);
    }
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ConfigError([`${file} cannot be read (${code}): it must contain a private key for DKIM`]);
  }
  if (pem.includes('ENCRYPTED')) {
    throw new ConfigError([`${file} is protected by a passphrase: it must contain the private key without one`]);
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw new ConfigError([
      `${file} does not contain a private key in PEM, which begins with "-----BEGIN PRIVATE KEY-----"`,
    ]);
  }
}

function algorithmOf(key: KeyObject, file: string): Signer['algorithm'] {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519-sha256';
  if (key.asymmetricKeyType !== 'rsa') {
    throw new ConfigError([`${file} contains a key of type ${key.asymmetricKeyType}: it must be RSA or Ed25519`]);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MIN_RSA_BITS) {
    throw new ConfigError([
      `${file} contains an RSA key of ${bits} bits: it must have at least ${MIN_RSA_BITS} (RFC 8301)`,
    ]);
  }
  return 'rsa-sha256';
}

/** The signers whose domain is the sender's or a parent of it: aligned, in the terms of DMARC (RFC 7489 §3.1.1). */
export function signersOf(signers: readonly Signer[], senderDomain: string): Signer[] {
  return signers.filter(({ domain }) => senderDomain === domain || senderDomain.endsWith(`.${domain}`));
}

// Signed once more than they occur, so that adding another field of that name breaks the signature (RFC 6376 §8.15).
// The List fields, too: otherwise a forwarder could add a link where mail programs look for the one to unsubscribe.
const OVERSIGNED = [
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
const NAMES_PER_LINE = 5;

/**
 * Signs all fields, except those that a mail provider changes, once with each key.
 * @param bodyHash SHA-256 of the body, base64
 * @returns the DKIM-Signature fields, which must precede the others
 */
export async function signHeaders(
  fields: readonly HeaderField[],
  bodyHash: string,
  { signers, signedAt, unsigned }: Signing,
): Promise<string> {
  const signed = unsigned.size === 0 ? fields : fields.filter(({ name }) => !unsigned.has(name));
  let canonical = '';
  for (const field of signed) canonical += `${field.canonical}\r\n`;
  const signatures = signers.map(async (signer) => {
    const opening = openingOf(signer, signed, signedAt, unsigned);
    const hashed = `bh=${bodyHash};`;
    const signature = await signWith(signer, `${canonical}${opening.canonical} ${hashed} b=`);
    const between = opening.column + 1 + hashed.length > LINE_LIMIT ? '\r\n ' : ' ';
    const lines = signature.match(/.{1,72}/g) ?? [];
    return `${opening.text}${between}${hashed}\r\n b=${lines.join('\r\n ')}\r\n`;
  });
  return (await Promise.all(signatures)).join('');
}

/** A DKIM-Signature field up to the hash of the body. */
interface Opening {
  /** Folded. */
  text: string;
  /** The length of its last line. */
  column: number;
  canonical: string;
}

// The same for all copies of an edition, and half of the work of folding the header.
const lastOpenings = new WeakMap<
  Signer,
  { at: number; names: readonly string[]; unsigned: ReadonlySet<string>; opening: Opening }
>();

function openingOf(signer: Signer, fields: readonly HeaderField[], at: number, unsigned: ReadonlySet<string>): Opening {
  const last = lastOpenings.get(signer);
  const isLast =
    last?.at === at &&
    last.unsigned === unsigned &&
    last.names.length === fields.length &&
    last.names.every((name, index) => name === fields[index]?.name);
  if (isLast) return last.opening;
  const names = fields.map(({ name }) => name);
  const oversigned = OVERSIGNED.filter((name) => !unsigned.has(name));
  const opening = makeOpening(signer, [...names.join(':').split(':'), ...oversigned], at);
  lastOpenings.set(signer, { at, names, unsigned, opening });
  return opening;
}

function makeOpening(signer: Signer, names: readonly string[], at: number): Opening {
  const { algorithm, domain, selector } = signer;
  // The line can be folded after a colon that is followed by a space.
  const signed = names
    .map((name, index) => (index % NAMES_PER_LINE === 0 ? ` ${name}` : name))
    .join(':')
    .trim();
  const time = Math.floor(at / SECOND);
  const tags = `v=1; a=${algorithm}; c=relaxed/simple; d=${domain}; s=${selector}; t=${time}; h=${signed};`;
  const text = foldLine(`DKIM-Signature: ${tags}`);
  return {
    text,
    column: text.length - text.lastIndexOf('\n') - 1,
    canonical: relaxed('DKIM-Signature', tags),
  };
}

function signWith({ algorithm, key }: Signer, text: string): Promise<string> {
  const data = Buffer.from(text, 'latin1');
  // RFC 8463 §3: Ed25519 signs the hash. It takes a tenth of the time of RSA, which runs in the thread pool.
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
