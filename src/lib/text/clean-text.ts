/**
 * Makes untrusted text safe to store and to show: it has nothing that XML 1.0 or PostgreSQL cannot hold, and changes
 * the direction of no text beside it.
 */
import { shortenToUnits } from './shorten.ts';
import { removeUnpairedDirections } from './text-direction.ts';

/** Controls, except tab, line feed and carriage return, which are handled below; noncharacters up to U+FFFF. */
const CONTROLS = '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\ufdd0-\\ufdef\\ufffe\\uffff]';
/** First half of the noncharacters beyond: U+1FFFE and U+1FFFF, U+2FFFE and U+2FFFF … (Unicode §23.7). */
const HIGH_SURROGATES = Array.from({ length: 16 }, (_, plane) => String.fromCharCode(0xd83f + 0x40 * plane)).join('');
// A third of the time of /\p{NChar}/u.
const FORBIDDEN = new RegExp(`${CONTROLS}|[${HIGH_SURROGATES}][\\udffe\\udfff]`, 'g');

/** What `cleanText` may change. Nearly every text has none of it: one search instead of five. */
const SUSPECT = new RegExp(
  '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069' +
    '\\ud800-\\udfff\\ufdd0-\\ufdef\\ufffe\\uffff]',
);
/** White space of files and forms. Other spaces are kept: French has U+00A0 and U+202F, Japanese U+3000. */
const SPACES = /[ \t\n\u2028\u2029]+/g;
/** White space that is not one space between words. */
const UNTIDY = /[\t\n\u2028\u2029]| {2}|^\s|\s$/;

/** Multi-line text: well-formed Unicode without forbidden characters, line ends as `\n`, directions balanced. */
export function cleanText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return removeUnpairedDirections(text.toWellFormed().replace(/\r\n?/g, '\n').replace(FORBIDDEN, ''));
}

/** Single-line text: as `cleanText`, with each run of ASCII white space and line ends as one space, trimmed. */
export function cleanLine(text: string): string {
  const clean = cleanText(text);
  return UNTIDY.test(clean) ? clean.replace(SPACES, ' ').trim() : clean;
}

/** As `cleanLine`, shortened to at most `limit` UTF-16 code units. */
export function boundedLine(text: string, limit: number): string {
  return shortenToUnits(cleanLine(text), limit);
}

// Spaces, marks that combine with a character before them, and characters that are not displayed, such as U+200B. By
// name: the blank Braille pattern, the place of an embedded object, and the musical note without a head.
const INVISIBLE = /^[\s\p{Z}\p{M}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}]*$/u;

/** Whether a text shows anything when it is displayed. */
export function hasVisibleCharacter(text: string): boolean {
  return !INVISIBLE.test(text);
}

/** The message of an error as one line of at most 1,000 characters. */
export function errorLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return boundedLine(text, 1_000) || 'no reason given';
}

/** The URL resolved against `base`. Null unless it is http or https, without credentials. */
export function cleanUrl(url: string, base?: string): string | null {
  // The URL parser ignores line ends and tabs within (WHATWG URL §4.4).
  const text = cleanText(url).trim();
  const parsed = URL.parse(text, base);
  if (parsed === null) return null;
  const safe =
    (parsed.protocol === 'http:' || parsed.protocol === 'https:') && parsed.username === '' && parsed.password === '';
  return safe ? parsed.href : null;
}

/**
 * As `cleanUrl`, for a URL in an article: a relative one is resolved below the publication's URL, also if it starts
 * with a slash and the publication's URL has a path.
 * @param publicUrl without a trailing slash
 */
export function resolveUrl(url: string, publicUrl: string): string | null {
  const text = cleanText(url).trim();
  // Without a base, which would be parsed as well.
  if (/^https?:\/\//i.test(text)) return cleanUrl(text);
  return cleanUrl(/^\/(?![/\\])/.test(text) ? publicUrl + text : text, `${publicUrl}/`);
}

/**
 * Input as text that both databases can hold: the text itself, or its bytes as a `data:` URL (RFC 2397) where it is not
 * UTF-8 or contains U+0000, which PostgreSQL refuses.
 */
export function storableText(input: Uint8Array | string): string {
  const bytes =
    typeof input === 'string' ? Buffer.from(input) : Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const text = decodeUtf8(bytes);
  return text === null || text.includes('\u0000')
    ? `data:application/octet-stream;base64,${bytes.toString('base64')}`
    : text;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Decodes UTF-8 and removes a byte order mark. Null where the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

// Bidirectional embeddings, overrides and isolates would change the direction of the text that follows (UAX #9 §2).
const DIRECTIONAL = /[\u202a-\u202e\u2066-\u2069]/g;
const WHITE_SPACE = /[\p{Cc}\u2028\u2029 ]+/gu;

/** One line without control characters and without characters that change the direction of the text after it. */
export function plainLine(text: string): string {
  return text.toWellFormed().replace(DIRECTIONAL, '').replace(WHITE_SPACE, ' ').trim();
}
