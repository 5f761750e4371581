/**
 * The signing secret, from the environment or generated on the first start, and the keys derived from it. It must be
 * preserved: with another secret, the links to the preferences in mailed messages stop working.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../../lib/private-files.ts';
import type { Config } from './config.ts';

/** The current secret, then previous ones: tokens signed with them remain valid. */
export type SigningSecrets = readonly [string, ...string[]];

/** Never contains the secret itself. */
export class SecretError extends Error {
  override name = 'SecretError';
}

const MIN_LENGTH = 32;

export type SecretConfig = Pick<Config, 'secrets' | 'paths'>;

/**
 * Reads the secrets for signing tokens and hashing suppressed addresses: the current one, then the previous ones of a
 * rotation. Operations take them from `openSigningSecrets`, which knows the store's own secret.
 * @param dialect with PostgreSQL, several machines can share the store, and must be given the same secret
 * @returns null where there is none yet, and a file can be created
 * @throws SecretError if the secret is required but missing, or its file is damaged or readable by other users
 */
export function readSigningSecrets(config: SecretConfig, dialect: 'sqlite' | 'postgres'): SigningSecrets | null {
  const current = config.secrets.signingSecret ?? readOwnSecret(config, dialect);
  if (current === null) return null;
  const previous = config.secrets.previousSecrets?.split(/\s+/).filter((secret) => secret !== '') ?? [];
  return [current, ...previous];
}

/**
 * Reads the secrets, and creates the file of the current one where there is none.
 * @throws SecretError as `readSigningSecrets`, or if the file cannot be created
 */
export function readOrCreateSigningSecrets(config: SecretConfig, dialect: 'sqlite' | 'postgres'): SigningSecrets {
  const path = secretFile(config);
  if (readSigningSecrets(config, dialect) === null) createSecretFile(config.paths.data, path);
  const secrets = readSigningSecrets(config, dialect);
  if (secrets === null) throw new SecretError(`${path} was deleted while it was being created: start again`);
  return secrets;
}

/** The file of the secret, where it does not come from the environment. */
export function secretFile({ paths }: Pick<Config, 'paths'>): string {
  return join(paths.data, 'secret');
}

function readOwnSecret(config: SecretConfig, dialect: 'sqlite' | 'postgres'): string | null {
  if (dialect === 'postgres') {
    throw new SecretError(
      'the store is on PostgreSQL, so every process needs the same signing secret: set DAYWIRE_SECRET to at least ' +
        `${MIN_LENGTH} random characters, or DAYWIRE_SECRET_FILE to a file with them`,
    );
  }
  return readSecretFile(secretFile(config));
}

function readSecretFile(path: string): string | null {
  let text: string;
  try {
    const { mode } = statSync(path);
    // Windows has no permission bits: every file there is 666.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new SecretError(
        `${path} is readable by other users (mode ${(mode & 0o777).toString(8)}): run "chmod 600 ${path}". If one of ` +
          'them may have read it, put a new one into DAYWIRE_SECRET and this one into DAYWIRE_SECRET_PREVIOUS',
      );
    }
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof SecretError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new SecretError(`${path} cannot be read (${code}): it must be a file owned by this user`);
  }
  if (text.length < MIN_LENGTH) {
    throw new SecretError(
      `${path} is damaged: it has ${text.length} characters and needs at least ${MIN_LENGTH}. Restore it from a ` +
        'backup. If there is none, delete it: the next command says what is lost with it, and how to accept that',
    );
  }
  return text;
}

/** Atomic, without overwriting: if two processes start at the same time, both use the file of the first. */
function createSecretFile(folder: string, path: string): void {
  const temporary = join(folder, `.secret-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
    const file = openSync(temporary, 'wx', PRIVATE_FILE);
    try {
      writeSync(file, `${randomBytes(32).toString('base64url')}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      unlinkSync(temporary);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SecretError(`${path} cannot be created (${code}): make the folder writable, or set DAYWIRE_SECRET`);
  }
}

export type KeyPurpose =
  | 'sign tokens'
  | 'seal tokens'
  | 'unsubscribe tokens'
  | 'hash addresses'
  | 'hash clients'
  | 'hash sign-ins'
  | 'known browsers'
  | 'seal second factors'
  | 'sign source webhooks'
  | 'seal hub secrets'
  | 'fingerprint';

// Every recipient of an edition needs several tokens. Cached as KeyObject: signing is five times as fast as with bytes.
const keys = new Map<string, KeyObject>();
const MAX_CACHED_KEYS = 100;

/**
 * Derives a separate 32-byte key for each purpose (HKDF, RFC 5869), so that a value made for one purpose is not valid
 * for another.
 */
export function deriveKey(secret: string, purpose: KeyPurpose): KeyObject {
  const name = `${purpose}\n${secret}`;
  const cached = keys.get(name);
  if (cached !== undefined) return cached;
  if (keys.size >= MAX_CACHED_KEYS) keys.clear();
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `daywire ${purpose}`, 32)));
  keys.set(name, key);
  return key;
}

/** Identifies a secret without revealing it: 32 hexadecimal digits. */
export function fingerprintOf(secret: string): string {
  return createHmac('sha256', deriveKey(secret, 'fingerprint')).update('daywire').digest('hex').slice(0, 32);
}
