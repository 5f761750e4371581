import { cleanLine } from '../../lib/text/clean-text.ts';

/** A canonical BCP 47 tag, or null: feeds also write `en_US` and `English`. */
export function feedLanguageTag(written: string): string | null {
  const tag = cleanLine(written).replaceAll('_', '-');
  if (!/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}$/.test(tag)) return null;
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}
