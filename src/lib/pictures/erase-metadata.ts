/**
 * Overwrites the metadata of a picture with zeros, without decoding it: Exif, XMP, IPTC, comments, and what follows the
 * picture. Pixels, colour profile and orientation stay, and so does the length, which articles state.
 */
import { crc32 } from 'node:zlib';
import { pictureType } from './picture-type.ts';

const ERASERS: Record<string, (bytes: Buffer) => void> = {
  'image/jpeg': eraseInJpeg,
  'image/png': eraseInPng,
  'image/webp': eraseInWebp,
  'image/avif': eraseInAvif,
};

/** The bytes of a GIF or SVG are returned as they are. @throws RangeError for a picture that is damaged */
export function eraseMetadata(original: Buffer): Buffer {
  const bytes = Buffer.from(original);
  ERASERS[pictureType(bytes) ?? '']?.(bytes);
  return bytes;
}

/** Segments of applications, except JFIF, colour profile and Adobe's colour transform, and comments (T.81 §B.2.4). */
const JPEG_METADATA = /^\xff(?!\xe0..JFIF\0|\xe2..ICC_PROFILE\0|\xee..Adobe)[\xe0-\xef\xfe]/s;

function eraseInJpeg(bytes: Buffer): void {
  let at = 2;
  for (let marker = bytes.readUInt16BE(at); marker !== 0xffd9; marker = bytes.readUInt16BE(at)) {
    const end = marker === 0xffff ? at + 1 : at + 2 + bytes.readUInt16BE(at + 2);
    if (JPEG_METADATA.test(textAt(bytes, at, 18))) erase(bytes.subarray(at + 4, end));
    at = end;
    if (marker !== 0xffda) continue;
    // Entropy-coded data has 0xff only before a zero or the number of a restart (§B.1.1.5).
    at = bytes.indexOf(0xff, at);
    while (/[\0\xd0-\xd7]/.test(textAt(bytes, at + 1, 1))) at = bytes.indexOf(0xff, at + 2);
    if (at < 0) return;
  }
  bytes.fill(0, at + 2);
}

/** Chunks that decoding needs, which begin with a capital, and those about colours and animation. */
const PNG_CHUNK = /^(?:[A-Z]...|acTL|bKGD|cHRM|cICP|cLLI|fcTL|fdAT|gAMA|hIST|iCCP|mDCV|pHYs|sBIT|sPLT|sRGB|tRNS)$/;

function eraseInPng(bytes: Buffer): void {
  let at = 8;
  for (let name = ''; name !== 'IEND'; ) {
    const end = at + 12 + bytes.readUInt32BE(at);
    name = textAt(bytes, at + 4, 4);
    if (!PNG_CHUNK.test(name)) {
      // An ancillary, private name.
      if (!erase(bytes.subarray(at + 8, end - 4))) bytes.write('juNk', at + 4);
      bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end - 4)), end - 4);
    }
    at = end;
  }
  bytes.fill(0, at);
}

/** Chunks other than Exif and XMP (RFC 9649 §2.7). */
const WEBP_CHUNK = /^(?:VP8[ LX]|ICCP|ALPH|ANIM|ANMF)$/;

function eraseInWebp(bytes: Buffer): void {
  for (let at = 12; at + 8 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32LE(at + 4);
    const name = textAt(bytes, at, 4);
    if (!WEBP_CHUNK.test(name) && !erase(bytes.subarray(at + 8, end))) {
      bytes.write('JUNK', at);
      // Its flag in the header of the extended format.
      if (textAt(bytes, 12, 4) === 'VP8X') bytes[20] = bytes.readUInt8(20) & ~(name === 'EXIF' ? 8 : 4);
    }
    at = end + (end % 2);
  }
}

