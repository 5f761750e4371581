/** The text of a feed document. */
import { decodeUtf8 } from '../../lib/text/clean-text.ts';

/** An encoding declaration is in the first line of a document (XML 1.0 §4.3.3). */
const DECLARATION_LENGTH = 1_024;
const ENCODING = /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})/;
const CHARSET = /;\s*charset\s*=\s*["']?\s*([^\s"';,]{1,40})/i;

/**
 * Decodes a document by its byte order mark, else by the charset of the HTTP header, else by its XML declaration, else
 * as UTF-8 if it is valid, else as windows-1252. Labels are those of the WHATWG Encoding Standard; an unknown one is
 * ignored. Bytes that the encoding does not know become U+FFFD.
 * @param contentType the value of the HTTP header, or null
 */
export function decodeFeed(bytes: Uint8Array, contentType: string | null): string {
  const label = markedEncoding(bytes) ?? headerEncoding(contentType) ?? declaredEncoding(bytes);
  if (label !== null) return new TextDecoder(label).decode(bytes);
  return decodeUtf8(withoutCutCharacter(bytes)) ?? new TextDecoder('windows-1252').decode(bytes);
}

function markedEncoding([first, second, third]: Uint8Array): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return null;
}

/** The encoding that a Content-Type names, by the WHATWG Encoding Standard; null if it names none that is known. */
export function headerEncoding(contentType: string | null): string | null {
  return knownEncoding(CHARSET.exec(contentType ?? '')?.[1]);
}

function declaredEncoding(bytes: Uint8Array): string | null {
  // Two bytes for each character: `<?` (XML 1.0, appendix F.1).
  if (bytes[0] === 0x3c && bytes[1] === 0 && bytes[2] === 0x3f) return 'utf-16le';
  if (bytes[0] === 0 && bytes[1] === 0x3c && bytes[2] === 0 && bytes[3] === 0x3f) return 'utf-16be';
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, DECLARATION_LENGTH));
  const label = ENCODING.exec(start)?.[1];
  // A declaration that can be read byte by byte is not in UTF-16, even if it says so.
  return label !== undefined && /^(?:utf-?16|ucs-2|iso-10646-ucs-2)/i.test(label) ? 'utf-8' : knownEncoding(label);
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

/** A document that was cut within a character is valid up to that character. */
function withoutCutCharacter(bytes: Uint8Array): Uint8Array {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const byte = bytes[bytes.length - length] as number;
    if (byte < 0x80) return bytes;
    if (byte < 0xc0) continue;
    const expected = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return expected > length ? bytes.subarray(0, bytes.length - length) : bytes;
  }
  return bytes;
}
