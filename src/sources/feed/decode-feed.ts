/** The text of a feed document. */
import { isAscii, isUtf8 } from 'node:buffer';

/** An encoding declaration is in the first line of a document (XML 1.0 §4.3.3). */
const DECLARATION_LENGTH = 1_024;
const ENCODING = /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})/;
const CHARSET = /;\s*charset\s*=\s*["']?\s*([^\s"';,]{1,40})/i;
/**
 * The share of the characters beyond ASCII that may be lost in the right encoding: programs cut texts within a
 * character. In a wrong one more are lost: of a text read as UTF-8, 40 % if it is in GB2312, all if in windows-1251.
 */
const TOLERATED = 0.2;

/**
 * Decodes a document by its byte order mark. Without one it is UTF-8 if its bytes are, whatever its labels say; else in
 * the first encoding that fits its bytes, of the HTTP header, the XML declaration and windows-1252. Labels are those of
 * the WHATWG Encoding Standard; an unknown one is ignored. Bytes that the encoding does not know become U+FFFD.
 * @param contentType the value of the HTTP header, or null
 */
export function decodeFeed(bytes: Uint8Array, contentType: string | null): string {
  const marked = markedEncoding(bytes);
  if (marked !== null) return new TextDecoder(marked).decode(bytes);
  if (isUtf8(bytes) && !isAscii(bytes)) return new TextDecoder().decode(bytes);
  const utf8 = decodeAs('utf-8', bytes);
  if (utf8.lost <= TOLERATED) return utf8.text;
  const labelled = labelsOf(bytes, contentType).map((label) => decodeAs(label, bytes));
  const fitting = labelled.find(({ lost }) => lost === 0) ?? labelled.find(({ lost }) => lost <= TOLERATED);
  return (fitting ?? decodeAs('windows-1252', bytes)).text;
}

/** `lost`: the share of the characters beyond ASCII that are U+FFFD. 1 for a text in ASCII, which fits any encoding. */
function decodeAs(label: string, bytes: Uint8Array): { text: string; lost: number } {
  // As the beginning of a stream: without the half of a character that a document which was cut ends with.
  const text = new TextDecoder(label).decode(bytes, { stream: true });
  let [beyond, lost] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) beyond += 1;
    if (code === 0xfffd) lost += 1;
  }
  return { text, lost: beyond === 0 ? 1 : lost / beyond };
}

/** The encoding of a document with a byte order mark, or with two bytes for each of its first characters. */
function markedEncoding([first, second, third, fourth]: Uint8Array): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first && second === 0 && third && fourth === 0) return 'utf-16le';
  return first === 0 && second && third === 0 && fourth ? 'utf-16be' : null;
}

/** UTF-32 and EBCDIC, by their first four bytes (XML 1.0, appendix F.1). No feed should have them. */
const UNREADABLE = ['fffe0000', '0000feff', '3c000000', '0000003c', '4c6fa794'];

export function isUnreadable(bytes: Uint8Array): boolean {
  return UNREADABLE.includes(Buffer.from(bytes.subarray(0, 4)).toString('hex'));
}

/**
 * The encodings that header and declaration name, in this order. Not ISO-8859-1, which many servers add to every text
 * (once the default of HTTP, RFC 2616 §3.7.1): it is the last one anyway, as windows-1252. Nor UTF-16, in which no text
 * can be read byte by byte.
 */
function labelsOf(bytes: Uint8Array, contentType: string | null): string[] {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, DECLARATION_LENGTH));
  const labels = [headerEncoding(contentType), knownEncoding(ENCODING.exec(start)?.[1])];
  return labels.filter((label) => label !== null && !/^(?:utf-|windows-1252$)/.test(label)) as string[];
}

/** The encoding that a Content-Type names, by the WHATWG Encoding Standard; null if it names none that is known. */
export function headerEncoding(contentType: string | null): string | null {
  return knownEncoding(CHARSET.exec(contentType ?? '')?.[1]);
}

/** The name of the encoding of a label, such as `gbk` for `GB2312`; null for an unknown one. */
export function knownEncoding(label: string | undefined): string | null {
  if (label === undefined) return null;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
}
