/**
 * The signing secret of a store. Links in messages and hashes in the store are made with it, so the store keeps its
 * fingerprint and is not used with another one: a lost secret must not be replaced unnoticed.
 */
import {
  fingerprintOf,
  readOrCreateSigningSecrets,
  readSigningSecrets,
  type SecretConfig,
  SecretError,
  type SigningSecrets,
  secretFile,
} from './config/signing-secrets.ts';
import { readMeta, SECRET_FINGERPRINT, writeMeta } from './store/meta.ts';
import type { Db, Dialect, Store } from './store/store.ts';

type Verified =
  /** The store is used with the current secret. */
  | { kind: 'known'; secrets: SigningSecrets }
  /** The store was used with a previous secret of the configuration: the current one replaces it. */
  | { kind: 'rotated'; secrets: SigningSecrets }
  /** The store has never been used with a secret. The secrets are null where none exists yet. */
  | { kind: 'unrecorded'; secrets: SigningSecrets | null };

/**
 * Loads the secrets to use with a store, and records the current one's fingerprint: at the first use, and after a
 * rotation. Only a store that never had a secret gets a new one.
 * @throws SecretError where the secret is missing, cannot be read, or is not the one of the store
 */
export async function openSigningSecrets(config: SecretConfig, store: Store): Promise<SigningSecrets> {
  for (;;) {
    const verified = await verifySigningSecrets(config, store.db, store.dialect);
    if (verified.kind === 'known') return verified.secrets;
    const secrets = verified.secrets ?? readOrCreateSigningSecrets(config, store.dialect);
    const value = fingerprintOf(secrets[0]);
    if (verified.kind === 'rotated') {
      await writeMeta(store.db, SECRET_FINGERPRINT, value);
    } else {
      // Another process may have recorded a different secret meanwhile: verify again.
      await store.db
        .insertInto('meta')
        .values({ key: SECRET_FINGERPRINT, value })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .execute();
    }
  }
}

/**
 * Compares the configured secrets with the one of a store, or of a backup. Changes nothing.
 * @param dialect of the store that is to be used with the secrets
 * @throws SecretError as `openSigningSecrets`
 */
export async function verifySigningSecrets(config: SecretConfig, db: Db, dialect: Dialect): Promise<Verified> {
  const recorded = await readMeta(db, SECRET_FINGERPRINT);
  const secrets = readSigningSecrets(config, dialect);
  if (recorded === undefined) {
    return { kind: 'unrecorded', secrets };
  }
  if (secrets === null) throw new SecretError(missing(config));
  const at = secrets.findIndex((secret) => fingerprintOf(secret) === recorded);
  if (at === -1) throw new SecretError(different(config));
  return { kind: at === 0 ? 'known' : 'rotated', secrets };
}

/**
 * Accepts the loss of the store's former secret: from now on the store is used with the configured one. Where there is
 * none, it is created.
 * @returns false where nothing is lost, because the store knows the secret
 */
export async function adoptSigningSecret(config: SecretConfig, store: Store): Promise<boolean> {
  const [current] = readOrCreateSigningSecrets(config, store.dialect);
  const value = fingerprintOf(current);
  if ((await readMeta(store.db, SECRET_FINGERPRINT)) === value) return false;
  await writeMeta(store.db, SECRET_FINGERPRINT, value);
  return true;
}

/** What is lost with a secret, for an operator. */
export const LOST_WITH_SECRET =
  'the links to the preferences in mailed messages stop working, and erased people can be imported and mailed again, ' +
  'because the store has only hashes of their addresses, made with its own secret';

const WAYS_OUT =
  'Put the right secret back, or give it as DAYWIRE_SECRET_PREVIOUS beside the new one. If it is lost for good, ' +
  '"daywire secret adopt" accepts the loss';

function missing(config: SecretConfig): string {
  return (
    `there is no signing secret (${secretFile(config)} is missing), and the store was used with one. With a new one ` +
    `${LOST_WITH_SECRET}. ${WAYS_OUT}`
  );
}

function different(config: SecretConfig): string {
  const origin = config.secrets.signingSecret === undefined ? secretFile(config) : 'DAYWIRE_SECRET';
  return (
    `the signing secret (${origin}) is not the one that the store was used with. With another one ` +
    `${LOST_WITH_SECRET}. ${WAYS_OUT}`
  );
}