/** An item that is erased is found as before, and is no Exif block. */
function eraseInAvif(bytes: Buffer): void {
  const inFile = boxesIn(bytes, 0, bytes.length);
  const inMeta = boxesIn(bytes, (inFile.get('meta')?.start ?? bytes.length) + 4, inFile.get('meta')?.end ?? 0);
  const [info, places] = [inMeta.get('iinf'), inMeta.get('iloc')];
  if (info === undefined || places === undefined) return;
  const metadata = new Set<number>();
  // Entries of version 2 have ids of 16 bits, those of version 3 of 32 (ISO/IEC 14496-12 §8.11.6). XMP is "mime".
  for (const [, version = '', id = ''] of textAt(bytes, info.start, info.end - info.start).matchAll(
    /infe([\x02\x03])...((?<=\x02...)..|(?<=\x03...)....)..(?:Exif|mime)/gs,
  )) {
    metadata.add(Buffer.from(id, 'latin1').readUIntBE(0, version === '\x02' ? 2 : 4));
  }
  let at = places.start + 4;
  const read = (size: number): number => {
    at += size;
    return size === 0 ? 0 : size === 8 ? Number(bytes.readBigUInt64BE(at - 8)) : bytes.readUIntBE(at - size, size);
  };
  // §8.11.3
  const version = bytes.readUInt8(places.start);
  const sizes = read(2);
  for (let items = read(version < 2 ? 2 : 4); items > 0; items--) {
    const id = read(version < 2 ? 2 : 4);
    const isInMeta = version > 0 && (read(2) & 15) === 1;
    at += 2;
    const base = read((sizes >> 4) & 15) + (isInMeta ? (inMeta.get('idat')?.start ?? 0) : 0);
    for (let extents = read(2); extents > 0; extents--) {
      at += version === 0 ? 0 : sizes & 15;
      const start = base + read(sizes >> 12);
      const end = start + read((sizes >> 8) & 15);
      if (metadata.has(id)) bytes.fill(0, start, end);
    }
  }
}

/** The contents of boxes by their types (ISO/IEC 14496-12 §4.2). */
function boxesIn(bytes: Buffer, from: number, until: number): Map<string, { start: number; end: number }> {
  const boxes = new Map<string, { start: number; end: number }>();
  for (let at = from; at < until; ) {
    const [size, isLong] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at) === 1];
    const end = size === 0 ? until : at + Math.max(isLong ? Number(bytes.readBigUInt64BE(at + 8)) : size, 8);
    boxes.set(textAt(bytes, at + 4, 4), { start: at + (isLong ? 16 : 8), end });
    at = end;
  }
  return boxes;
}

/** Fills metadata with zeros, except for an orientation, which stays in an Exif block without anything else. */
function erase(metadata: Buffer): boolean {
  const at = textAt(metadata, 0, 6) === 'Exif\0\0' ? 6 : 0;
  const tags = tagsOf(metadata.subarray(at));
  // Already so, for example by exiftool, which adds the resolution.
  if (tags.size > 0 && metadata.length < MAX_TECHNICAL && [...tags.keys()].every((tag) => TECHNICAL.has(tag)))
    return true;
  const orientation = tags.get(ORIENTATION) ?? 1;
  const isTurned = orientation > 1 && orientation < 9;
  metadata.fill(0, isTurned ? at : 0);
  if (isTurned)
    metadata.write(`4d4d002a00000008000101120003000000010${orientation.toString(16).padStart(3, '0')}`, at, 'hex');
  return isTurned;
}

const ORIENTATION = 0x0112;
/** Orientation, resolution and its unit, position of colours. */
const TECHNICAL = new Set([ORIENTATION, 0x011a, 0x011b, 0x0128, 0x0213]);
/** Bytes that those take. */
const MAX_TECHNICAL = 110;

/** The tags of an Exif block (TIFF), with their values as far as they are numbers of 16 bits. */
function tagsOf(tiff: Buffer): Map<number, number> {
  const tags = new Map<number, number>();
  const isLittle = textAt(tiff, 0, 4) === 'II*\0';
  if (!isLittle && textAt(tiff, 0, 4) !== 'MM\0*') return tags;
  const read = (at: number, size: 2 | 4): number => (isLittle ? tiff.readUIntLE(at, size) : tiff.readUIntBE(at, size));
  try {
    const first = read(4, 4) + 2;
    for (let at = first; at < first + 12 * read(first - 2, 2); at += 12) tags.set(read(at, 2), read(at + 8, 2));
  } catch {
    // Damaged.
  }
  return tags;
}

function textAt(bytes: Buffer, at: number, length: number): string {
  return bytes.toString('latin1', at, at + length);
}
