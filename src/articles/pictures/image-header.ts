/** Reads type and size of an image from the first bytes of its file: PNG, JPEG, GIF, WebP and SVG. */

export interface ImageHeader {
  type: string;
  /** Pixels as displayed, or null if the file does not say. */
  width: number | null;
  height: number | null;
}

/** @returns null if the bytes begin none of these formats */
export function readImageHeader(head: Buffer): ImageHeader | null {
  return png(head) ?? gif(head) ?? webp(head) ?? jpeg(head) ?? svg(head);
}

// PNG (W3C, 3rd edition) §5.2 and §11.2.1: the signature, then IHDR.
function png(head: Buffer): ImageHeader | null {
  if (head.length < 24 || head.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n') return null;
  return { type: 'image/png', width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
}

function gif(head: Buffer): ImageHeader | null {
  if (head.length < 10 || !/^GIF8[79]a$/.test(head.toString('latin1', 0, 6))) return null;
  return { type: 'image/gif', width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
}

// RFC 9649 §2.5 to §2.7: the first chunk is VP8X (canvas minus one), VP8L (14 bits each, minus one) or VP8.
function webp(head: Buffer): ImageHeader | null {
  if (head.length < 30 || head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WEBP')
    return null;
  const type = 'image/webp';
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8X':
      return { type, width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
    case 'VP8L': {
      const bits = head.readUInt32LE(21);
      return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8 ':
      return { type, width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
    default:
      return { type, width: null, height: null };
  }
}

// ITU-T T.81 Annex B: segments until a start-of-frame marker: C0 to CF except DHT (C4), JPG (C8), DAC (CC).
function jpeg(head: Buffer): ImageHeader | null {
  if (head.length < 4 || head.readUInt16BE(0) !== 0xffd8 || head[2] !== 0xff) return null;
  const type = 'image/jpeg';
  let at = 2;
  let isTurned = false;
  while (at + 9 <= head.length) {
    if (head[at] !== 0xff) break;
    const marker = head[at + 1] as number;
    if (marker === 0xff) {
      at += 1;
    } else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += 2;
    } else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [width, height] = [head.readUInt16BE(at + 7), head.readUInt16BE(at + 5)];
      return isTurned ? { type, width: height, height: width } : { type, width, height };
    } else if (marker === 0xd9 || marker === 0xda) {
      break;
    } else {
      const end = at + 2 + head.readUInt16BE(at + 2);
      if (marker === 0xe1) isTurned ||= isTurnedByExif(head.subarray(at + 4, end));
      at = end;
    }
  }
  return { type, width: null, height: null };
}

/** Orientations that turn the picture by a quarter (Exif 2.32 §4.6.4, tag 0x0112, in the first TIFF directory). */
function isTurnedByExif(segment: Buffer): boolean {
  const tiff = segment.subarray(6);
  if (segment.toString('latin1', 0, 6) !== 'Exif\0\0' || tiff.length < 8) return false;
  const isLittle = tiff.toString('latin1', 0, 2) === 'II';
  const read16 = (at: number): number => {
    if (at + 2 > tiff.length) return 0;
    return isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at);
  };
  const directory = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  const entries = read16(directory);
  for (let index = 0; index < entries; index++) {
    const entry = directory + 2 + 12 * index;
    if (entry + 12 > tiff.length) return false;
    if (read16(entry) === 0x0112) return read16(entry + 8) >= 5 && read16(entry + 8) <= 8;
  }
  return false;
}

function svg(head: Buffer): ImageHeader | null {
  const start = head.toString('utf8', 0, 16_384);
  const [tag] = /<svg(?:\s[^>]*)?>/.exec(start.replace(/<!--[\s\S]*?-->/g, '')) ?? [];
  if (tag === undefined || !/^\s*<(?:\?xml|!DOCTYPE svg|!--|svg)/i.test(start.replace(/^\ufeff/, ''))) return null;
  const [, , boxWidth, boxHeight] =
    attribute(tag, 'viewBox')
      ?.trim()
      .split(/[\s,]+/)
      .map(Number) ?? [];
  return {
    type: 'image/svg+xml',
    width: pixels(attribute(tag, 'width')) ?? rounded(boxWidth),
    height: pixels(attribute(tag, 'height')) ?? rounded(boxHeight),
  };
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\s${name}\\s*=\\s*["']([^"']*)["']`).exec(tag)?.[1];
}

function pixels(value: string | undefined): number | null {
  const [, number] = /^\s*(\d+(?:\.\d+)?)(?:px)?\s*$/.exec(value ?? '') ?? [];
  return rounded(number === undefined ? undefined : Number(number));
}

function rounded(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) && value > 0 ? Math.round(value) : null;
}
