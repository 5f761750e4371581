/**
 * Makes a stranger's text safe to keep: what XML 1.0 or PostgreSQL cannot hold never enters the store.
 */

// XML 1.0 §2.2 Char, minus tab, line feed and carriage return, which are dealt with below; the non-characters U+FFFE and U+FFFF.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/g;

/** Text of many lines: well-formed Unicode, no forbidden character, line ends as `\n`. */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, '\n').replace(FORBIDDEN, '');
}

/** Text of one line: as `cleanText`, with every run of white space, line ends among it, made one space, and trimmed. */
export function cleanLine(text: string): string {
  return cleanText(text).replace(/\s+/g, ' ').trim();
}

/** The message of an error as one line of at most 1,000 characters. */
export function errorLine(error: unknown): string {
  const line = cleanLine(error instanceof Error ? error.message || error.name : String(error));
  return line.length > 1_000 ? `${line.slice(0, 1_000).toWellFormed()}…` : line || 'no reason given';
}

/** The URL made absolute against `base`, if it is then http or https and holds no credentials; otherwise null. */
export function cleanUrl(url: string, base?: string): string | null {
  // Line ends and tabs within are left to the URL parser, which passes over them (WHATWG URL §4.4).
  const text = cleanText(url).trim();
  if (!URL.canParse(text, base)) return null;
  const parsed = new URL(text, base);
  const safe =
    (parsed.protocol === 'http:' || parsed.protocol === 'https:') && parsed.username === '' && parsed.password === '';
  return safe ? parsed.href : null;
}

/**
 * As `cleanUrl`, for an address in an article: a relative one is taken below the publication's own address, and so is one that
 * begins with a slash, even where that address has a path.
 * @param publicUrl without a slash at its end
 */
export function resolveUrl(url: string, publicUrl: string): string | null {
  const text = cleanText(url).trim();
  return cleanUrl(/^\/(?![/\\])/.test(text) ? publicUrl + text : text, `${publicUrl}/`);
}

/**
 * What was read, as text that both databases hold: the text itself, or where it is no UTF-8 or holds U+0000, which PostgreSQL
 * refuses, its bytes as a `data:` URL (RFC 2397), so that nothing is lost.
 */
export function keepable(read: Uint8Array | string): string {
  const bytes =
    typeof read === 'string' ? Buffer.from(read) : Buffer.from(read.buffer, read.byteOffset, read.byteLength);
  const text = decodeUtf8(bytes);
  return text === null || text.includes('\u0000')
    ? `data:application/octet-stream;base64,${bytes.toString('base64')}`
    : text;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of UTF-8 bytes without a byte order mark, or null where they are something else. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
