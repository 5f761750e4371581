/**
 * The signing secret: from the environment, or made on first start. It outlives everything else: with another one, the
 * unsubscribe links already mailed would be dead.
 */
import { randomBytes } from 'node:crypto';
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
import type { Config } from '../../config/config.ts';
import type { Dialect } from '../../store/store.ts';

/** The secret that signs, then those that were in use before it: what was signed with them is still good. */
export type SigningSecrets = readonly [string, ...string[]];

/** Why there is no secret, said for an operator. Never holds the secret itself. */
class SecretError extends Error {
  override name = 'SecretError';
}

const LEAST_LENGTH = 32;

/**
 * The secrets that sign tokens and hash suppressed addresses: the current one, then the previous ones of a rotation.
 * @param dialect on PostgreSQL several machines share the store, so they must be given the secret they share
 * @throws SecretError where it must be given and is not, or its file cannot be made, is damaged, or is open to others
 */
export function loadSigningSecrets(config: Pick<Config, 'secrets' | 'paths'>, dialect: Dialect): SigningSecrets {
  const previous = config.secrets.previousSecrets?.split(/\s+/).filter((secret) => secret !== '') ?? [];
  return [currentSecret(config, dialect), ...previous];
}

function currentSecret(config: Pick<Config, 'secrets' | 'paths'>, dialect: Dialect): string {
  const { signingSecret } = config.secrets;
  if (signingSecret !== undefined) return signingSecret;
  if (dialect === 'postgres') {
    throw new SecretError(
      'the store is on PostgreSQL, so every process needs the same signing secret: set DAYWIRE_SECRET to at least ' +
        `${LEAST_LENGTH} random characters, or DAYWIRE_SECRET_FILE to a file that holds them`,
    );
  }
  const path = join(config.paths.data, 'secret');
  return readSecretFile(path) ?? makeSecretFile(config.paths.data, path);
}

function readSecretFile(path: string): string | null {
  let text: string;
  try {
    const { mode } = statSync(path);
    // Windows has no such bits: every file there shows as 666.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new SecretError(
        `${path} is open to other users (mode ${(mode & 0o777).toString(8)}): run "chmod 600 ${path}". If one of them may ` +
          'have read it, delete it instead, and a new one is made; unsubscribe links mailed before then stop working',
      );
    }
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof SecretError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new SecretError(`${path} cannot be read (${code}): it must be a file that this user owns`);
  }
  if (text.length < LEAST_LENGTH) {
    throw new SecretError(
      `${path} is damaged: it holds ${text.length} characters and needs at least ${LEAST_LENGTH}. Restore it from a backup, ` +
        'or delete it, and a new one is made; unsubscribe links mailed before then stop working',
    );
  }
  return text;
}

/** Whole or not at all, and never over another: of two processes that start at once one wins, and both read its file. */
function makeSecretFile(folder: string, path: string): string {
  const temporary = join(folder, `.secret-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    mkdirSync(folder, { recursive: true });
    const file = openSync(temporary, 'wx', 0o600);
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
    throw new SecretError(`${path} cannot be made (${code}): make the folder writable, or set DAYWIRE_SECRET`);
  }
  const secret = readSecretFile(path);
  if (secret === null) throw new SecretError(`${path} was deleted while it was being made: start again`);
  return secret;
}
