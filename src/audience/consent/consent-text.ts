/**
 * The wording that a person agrees to. It is stored once, when it is first shown, and each opt-in refers to it: what is
 * recorded is the wording that was shown, also if the configuration has changed since.
 */
import type { Config } from '../../core/config/config.ts';
import type { Db } from '../../core/store/store.ts';
import { localeOf } from '../../lib/locale/locale.ts';
import { sha256 } from '../../lib/sha256.ts';
import { cleanLine, cleanText } from '../../lib/text/clean-text.ts';

export interface ConsentText {
  /** Hash of version and text: 32 hexadecimal digits. */
  id: string;
  version: string;
  text: string;
}

/** Version of the message `consent.text`. Its wording in each language is part of the id. */
const BUILT_IN_VERSION = 'daywire-1';

/** The wording of a configuration: its own, or the built-in one in the publication's language. */
export function consentTextOf(config: Pick<Config, 'signup' | 'publication' | 'ownMessages'>): ConsentText {
  const { signup, publication, ownMessages } = config;
  const own = signup.consent;
  if (own !== undefined) return consentText(own.version, own.text);
  const text = localeOf(publication.language, ownMessages).text('consent.text', { publication: publication.name });
  return consentText(BUILT_IN_VERSION, text);
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
