/** The text of an HTML page. */
import { decodeFeed, headerEncoding, knownEncoding } from '../../sources/feed/decode-feed.ts';

/** Bytes in which a page declares its charset. The HTML standard (§4.2.5.4) allows 1,024; some pages need more. */
const DECLARATION_LENGTH = 4_096;
const META_CHARSET = /<meta\s[^>]{0,500}?\bcharset\s*=\s*["']?\s*([^\s"'/>;]{1,40})/i;

/**
 * Decodes a page by its byte order mark, else by the charset of the HTTP header, else by its first `<meta charset>` or
 * `http-equiv`, else as UTF-8 if it is valid, else as windows-1252.
 * @param contentType the value of the HTTP header, or null
 */
export function decodePage(bytes: Uint8Array, contentType: string | null): string {
  if (headerEncoding(contentType) !== null) return decodeFeed(bytes, contentType);
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, DECLARATION_LENGTH));
  const declared = knownEncoding(META_CHARSET.exec(start)?.[1]);
  if (declared === null) return decodeFeed(bytes, null);
  // A declaration that can be read byte by byte is not in UTF-16, whatever it says (HTML §13.2.3.2).
  return decodeFeed(bytes, `text/html; charset=${declared.startsWith('utf-16') ? 'utf-8' : declared}`);
}
