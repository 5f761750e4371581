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

/** The URL made absolute against `base`, if it is then http or https and holds no credentials; otherwise null. */
export function cleanUrl(url: string, base?: string): string | null {
  const text = cleanLine(url);
  if (!URL.canParse(text, base)) return null;
  const parsed = new URL(text, base);
  const safe =
    (parsed.protocol === 'http:' || parsed.protocol === 'https:') && parsed.username === '' && parsed.password === '';
  return safe ? parsed.href : null;
}
