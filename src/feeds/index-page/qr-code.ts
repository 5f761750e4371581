/** QR codes as SVG paths. */
import encodeQR from 'qr';

export interface QrCode {
  /** Modules on each side, including the quiet zone. */
  size: number;
  /** The dark modules, as the `d` of an SVG path. */
  path: string;
}

/** ISO/IEC 18004 §5.3.8: four light modules around the code. */
const QUIET_ZONE = 4;

/** Encodes a text with error correction level M. */
export function qrCode(text: string): QrCode {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_ZONE });
  return { size: rows.length, path: rows.flatMap(darkRuns).join('') };
}

function darkRuns(row: boolean[], y: number): string[] {
  const runs: string[] = [];
  for (let x = 0; x < row.length; x++) {
    if (row[x] !== true) continue;
    const from = x;
    while (row[x + 1] === true) x++;
    const width = x + 1 - from;
    runs.push(`M${from} ${y}h${width}v1h-${width}z`);
  }
  return runs;
}
