/** The format of a picture by its first bytes. File names and the types that servers state are often wrong. */
import { open } from 'node:fs/promises';

/** Bytes that are enough for all formats. */
const TYPE_HEAD = 512;

/** Reads the bytes at the beginning of a file that the functions below need. */
export async function readHead(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(TYPE_HEAD), 0, TYPE_HEAD, 0);
  return buffer.subarray(0, bytesRead);
}

/** @returns the MIME type of a JPEG, PNG, WebP, GIF or AVIF; null for anything else */
export function pictureType(head: Uint8Array): string | null {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, TYPE_HEAD)).toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (/^GIF8[79]a/.test(text)) return 'image/gif';
  if (/^RIFF.{4}WEBP/s.test(text)) return 'image/webp';
  // The brands of an image or a sequence (AV1 Image File Format §6.2, §6.3), as the major brand or a compatible one.
  if (/^.{4}ftyp(?:.{4})*?avi[fs]/s.test(text.slice(0, 64))) return 'image/avif';
  return null;
}

/** What a file is that is no picture of those formats, for people: `SVG`, `HTML`. */
export function otherTypeName(head: Uint8Array): string {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, TYPE_HEAD)).toString('latin1');
  if (text === '') return 'an empty file';
  if (/<svg[\s>]/i.test(text)) return 'SVG';
  if (/^(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body)\b/i.test(text)) return 'HTML';
  if (/^(?:\xef\xbb\xbf)?\s*<(?:\?xml|!)/i.test(text)) return 'XML';
  if (text.startsWith('%PDF-')) return 'PDF';
  if (/^(?:II\*\0|MM\0\*)/.test(text)) return 'TIFF';
  if (text.startsWith('BM')) return 'BMP';
  if (/^.{4}ftyp/s.test(text)) return 'HEIC or a video';
  return 'of an unknown format';
}
