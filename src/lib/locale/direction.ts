/** Directions of languages and texts (UAX #9). */

const RIGHT_TO_LEFT_SCRIPTS = ['Adlm', 'Arab', 'Hebr', 'Nkoo', 'Rohg', 'Syrc', 'Thaa'];
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;
const LEFT_TO_RIGHT =
  /[^\P{L}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

export type Direction = 'ltr' | 'rtl';

/** The direction of a language's script. @param language BCP 47 */
export function textDirection(language: string): Direction {
  return RIGHT_TO_LEFT_SCRIPTS.includes(textScript(language)) ? 'rtl' : 'ltr';
}

/** A language's script (ISO 15924), such as `Hans` or `Arab`. @param language BCP 47 */
export function textScript(language: string): string {
  try {
    return new Intl.Locale(language).maximize().script ?? 'Latn';
  } catch {
    return 'Latn';
  }
}

/** Whether a text has letters of the other direction. */
export function runsAgainst(text: string, direction: Direction): boolean {
  return (direction === 'rtl' ? LEFT_TO_RIGHT : RIGHT_TO_LEFT).test(text);
}

/** The text in isolates (FSI … PDI, UAX #9 §2.4.2), if it has letters of the other direction. */
export function isolate(text: string, direction: Direction): string {
  return runsAgainst(text, direction) ? `\u2068${text}\u2069` : text;
}
