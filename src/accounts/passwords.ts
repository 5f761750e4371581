/**
 * Hashes of passwords: argon2id (RFC 9106), stored with its parameters, so that these can grow. A computation takes
 * 19 MiB and tens of milliseconds on a thread: a process does two at once, and refuses what would wait too long.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { BoundedQueue } from '../lib/concurrency/bounded-queue.ts';
import { isCommonPassword, normalisePassword, plainForms, plainPassword } from './common-passwords.ts';

/** The second of the equivalent settings of the OWASP Password Storage Cheat Sheet. `memory` in KiB. */
const CURRENT = { memory: 19 * 1024, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;

type HashParameters = typeof CURRENT;

// Two take 38 MiB. The last of 20 waits about two seconds.
const queues = {
  known: new BoundedQueue({ running: 1, admitted: 20, size: 20 }),
  stranger: new BoundedQueue({ running: 1, admitted: 10, size: 10 }),
};

/**
 * Runs the check of a password, with what it needs of the store, when its turn comes. Strangers have a queue of their
 * own: however many they are, they delay nobody whose browser is known, and those that find it full cost no query.
 * @returns null where too many wait: nothing was decided, and a later attempt can succeed
 */
export function queuePasswordCheck<T>(who: 'known' | 'stranger', check: () => Promise<T>): Promise<T> | null {
  return queues[who].run(1, check);
}

/**
 * Hashes an acceptable password with a random salt: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`, in unpadded base64.
 * It is that of somebody with a link or a session, so it does not wait for strangers.
 * @returns null where too many passwords wait: a later attempt can succeed
 */
export async function hashPassword(password: string): Promise<string | null> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await queues.known.run(1, () => derive(password, salt, CURRENT, TAG_BYTES));
  return tag && encode(CURRENT, salt, tag);
}

/**
 * Whether a password has that hash. Without a hash, or for a text that is longer than any password, it takes as long
 * and returns false. Called within `queuePasswordCheck`.
 * @param password any text @param hash as `hashPassword` made it; null where there is no account
 * @throws Error if the hash is damaged
 */
export async function passwordHasHash(password: string, hash: string | null): Promise<boolean> {
  const { parameters, salt, tag } = decode(hash ?? NOBODY);
  const isPossible = !isTooLong(password);
  const found = await derive(isPossible ? password : '', salt, parameters, tag.length);
  return timingSafeEqual(found, tag) && isPossible && hash !== null;
}

/** Whether a hash was made with other parameters than a new one. */
export function isOutdatedHash(hash: string): boolean {
  return !hash.startsWith(`${prefixOf(CURRENT)}$`);
}

function derive(password: string, salt: Buffer, parameters: HashParameters, tagLength: number): Promise<Buffer> {
  const message = Buffer.from(normalisePassword(password));
  const input = { message, nonce: salt, tagLength, ...parameters };
  return new Promise((resolve, reject) => {
    argon2('argon2id', input, (error, tag) => (error === null ? resolve(tag) : reject(error)));
  });
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

function encode(parameters: HashParameters, salt: Buffer, tag: Buffer): string {
  return `${prefixOf(parameters)}$${unpadded(salt)}$${unpadded(tag)}`;
}

function prefixOf({ memory, passes, parallelism }: HashParameters): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}`;
}

function decode(hash: string): { parameters: HashParameters; salt: Buffer; tag: Buffer } {
  const [, memory, passes, parallelism, salt = '', tag = ''] = PHC.exec(hash) ?? [];
  if (memory === undefined) throw new Error('the stored hash of a password is damaged: invite the account again');
  return {
    parameters: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** The hash of no password that anyone knows. */
const NOBODY = encode(CURRENT, Buffer.alloc(SALT_BYTES), Buffer.alloc(TAG_BYTES));

export const PASSWORD_LENGTH = { min: 12, max: 200 };

/** Known facts about the account, none of which may be its password. */
export interface PasswordOwner {
  email: string;
  name: string;
  /** Name of the publication. */
  publication: string;
}

/** @returns what would be right, to be shown beneath the field; null if the password is acceptable */
export function passwordProblem(password: string, owner: PasswordOwner): string | null {
  const { min, max } = PASSWORD_LENGTH;
  if (isTooLong(password)) return `Use at most ${max} characters.`;
  const characters = [...normalisePassword(password)];
  if (characters.length < min) return `Use at least ${min} characters. Several words are easy to remember.`;
  if (characters.length > max) return `Use at most ${max} characters.`;
  const forms = plainForms(password);
  if (forms.has(plainPassword(owner.email))) return 'Use something other than the email address.';
  if (forms.has(plainPassword(owner.name))) return 'Use something other than the name.';
  if (forms.has(plainPassword(owner.publication))) return 'Use something other than the name of the publication.';
  if (new Set(characters).size < 4) return 'Use at least 4 different characters.';
  if ([...forms].some(isCommonPassword))
    return 'Use another one: this one, or one that differs little, is known to be common.';
  return null;
}

/** Whether a text is longer than any password, before it is normalised. */
function isTooLong(password: string): boolean {
  return password.length > 2 * PASSWORD_LENGTH.max;
}
