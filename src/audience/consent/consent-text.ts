/**
 * The wording that a person agrees to. It is stored once, when it is first shown, and each opt-in refers to it: what is
 * recorded is the wording that was shown, also if the configuration has changed since.
 */
import type { Config } from '../../core/config/config.ts';
import type { Db } from '../../core/store/store.ts';
import { sha256 } from '../../lib/sha256.ts';
import { cleanLine, cleanText } from '../../lib/text/clean-text.ts';

export interface ConsentText {
  /** Hash of version and text: 32 hexadecimal digits. */
  id: string;
  version: string;
  text: string;
}

/** Grows with each change of the wording below. */
const BUILT_IN_VERSION = 'daywire-1';

function builtInText(publication: string): string {
  return (
    `I want to receive the newsletters that I have chosen from ${publication} by email. ` +
    'I can unsubscribe at any time with the link in every email.'
  );
}

/** The wording of a configuration: its own, or the built-in one. */
export function consentTextOf({ signup, publication }: Pick<Config, 'signup' | 'publication'>): ConsentText {
  const own = signup.consent;
  return own === undefined
    ? consentText(BUILT_IN_VERSION, builtInText(publication.name))
    : consentText(own.version, own.text);
}

function consentText(givenVersion: string, givenText: string): ConsentText {
  const version = cleanLine(givenVersion);
  const text = cleanText(givenText).trim();
  const id = sha256(`${version}\n${text}`).slice(0, 32);
  return { id, version, text };
}

/** Stores a wording, unless it is stored already. */
export async function storeConsentText(db: Db, { id, version, text }: ConsentText, now: number): Promise<void> {
  await db
    .insertInto('consent_texts')
    .values({ id, version, text, first_used_at: now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/**
 * The wording that a form showed, by the id that it carried.
 * @param current that of the configuration
 * @returns null for an id that no form of this site has had
 */
export async function findConsentText(db: Db, current: ConsentText, id: string | null): Promise<ConsentText | null> {
  if (id === current.id) return current;
  if (id === null || !/^[0-9a-f]{32}$/.test(id)) return null;
  const row = await db
    .selectFrom('consent_texts')
    .select(['id', 'version', 'text'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row ?? null;
}
