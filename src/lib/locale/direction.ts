/** Directions of languages and texts (UAX #9). */
import { LRUCache } from 'lru-cache';
import { escapeHtml } from '../text/html.ts';

const RIGHT_TO_LEFT_SCRIPTS = ['Adlm', 'Arab', 'Hebr', 'Nkoo', 'Rohg', 'Syrc', 'Thaa'];
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/gu;
const LEFT_TO_RIGHT =
  /[^\P{L}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/gu;
const ISOLATES = { ltr: '\u2066', rtl: '\u2067', auto: '\u2068' };

export type Direction = 'ltr' | 'rtl';

/** The direction of a language's script. @param language BCP 47 */
export function textDirection(language: string): Direction {
  return directions.memo(language);
}

/** Intl takes 0.08 ms to answer, and pages ask for each story. */
const directions = new LRUCache<string, Direction>({ max: 200, memoMethod: scriptDirection });

function scriptDirection(language: string): Direction {
  try {
    return RIGHT_TO_LEFT_SCRIPTS.includes(new Intl.Locale(language).maximize().script ?? '') ? 'rtl' : 'ltr';
  } catch {
    return 'ltr';
  }
}

/** Null without letters of the other direction. `auto` is wrong for an Arabic headline that begins with `Apple`. */
function isolationOf(text: string, direction: Direction): Direction | 'auto' | null {
  if (text.search(direction === 'rtl' ? LEFT_TO_RIGHT : RIGHT_TO_LEFT) === -1) return null;
  const [first] = text.match(/\p{L}/u) ?? [''];
  const most = (text.match(LEFT_TO_RIGHT)?.length ?? 0) < (text.match(RIGHT_TO_LEFT)?.length ?? 0) ? 'rtl' : 'ltr';
  return first.search(most === 'rtl' ? RIGHT_TO_LEFT : LEFT_TO_RIGHT) === 0 ? 'auto' : most;
}

/** The text in isolates (… PDI, UAX #9 §2.4.2), if it has letters of the other direction. */
export function isolate(text: string, direction: Direction): string {
  const isolation = isolationOf(text, direction);
  return isolation === null ? text : `${ISOLATES[isolation]}${text}\u2069`;
}

/** The text as HTML, in `<bdi>` if it has letters of the other direction. */
export function isolateHtml(text: string, direction: Direction): string {
  const isolation = isolationOf(text, direction);
  if (isolation === null) return escapeHtml(text);
  return `<bdi${isolation === 'auto' ? '' : ` dir="${isolation}"`}>${escapeHtml(text)}</bdi>`;
}
